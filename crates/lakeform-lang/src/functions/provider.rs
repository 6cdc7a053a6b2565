//! The functions of providers, called as `provider::NAME::FUNCTION(...)`: those that are built into Terraform and those of the
//! AWS provider.

use std::sync::Arc;

use hcl_edit::{
    expr::FuncCall,
    structure::{Body, Structure},
    visit::{self, Visit},
};
use lakeform_core::{Kind, Value};

use super::{Context, Fault, Function, Returns, any, function, go::quote_hcl, text as string};
use crate::parse_expression;

pub(super) const TABLE: &[Function] = &[
    function(
        "provider::aws::arn_build",
        &[string("partition"), string("service"), string("region"), string("account_id"), string("resource")],
        Returns::String,
        |_, args| Ok(format!("arn:{}", args.iter().map(text).collect::<Vec<_>>().join(":")).into()),
    ),
    function("provider::aws::arn_parse", &[string("arn")], Returns::Any, |_, args| {
        let parts = PARTS.iter().zip(arn(text(&args[0]))?);
        Ok(Value::object(parts.map(|(name, part)| (*name, Value::from(part)))))
    }),
    function("provider::aws::trim_iam_role_path", &[string("arn")], Returns::String, trim_iam_role_path),
    function("provider::terraform::decode_tfvars", &[string("src")], Returns::Any, decode_tfvars),
    function("provider::terraform::encode_expr", &[any("value").deep()], Returns::String, |_, args| {
        let mut out = Lines::default();
        out.value(&args[0]);
        Ok(out.finish().into())
    }),
    function("provider::terraform::encode_tfvars", &[any("value").deep()], Returns::String, encode_tfvars),
];

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What stands between the colons of an ARN after `arn`.
const PARTS: [&str; 5] = ["partition", "service", "region", "account_id", "resource"];

fn arn(text: &str) -> Result<[&str; 5], Fault> {
    let rest = text.strip_prefix("arn:").ok_or("arn: invalid prefix")?;
    let parts: Vec<&str> = rest.splitn(5, ':').collect();
    parts.try_into().map_err(|_| "arn: not enough sections".into())
}

fn trim_iam_role_path(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let [partition, service, region, account, resource] = arn(text(&args[0]))?;
    if service != "iam" {
        return Err("service must be \"iam\"".into());
    }
    if !region.is_empty() {
        return Err("region must be empty".into());
    }
    let role = resource.strip_prefix("role/").ok_or("resource must begin with \"role/\"")?;
    let name = role.rsplit_once('/').map_or(role, |(_, name)| name);
    Ok(format!("arn:{partition}:{service}:{region}:{account}:role/{name}").into())
}

/// A call of a function somewhere in an expression.
#[derive(Default)]
struct Calls(bool);

impl Visit for Calls {
    fn visit_func_call(&mut self, node: &FuncCall) {
        self.0 = true;
        visit::visit_func_call(self, node);
    }
}

fn decode_tfvars(context: &Context, args: &[Value]) -> Result<Value, Fault> {
    let body: Body = text(&args[0]).parse().map_err(|e: hcl_edit::parser::Error| {
        format!("invalid tfvars syntax: <decode_tfvars argument>: {}", e.message())
    })?;
    let mut out: Vec<(Arc<str>, Value)> = vec![];
    for structure in body {
        let attribute = match structure {
            Structure::Attribute(attribute) => attribute,
            Structure::Block(block) => {
                let name = block.ident.as_str();
                return Err(format!(
                    "invalid tfvars content: <decode_tfvars argument>: Unexpected {name:?} block; Blocks are not allowed here"
                )
                .into());
            }
        };
        let name: Arc<str> = attribute.key.as_str().into();
        let invalid = |why: &str| Fault::from(format!("invalid expression for variable {name:?}: {why}"));
        let mut calls = Calls::default();
        calls.visit_expr(&attribute.value);
        if calls.0 {
            return Err(invalid("Function calls not allowed; Functions may not be called here"));
        }
        let expr = parse_expression(attribute.value.to_string().trim()).map_err(|e| invalid(&e.to_string()))?;
        if !expr.references().is_empty() {
            return Err(invalid("Variables not allowed; Variables may not be used here"));
        }
        if out.iter().any(|(there, _)| *there == name) {
            return Err(format!(
                "invalid tfvars syntax: <decode_tfvars argument>: Attribute redefined; The argument {name:?} was already set. Each argument may be set only once"
            )
            .into());
        }
        let value = expr.evaluate(context.evaluation.scope).map_err(|e| invalid(&e.to_string()))?;
        out.push((name, value));
    }
    Ok(Value::object(out))
}

fn encode_tfvars(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let Some(values) = args[0].as_mapping() else {
        return Err(
            "invalid value to encode: must be an object whose attribute names will become the encoded variable names"
                .into(),
        );
    };
    let mut out = Lines::default();
    for (name, value) in values {
        if !is_identifier(name) {
            return Err(format!(
                "invalid variable name {name:?}: must be a valid identifier, per Terraform's rules for input variable declarations"
            )
            .into());
        }
        out.argument(name.to_string(), value);
    }
    Ok(out.finish().into())
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(char::is_alphabetic) && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// A line of a document.
#[derive(Default)]
struct Line {
    /// What the line gives a value to.
    key: Option<String>,
    text: String,
    /// How many brackets more are opened than closed in it.
    open: isize,
}

/// An expression in the layout of `terraform fmt`.
#[derive(Default)]
struct Lines(Vec<Line>);

impl Lines {
    fn last(&mut self) -> &mut Line {
        if self.0.is_empty() {
            self.0.push(Line::default());
        }
        let at = self.0.len() - 1;
        &mut self.0[at]
    }

    fn bracket(&mut self, text: &str, open: isize) {
        let line = self.last();
        line.text.push_str(text);
        line.open += open;
    }

    fn argument(&mut self, key: String, value: &Value) {
        self.0.push(Line { key: Some(key), ..Line::default() });
        self.value(value);
    }

    fn value(&mut self, value: &Value) {
        match value.kind() {
            Kind::Null(_) | Kind::Unknown(..) => self.last().text.push_str("null"),
            Kind::Bool(b) => self.last().text.push_str(if *b { "true" } else { "false" }),
            Kind::Number(n) => self.last().text.push_str(&n.to_string()),
            Kind::String(s) => self.last().text.push_str(&quote_hcl(s)),
            Kind::List(_, vs) | Kind::Set(_, vs) | Kind::Tuple(vs) => {
                self.bracket("[", 1);
                for (i, v) in vs.iter().enumerate() {
                    self.last().text.push_str(if i > 0 { ", " } else { "" });
                    self.value(v);
                }
                self.bracket("]", -1);
            }
            Kind::Map(_, vs) | Kind::Object(vs) if vs.is_empty() => self.last().text.push_str("{}"),
            Kind::Map(_, vs) | Kind::Object(vs) => {
                self.bracket("{", 1);
                for (key, v) in vs.iter() {
                    self.argument(if is_identifier(key) { key.to_string() } else { quote_hcl(key) }, v);
                }
                self.0.push(Line::default());
                self.bracket("}", -1);
            }
        }
    }

    /// Equals signs of neighbouring lines that are whole by themselves stand below each other; a line that opens brackets
    /// moves the following ones in by one step, however many it opens.
    fn finish(self) -> String {
        let mut out = String::new();
        let mut levels: Vec<isize> = vec![];
        let is_whole = |line: &Line| line.key.is_some() && line.open == 0;
        let width = |key: &Option<String>| key.as_ref().map_or(0, |k| k.chars().count());
        let arguments = self.0.first().is_some_and(|line| line.key.is_some());
        for (i, line) in self.0.iter().enumerate() {
            let mut closed = (-line.open).max(0);
            while closed > 0
                && let Some(level) = levels.last_mut()
            {
                let taken = closed.min(*level);
                (*level, closed) = (*level - taken, closed - taken);
                if *level == 0 {
                    levels.pop();
                }
            }
            if i > 0 {
                out.push('\n');
            }
            out.push_str(&"  ".repeat(levels.len()));
            if let Some(key) = &line.key {
                let run = |lines: &mut dyn Iterator<Item = &Line>| {
                    lines.take_while(|l| is_whole(l)).map(|l| width(&l.key)).max().unwrap_or(0)
                };
                let widest = match is_whole(line) {
                    true => run(&mut self.0[..=i].iter().rev()).max(run(&mut self.0[i..].iter())),
                    false => width(&line.key),
                };
                out.push_str(key);
                out.push_str(&" ".repeat(widest - width(&line.key)));
                out.push_str(" = ");
            }
            out.push_str(&line.text);
            if line.open > 0 {
                levels.push(line.open);
            }
        }
        if arguments {
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use crate::{Environment, Stack, StaticScope, parse_expression};

    fn ask(expression: &str) -> String {
        let (stack, _) = crate::load_str("s.toml", "").unwrap();
        let stack: &Stack = &stack;
        let scope = StaticScope::new(stack, &Default::default(), Environment::default());
        match parse_expression(expression).and_then(|e| e.evaluate(&scope)) {
            Ok(value) => crate::render(&value),
            Err(e) => e.0.iter().filter_map(|d| d.detail.clone()).collect(),
        }
    }

    /// The answers of `terraform console` 1.11.4 with the AWS provider 5.100.
    #[test]
    fn answers_are_those_of_terraform() {
        let recorded = include_str!("../../tests/fixtures/provider_functions.txt");
        let cases: Vec<(&str, &str)> =
            recorded.split("== ").skip(1).filter_map(|case| case.trim_end().split_once('\n')).collect();
        assert!(cases.len() > 40);
        for (expression, answer) in cases {
            assert_eq!(ask(expression), answer, "{expression}");
        }
    }
}
