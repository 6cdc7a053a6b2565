//! Numbers.

use lakeform_core::{Number, Type, Value};

use super::{Context, Fault, Function, Returns, any, function, number};

pub(super) const TABLE: &[Function] = &[
    function("abs", &[number("num")], Returns::Number, |_, args| one(args, Number::abs)),
    function("ceil", &[number("num")], Returns::Number, |_, args| one(args, Number::ceil)),
    function("floor", &[number("num")], Returns::Number, |_, args| one(args, Number::floor)),
    function("signum", &[number("num")], Returns::Number, signum),
    function("log", &[number("num"), number("base")], Returns::Number, |_, args| {
        float(args, |num, base| num.ln() / base.ln())
    }),
    function("pow", &[number("num"), number("power")], Returns::Number, |_, args| float(args, f64::powf)),
    function("max", &[], Returns::Number, |_, args| extreme(args, |a, b| a > b)).rest(number("numbers")),
    function("min", &[], Returns::Number, |_, args| extreme(args, |a, b| a < b)).rest(number("numbers")),
    function(
        "parseint",
        &[any("number"), number("base")],
        Returns::By(|args| text_to_parse(args).map(|_| Type::Number)),
        parseint,
    ),
];

/// The number in an argument; the call has seen to it that there is one.
pub(super) fn num(args: &[Value], index: usize) -> Result<&Number, Fault> {
    args.get(index).and_then(Value::as_number).ok_or_else(|| Fault::arg(index, "a number is required"))
}

/// The whole number in an argument.
pub(super) fn whole(args: &[Value], index: usize) -> Result<i64, Fault> {
    let n = num(args, index)?;
    if !n.is_whole() {
        return Err(Fault::arg(index, "value must be a whole number"));
    }
    n.to_i64().ok_or_else(|| {
        let way = if n.signum() < 0 { "greater than or equal to -9223372036854775808" } else { "less than or equal to 9223372036854775807" };
        Fault::arg(index, format!("value must be a whole number, between -9223372036854775808 and 9223372036854775807 inclusive: must be {way}"))
    })
}

/// Of a 64-bit integer only, as in Terraform.
fn signum(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let n = num(args, 0)?.to_i64();
    n.map(|n| n.signum().into())
        .ok_or_else(|| "value must be a whole number, between -9223372036854775808 and 9223372036854775807".into())
}

fn one(args: &[Value], f: impl Fn(&Number) -> Number) -> Result<Value, Fault> {
    Ok(f(num(args, 0)?).into())
}

fn float(args: &[Value], f: impl Fn(f64, f64) -> f64) -> Result<Value, Fault> {
    let result = f(num(args, 0)?.to_f64(), num(args, 1)?.to_f64());
    Number::from_f64(result).map(Value::from).ok_or_else(|| Fault::from("the result is no finite number"))
}

fn extreme(args: &[Value], better: impl Fn(&Number, &Number) -> bool) -> Result<Value, Fault> {
    let mut best = args.first().and_then(Value::as_number).ok_or("must pass at least one number")?;
    for n in args.iter().filter_map(Value::as_number) {
        if better(n, best) {
            best = n;
        }
    }
    Ok(best.clone().into())
}

fn text_to_parse(args: &[Value]) -> Result<&str, Fault> {
    match args[0].ty() {
        Type::String => Ok(args[0].as_str().unwrap_or_default()),
        ty => Err(Fault::arg(0, format!("first argument must be a string, not {}", ty.friendly_name()))),
    }
}

fn parseint(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let text = text_to_parse(args)?;
    let base = whole(args, 1)?;
    if !(2..=62).contains(&base) {
        return Err(Fault::arg(1, "base must be a whole number between 2 and 62 inclusive"));
    }
    let failed = || Fault::arg(0, format!("cannot parse {text:?} as a base {base} integer"));
    // Go's digits: beyond base 36, upper case letters come after lower case ones.
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() {
        return Err(failed());
    }
    let base_number = Number::from(base);
    let mut total = Number::from(0_i64);
    for c in digits.chars() {
        let digit = match c {
            '0'..='9' => c as i64 - '0' as i64,
            'a'..='z' => c as i64 - 'a' as i64 + 10,
            'A'..='Z' if base <= 36 => c as i64 - 'A' as i64 + 10,
            'A'..='Z' => c as i64 - 'A' as i64 + 36,
            _ => return Err(failed()),
        };
        if digit >= base {
            return Err(failed());
        }
        total = total.mul(&base_number).add(&Number::from(digit));
    }
    // Go's integers have no negative zero.
    Ok(if negative { Number::from(0_i64).sub(&total) } else { total }.into())
}
