//! What a resource type sees and may change while its instance is planned.

use lakeform_core::{Path, Schema, Type, Value};

use crate::Field;

/// One instance being planned: the configuration, the object as it is, and the object as it shall be.
#[derive(Debug)]
pub struct Change<'a> {
    /// The schema of the type.
    pub schema: &'a Schema,
    /// What the stack says; may hold unknown values. Unset attributes are null.
    pub config: &'a Value,
    /// The object as last read; `None` while creating.
    pub prior: Option<&'a Value>,
    /// The object as it shall be: configuration, kept computed values, unknown where only the API knows.
    pub planned: Value,
    /// Attributes whose change replaces the object.
    pub replace: Vec<Path>,
}

impl Change<'_> {
    /// Whether there is no object yet.
    pub fn is_create(&self) -> bool {
        self.prior.is_none()
    }

    /// The planned value of an attribute.
    pub fn planned(&self, name: &str) -> Option<&Value> {
        self.planned.get(name)
    }

    /// Whether the planned value of an attribute differs from the prior one (an unknown value differs).
    pub fn changes(&self, name: &str) -> bool {
        match self.prior.and_then(|p| p.get(name)) {
            Some(before) => self.planned.get(name) != Some(before),
            None => true,
        }
    }

    /// Whether anything differs from the prior object.
    pub fn changes_anything(&self) -> bool {
        self.prior != Some(&self.planned)
    }

    /// Sets the planned value of an attribute.
    pub fn set(&mut self, name: &str, value: Value) {
        self.planned.set_attr(name, value);
    }

    /// Leaves an attribute to the API: known after apply.
    pub fn set_unknown(&mut self, name: &str) {
        let ty = self.planned.get(name).map_or(Type::Dynamic, Value::ty);
        self.planned.set_attr(name, Value::unknown(ty));
    }

    /// Plans a number with the 64 bits that an API keeps of it.
    pub fn round(&mut self, name: &str) {
        if let Some(planned) = self.planned.get(name)
            && let Some(number) = planned.as_number()
        {
            let rounded = number.to_f64().into_value().with_marks(planned.marks());
            self.planned.set_attr(name, rounded);
        }
    }

    /// Asks for a replacement because of an attribute.
    pub fn replace_for(&mut self, name: &str) {
        let path = Path::attr(name);
        if !self.replace.contains(&path) {
            self.replace.push(path);
        }
    }

    /// Takes back a replacement that an attribute's `force_new` asked for.
    pub fn keep_despite(&mut self, name: &str) {
        let path = Path::attr(name);
        self.replace.retain(|p| !p.starts_with(&path));
    }
}
