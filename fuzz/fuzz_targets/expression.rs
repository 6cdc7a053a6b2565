//! Any text is an expression with a value, or is refused; also where everything it refers to is unknown or sensitive.

#![no_main]

use lakeform_core::{Diagnostic, Span, Type, Value};
use lakeform_lang::{Environment, Scope, Subject, parse_expression, render};
use libfuzzer_sys::fuzz_target;

struct Everything(Environment, Value);

impl Scope for Everything {
    fn resolve(&self, _: &Subject, _: &Span) -> Result<Value, Diagnostic> {
        Ok(self.1.clone())
    }

    fn environment(&self) -> &Environment {
        &self.0
    }
}

fuzz_target!(|text: &str| {
    let Ok(expression) = parse_expression(text) else { return };
    for value in [Value::unknown(Type::Dynamic), Value::from("text").sensitive()] {
        if let Ok(value) = expression.evaluate(&Everything(Environment::default(), value)) {
            render(&value);
        }
    }
});
