//! A plan, as far as trials look at it.

use std::fmt;

use serde_json::Value as Json;

/// What would be done to one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedChange {
    /// The object.
    pub address: String,
    /// Terraform's names: `create`, `update`, `delete`; two of them for a replacement.
    pub actions: Vec<String>,
    /// The attributes and blocks that differ or are known after apply.
    pub changed: Vec<String>,
    /// The attributes and blocks that force the replacement.
    pub forced_by: Vec<String>,
}

/// What would be done. Objects that stay as they are, and data sources, are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanSummary {
    /// What would be done to each object.
    pub changes: Vec<PlannedChange>,
}

impl PlanSummary {
    /// Reads a plan in Terraform's JSON form (`show -json PLANFILE`).
    pub fn from_plan_json(plan: &Json) -> Self {
        let none = Vec::new();
        let changes = plan["resource_changes"].as_array().unwrap_or(&none).iter();
        Self { changes: changes.filter_map(PlannedChange::from_json).collect() }
    }

    /// Whether nothing would be done.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// What would be done to an object.
    pub fn of(&self, address: &str) -> Option<&PlannedChange> {
        self.changes.iter().find(|c| c.address == address)
    }
}

impl PlannedChange {
    fn from_json(json: &Json) -> Option<Self> {
        let change = &json["change"];
        let words = |v: &Json| -> Vec<String> {
            v.as_array().into_iter().flatten().filter_map(|w| w.as_str().map(str::to_owned)).collect()
        };
        let actions = words(&change["actions"]);
        if matches!(actions.iter().map(String::as_str).collect::<Vec<_>>()[..], [] | ["no-op"] | ["read"]) {
            return None;
        }
        let mut changed = Vec::new();
        for part in [&change["before"], &change["after"], &change["after_unknown"]] {
            for (name, _) in part.as_object().into_iter().flatten() {
                let unknown = holds_true(&change["after_unknown"][name]);
                if (unknown || change["before"][name] != change["after"][name]) && !changed.contains(name) {
                    changed.push(name.clone());
                }
            }
        }
        changed.sort();
        let mut forced_by: Vec<String> = change["replace_paths"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|path| path.as_array()?.first()?.as_str().map(str::to_owned))
            .collect();
        forced_by.sort();
        forced_by.dedup();
        Some(Self { address: json["address"].as_str()?.to_owned(), actions, changed, forced_by })
    }

    /// Whether an old object goes and a new one comes.
    pub fn is_replace(&self) -> bool {
        self.actions.iter().any(|a| a == "delete") && self.actions.iter().any(|a| a == "create")
    }

    /// Whether it is just this one action.
    pub fn is(&self, action: &str) -> bool {
        self.actions == [action]
    }
}

fn holds_true(json: &Json) -> bool {
    match json {
        Json::Bool(b) => *b,
        Json::Array(items) => items.iter().any(holds_true),
        Json::Object(items) => items.values().any(holds_true),
        _ => false,
    }
}

impl fmt::Display for PlannedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.actions.join("/"), self.address)?;
        if !self.is("create") && !self.is("delete") {
            write!(f, " ({})", self.changed.join(", "))?;
        }
        if !self.forced_by.is_empty() {
            write!(f, " forced by {}", self.forced_by.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for PlanSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing");
        }
        f.write_str(&self.changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_plan_is_read_from_terraforms_json() {
        let change = |address: &str, change: Json| json!({ "address": address, "mode": "managed", "change": change });
        let plan = json!({ "resource_changes": [
            change("a.same", json!({ "actions": ["no-op"], "before": {"x": 1}, "after": {"x": 1}, "after_unknown": {} })),
            change("data.a.b", json!({ "actions": ["read"], "before": null, "after": {}, "after_unknown": {"id": true} })),
            change("a.new", json!({ "actions": ["create"], "before": null, "after": {"x": 1}, "after_unknown": {"id": true} })),
            change("a.changed", json!({
                "actions": ["update"],
                "before": {"x": 1, "y": 1, "l": [{"p": 1}]}, "after": {"x": 2, "y": 1, "l": [{}]},
                "after_unknown": {"l": [{"p": true}], "y": false},
            })),
            change("a.replaced", json!({
                "actions": ["delete", "create"], "before": {"x": 1}, "after": {"x": 2}, "after_unknown": {},
                "replace_paths": [["x"], ["l", 0, "p"]],
            })),
        ]});
        let summary = PlanSummary::from_plan_json(&plan);
        assert_eq!(
            summary.to_string(),
            "create a.new; update a.changed (l, x); delete/create a.replaced (x) forced by l, x"
        );
        assert!(summary.of("a.replaced").unwrap().is_replace() && summary.of("a.same").is_none());
        assert_eq!(PlanSummary::from_plan_json(&json!({})).to_string(), "nothing");
    }
}
