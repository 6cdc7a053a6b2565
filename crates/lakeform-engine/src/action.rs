//! What a plan intends for one instance, and why.

/// What a plan intends for one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing to do.
    NoOp,
    /// Read a data source during apply.
    Read,
    /// Make it.
    Create,
    /// Change it in place.
    Update,
    /// Delete it, then make it anew.
    DeleteThenCreate,
    /// Make it anew, then delete the old one (`create_before_destroy`).
    CreateThenDelete,
    /// Delete it.
    Delete,
    /// Drop it from state only.
    Forget,
}

impl Action {
    /// The mark in front of the address in a plan.
    pub const fn glyph(self) -> &'static str {
        match self {
            Self::NoOp => " ",
            Self::Read => "<=",
            Self::Create => "+",
            Self::Update => "~",
            Self::DeleteThenCreate => "-/+",
            Self::CreateThenDelete => "+/-",
            Self::Delete => "-",
            Self::Forget => ".",
        }
    }

    /// The actions as Terraform's plan JSON names them.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::NoOp => &["no-op"],
            Self::Read => &["read"],
            Self::Create => &["create"],
            Self::Update => &["update"],
            Self::DeleteThenCreate => &["delete", "create"],
            Self::CreateThenDelete => &["create", "delete"],
            Self::Delete => &["delete"],
            Self::Forget => &["forget"],
        }
    }

    /// Whether an old object goes and a new one comes.
    pub const fn is_replace(self) -> bool {
        matches!(self, Self::DeleteThenCreate | Self::CreateThenDelete)
    }

    /// Whether an object is deleted.
    pub const fn deletes(self) -> bool {
        matches!(self, Self::DeleteThenCreate | Self::CreateThenDelete | Self::Delete)
    }

    /// Whether the cloud or the state is changed (reads and no-ops do not).
    pub const fn is_change(self) -> bool {
        !matches!(self, Self::NoOp | Self::Read)
    }
}

/// Why an action was chosen. Names follow Terraform's `action_reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// An attribute changed that cannot be changed in place.
    ReplaceBecauseCannotUpdate,
    /// A former create failed half way.
    ReplaceBecauseTainted,
    /// `--replace`
    ReplaceByRequest,
    /// `replace_triggered_by`
    ReplaceByTriggers,
    /// The resource block is gone.
    DeleteBecauseNoResourceConfig,
    /// It has moved to where the stack has no block.
    DeleteBecauseNoMoveTarget,
    /// The module call is gone.
    DeleteBecauseNoModule,
    /// The block has `count` or `for_each` now, or no longer.
    DeleteBecauseWrongRepetition,
    /// `count` is smaller now.
    DeleteBecauseCountIndex,
    /// The `for_each` key is gone.
    DeleteBecauseEachKey,
    /// `enabled` is false.
    DeleteBecauseDisabled,
    /// Arguments are known after apply.
    ReadBecauseConfigUnknown,
    /// Something it depends on changes.
    ReadBecauseDependencyPending,
    /// It belongs to a check block, which is looked at again during apply.
    ReadBecauseCheckNested,
}

impl Reason {
    /// The word in plan JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReplaceBecauseCannotUpdate => "replace_because_cannot_update",
            Self::ReplaceBecauseTainted => "replace_because_tainted",
            Self::ReplaceByRequest => "replace_by_request",
            Self::ReplaceByTriggers => "replace_by_triggers",
            Self::DeleteBecauseNoResourceConfig => "delete_because_no_resource_config",
            Self::DeleteBecauseNoMoveTarget => "delete_because_no_move_target",
            Self::DeleteBecauseNoModule => "delete_because_no_module",
            Self::DeleteBecauseWrongRepetition => "delete_because_wrong_repetition",
            Self::DeleteBecauseCountIndex => "delete_because_count_index",
            Self::DeleteBecauseEachKey => "delete_because_each_key",
            Self::DeleteBecauseDisabled => "delete_because_disabled",
            Self::ReadBecauseConfigUnknown => "read_because_config_unknown",
            Self::ReadBecauseDependencyPending => "read_because_dependency_pending",
            Self::ReadBecauseCheckNested => "read_because_check_nested",
        }
    }
}
