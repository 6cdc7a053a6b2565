//! What the state itself keeps of `[guard]`: the patterns that protect objects, so that they hold although the stack no
//! longer has them.

use crate::{RawJson, State};

/// The top-level field. Terraform does not know it, and drops it when it writes the state.
const FIELD: &str = "lakeform_protect";

impl State {
    /// The patterns of addresses whose objects are protected, as the last apply stored them.
    pub fn protected(&self) -> Vec<String> {
        let field = self.extra.iter().find(|(name, _)| name == FIELD);
        let patterns = field.and_then(|(_, json)| json.parse().ok()?.as_array().cloned()).unwrap_or_default();
        patterns.iter().filter_map(|p| p.as_str().map(str::to_owned)).collect()
    }

    /// Stores the patterns. Without any, a state is as Terraform writes it.
    pub fn set_protected(&mut self, patterns: &[String]) {
        if self.protected() == patterns {
            return;
        }
        self.extra.retain(|(name, _)| name != FIELD);
        if !patterns.is_empty() {
            self.extra.push((FIELD.to_owned(), RawJson::from(&patterns.into())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_survive_a_round_trip_and_are_part_of_the_content() {
        let mut state = State::new("l");
        state.set_protected(&[]);
        assert!(state.extra.is_empty());
        let patterns = ["aws_s3_bucket.*".to_owned(), "module.a[\"x\"]".to_owned()];
        state.set_protected(&patterns);
        assert!(!state.content_equals(&State::new("l")));
        let read = State::parse(state.to_bytes()).unwrap();
        assert_eq!(read.protected(), patterns);
        state.set_protected(&[]);
        assert!(state.content_equals(&State::new("l")));
    }
}
