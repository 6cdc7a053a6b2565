//! `[guard]`

use super::{
    block::Builder,
    item::{Item, ItemKind, Table},
};
use crate::{Expr, GuardBlock, guard::FreezeBlock};

impl Builder {
    /// Reads `[guard]` of a stack.
    pub fn guard(&mut self, table: &Table) -> Option<GuardBlock> {
        let field = table.get("guard")?;
        let table = self.table(&field.item, "`guard`")?;
        self.only(table, &["max_destroy", "max_replace", "protect", "freeze"], "`guard`");
        let freeze = table.get("freeze").map(|f| self.tables(&f.item, "`freeze`")).unwrap_or_default();
        Some(GuardBlock {
            max_destroy: self.part(table, "max_destroy"),
            max_replace: self.part(table, "max_replace"),
            protect: self.each(table, "protect"),
            freeze: freeze.into_iter().map(|(item, table)| self.freeze(item, table)).collect(),
            span: field.key_span(),
        })
    }

    fn freeze(&mut self, item: &Item, table: &Table) -> FreezeBlock {
        let before = self.problems.0.len();
        self.only(table, &["days", "from", "to", "timezone", "reason"], "`freeze`");
        FreezeBlock {
            misspelt: self.problems.0.len() > before,
            days: self.each(table, "days"),
            from: self.part(table, "from"),
            to: self.part(table, "to"),
            timezone: self.part(table, "timezone"),
            reason: self.part(table, "reason"),
            span: item.span(),
        }
    }

    fn part(&mut self, table: &Table, name: &str) -> Option<Expr> {
        Some(self.expr(&table.get(name)?.item))
    }

    /// The elements of an array, each with its place; or one expression.
    fn each(&mut self, table: &Table, name: &str) -> Vec<Expr> {
        match table.get(name).map(|f| &f.item) {
            None => Vec::new(),
            Some(Item { kind: ItemKind::Array(items), .. }) => items.iter().map(|i| self.expr(i)).collect(),
            Some(item) => vec![self.expr(item)],
        }
    }
}
