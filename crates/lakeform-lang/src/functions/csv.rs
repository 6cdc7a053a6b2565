//! `csvdecode`

use lakeform_core::{Type, Value};

use super::Fault;
use crate::syntax::text_value;

/// A list of objects, one for each row, with the attributes that the header row names.
pub(super) fn decode(text: &str) -> Result<Value, Fault> {
    if text.matches('"').count() % 2 == 1 {
        return Err("CSV parse error: extraneous or missing \" in quoted-field".into());
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut rows = reader.records();
    let failed = |e: &csv::Error| Fault::from(e.to_string());
    let header = match rows.next() {
        None => return Err("missing header line".into()),
        Some(row) => row.map_err(|e| failed(&e))?,
    };
    let names: Vec<&str> = header.iter().collect();
    for (i, name) in names.iter().enumerate() {
        if names[..i].contains(name) {
            return Err(format!("duplicate column name {name:?}").into());
        }
    }
    let ty = Type::object(names.iter().map(|n| (*n, Type::String)));
    let mut out = Vec::new();
    for (i, row) in rows.enumerate() {
        let row = row.map_err(|e| failed(&e))?;
        if row.len() != names.len() {
            return Err(format!("CSV parse error on line {}: wrong number of fields", i + 2).into());
        }
        out.push(Value::object(names.iter().copied().zip(row.iter().map(text_value))));
    }
    Ok(Value::list(ty, out))
}
