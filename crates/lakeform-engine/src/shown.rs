//! What is as secret as something else, wherever it is shown.

use lakeform_core::{Marks, Step, Value};

/// Types that answer with what they were given: what they were given, and the answer.
const MIRRORS: [(&str, &str, &str); 2] =
    [("terraform_data", "input", "output"), ("null_data_source", "inputs", "outputs")];

/// The value of an object as it may be shown. Where a type answers with what it was given, the answer is as secret: Terraform
/// forgets that, and shows `output` of a `terraform_data` with a secret `input`. For expressions it is as it is for Terraform's.
pub fn as_shown(ty: &str, value: Value) -> Value {
    let Some((_, given, answer)) = MIRRORS.iter().find(|(name, ..)| *name == ty) else { return value };
    let secret = value.get(given).map(|v| v.marked_paths(Marks::SENSITIVE)).unwrap_or_default();
    secret.iter().fold(value, |value, path| {
        let path: Vec<Step> = std::iter::once(Step::Attr((*answer).into())).chain(path.0.iter().cloned()).collect();
        // What is not known yet is said to be so.
        value.update_at(&path, &mut |v| if v.is_known() && !v.is_null() { v.sensitive() } else { v })
    })
}

/// The value of an object as expressions see it: without what [`as_shown`] adds.
pub(crate) fn as_referred(ty: &str, mut value: Value) -> Value {
    if let Some((.., answer)) = MIRRORS.iter().find(|(name, ..)| *name == ty)
        && let Some(marked) = value.get(answer).filter(|v| !v.marked_paths(Marks::SENSITIVE).is_empty())
    {
        let plain = marked.clone().unmarked_deep();
        value.set_attr(*answer, plain);
    }
    value
}

#[cfg(test)]
mod tests {
    use lakeform_core::Type;

    use super::*;

    #[test]
    fn an_answer_is_as_secret_as_what_was_given() {
        let given = Value::object([("a", Value::from("x")), ("b", Value::from("y").sensitive())]);
        let object = |output: Value| Value::object([("input", given.clone()), ("output", output)]);
        let paths = |ty: &str, output: Value| -> Vec<String> {
            let shown = as_shown(ty, object(output.clone()));
            assert_eq!(as_referred(ty, shown.clone()), object(output));
            shown.marked_paths(Marks::SENSITIVE).iter().map(ToString::to_string).collect()
        };
        let answer = given.clone().unmarked_deep();
        assert_eq!(paths("terraform_data", answer.clone()), ["input.b", "output.b"]);
        assert_eq!(paths("terraform_data", Value::unknown(Type::Dynamic)), ["input.b"]);
        assert_eq!(paths("terraform_data", Value::null(Type::Dynamic)), ["input.b"]);
        assert_eq!(paths("fake_thing", answer), ["input.b"]);
    }
}
