//! Changes one place of a stack.

use toml::{Table, Value};

/// A path leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` leads nowhere: {reason}")]
pub struct EditError {
    /// The path.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// One step of a path.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
}

/// Splits `rule[0].filter["a.b"].days`.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix("[\"") {
            let (key, more) = inner.split_once("\"]")?;
            steps.push(Step::Name(key.to_owned()));
            rest = more;
        } else if let Some(inner) = rest.strip_prefix('[') {
            let (index, more) = inner.split_once(']')?;
            steps.push(Step::Index(index.parse().ok()?));
            rest = more;
        } else {
            let name = rest.strip_prefix('.').unwrap_or(rest);
            let end = name.find(['.', '[']).unwrap_or(name.len());
            if end == 0 {
                return None;
            }
            steps.push(Step::Name(name[..end].to_owned()));
            rest = &name[end..];
        }
    }
    (!steps.is_empty()).then_some(steps)
}

/// Sets what is at a path of a resource, or takes it away. Tables on the way are made where they are missing; an index may
/// be one past the end of an array.
///
/// # Errors
/// When the path cannot be read or followed.
pub fn set(resource: &mut Table, path: &str, value: Option<&Value>) -> Result<(), EditError> {
    let fail = |reason: &str| EditError { path: path.to_owned(), reason: reason.to_owned() };
    let steps = steps(path).ok_or_else(|| fail("names, `[0]` and `[\"key\"]` are expected"))?;
    let Some((last, way)) = steps.split_last() else { return Err(fail("it is empty")) };
    let Some(Step::Name(first)) = steps.first() else { return Err(fail("a name must come first")) };
    let mut place: &mut Value = match (way.is_empty(), value) {
        (true, Some(value)) => {
            resource.insert(first.clone(), value.clone());
            return Ok(());
        }
        (true, None) => {
            return resource.remove(first).map(|_| ()).ok_or_else(|| fail("there is nothing to take away"));
        }
        (false, _) => resource.entry(first.clone()).or_insert_with(|| Value::Table(Table::new())),
    };
    for step in &way[1..] {
        place = match (step, place) {
            (Step::Name(name), Value::Table(table)) => {
                table.entry(name.clone()).or_insert_with(|| Value::Table(Table::new()))
            }
            (Step::Index(i), Value::Array(items)) => items.get_mut(*i).ok_or_else(|| fail("an array is too short"))?,
            (Step::Name(name), _) => return Err(fail(&format!("there is no table around `{name}`"))),
            (Step::Index(i), _) => return Err(fail(&format!("there is no array around [{i}]"))),
        };
    }
    match (last, place, value) {
        (Step::Name(name), Value::Table(table), Some(value)) => {
            table.insert(name.clone(), value.clone());
        }
        (Step::Name(name), Value::Table(table), None) => {
            table.remove(name).ok_or_else(|| fail("there is nothing to take away"))?;
        }
        (Step::Index(i), Value::Array(items), Some(value)) if *i < items.len() => items[*i] = value.clone(),
        (Step::Index(i), Value::Array(items), Some(value)) if *i == items.len() => items.push(value.clone()),
        (Step::Index(i), Value::Array(items), None) if *i < items.len() => {
            items.remove(*i);
        }
        (step, ..) => return Err(fail(&format!("{step:?} does not fit what is there"))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(path: &str, value: Option<&str>) -> Result<String, String> {
        let mut table: Table =
            toml::from_str("a = 1\ntags = { x = \"1\" }\nrule = [{ days = 1 }, { days = 2 }]\n").unwrap();
        let value = value.map(|text| toml::from_str::<Table>(&format!("v = {text}")).unwrap()["v"].clone());
        set(&mut table, path, value.as_ref()).map_err(|e| e.reason)?;
        Ok(Value::Table(table).to_string())
    }

    #[test]
    fn one_place_is_changed() {
        let a = r#"a = 1, "#;
        let rule = "rule = [{ days = 1 }, { days = 2 }], ";
        assert_eq!(edited("a", Some("2")).unwrap(), format!("{{ a = 2, {rule}tags = {{ x = \"1\" }} }}"));
        assert_eq!(edited("a", None).unwrap(), format!("{{ {rule}tags = {{ x = \"1\" }} }}"));
        let tags = r#"tags = { "a.b" = "2", x = "1" }"#;
        assert_eq!(edited("tags[\"a.b\"]", Some("\"2\"")).unwrap(), format!("{{ {a}{rule}{tags} }}"));
        assert!(edited("rule[1].days", Some("9")).unwrap().contains("rule = [{ days = 1 }, { days = 9 }]"));
        assert!(edited("rule[2]", Some("{ days = 3 }")).unwrap().contains("{ days = 2 }, { days = 3 }]"));
        assert!(edited("rule[0]", None).unwrap().contains("rule = [{ days = 2 }]"));
        assert!(edited("new.deep", Some("true")).unwrap().contains("new = { deep = true }"));
    }

    #[test]
    fn paths_that_lead_nowhere_are_refused() {
        assert_eq!(edited("b", None).unwrap_err(), "there is nothing to take away");
        assert_eq!(edited("rule[5].days", Some("1")).unwrap_err(), "an array is too short");
        assert_eq!(edited("a.b", Some("1")).unwrap_err(), "Name(\"b\") does not fit what is there");
        assert!(edited("a..b", Some("1")).is_err() && edited("", None).is_err() && edited("[0]", None).is_err());
    }
}
