//! How many calls a plan makes for an object that nothing has happened to.

use crate::{emulator::Kind, proxy::Proxy};

use super::{Lakeform, Options, Row, State, row, without};

/// The calls that `tool` makes to refresh the resource of a row: those of a plan with it less those of one without it.
/// Sorted, as `service:Operation`. The emulator must hold nothing yet, and `tool` must talk to it through `proxy`.
///
/// # Errors
/// When the stack cannot be applied or planned.
pub async fn refresh_calls<L: Lakeform>(row: &Row, tool: &L, proxy: &Proxy, on: Kind) -> Result<Vec<String>, String> {
    for shelf in &row.shelf {
        proxy.shelve(&shelf.subresource, &shelf.absent);
    }
    let counted = count(row, tool, proxy).await;
    proxy.clear_shelves();
    counted.map_err(|e| format!("{} on {on} with {}: {e}", row.ty, tool.name()))
}

async fn count<L: Lakeform>(row: &Row, tool: &L, proxy: &Proxy) -> Result<Vec<String>, String> {
    let applied = tool.apply(&row.text(), &None, Options::default()).await;
    if !applied.errors.is_empty() {
        return Err(applied.errors.join("\n"));
    }
    let mut calls = planned(tool, &row.text(), &applied.state, proxy).await?;
    let rest = row::text(&row.without_subject(&row.stack));
    for call in planned(tool, &rest, &without(&applied.state, &row.ty), proxy).await? {
        if let Some(at) = calls.iter().position(|c| *c == call) {
            calls.remove(at);
        }
    }
    let gone = tool.apply(&row.text(), &applied.state, Options { destroy: true, ..Options::default() }).await;
    drop(gone);
    Ok(calls)
}

async fn planned<L: Lakeform>(tool: &L, stack: &str, state: &State, proxy: &Proxy) -> Result<Vec<String>, String> {
    proxy.forget();
    tool.plan(stack, state, Options::default()).await?;
    // Who one is, the provider asks once in a run: Terraform always, lakeform where something needs it.
    let own = "sts:GetCallerIdentity";
    let mut calls: Vec<_> = proxy.log().into_iter().map(|e| e.operation).filter(|name| name != own).collect();
    calls.sort();
    Ok(calls)
}
