//! `lakeform schema`

use clap::Args;
use lakeform::core::{Mode, Schema};

use crate::{
    Exit,
    cx::Cx,
    failure::Failure,
    view::{schema, schema_json},
};

/// Show what a resource type, data source or ephemeral resource type takes and gives
///
/// Without a type, lists all of them. With --json, prints a JSON Schema: of one type, or of whole stacks for TOML editors.
#[derive(Args, Debug)]
pub(crate) struct SchemaArgs {
    /// `aws_s3_bucket`, `data.aws_region`, `ephemeral.aws_kms_secrets`, or `provider.aws`
    #[arg(value_name = "TYPE")]
    name: Option<String>,

    /// Print a JSON Schema
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(cx: &Cx, args: &SchemaArgs) -> Result<Exit, Failure> {
    let providers = cx.lakeform().providers();
    let text = match (&args.name, args.json) {
        (None, false) => schema::list(providers, cx.style),
        (None, true) => format!("{:#}\n", schema_json::stack(providers)),
        (Some(name), json) => {
            let (kind, name, found) = find(cx, name)?;
            if json {
                format!("{:#}\n", schema_json::one(name, &found.block))
            } else {
                schema::one(kind, name, found, cx.style)
            }
        }
    };
    cx.print(&text)?;
    Ok(Exit::Done)
}

/// `resource`, `data`, `ephemeral` or `provider`, the bare name, and the schema.
fn find<'a>(cx: &'a Cx, name: &'a str) -> Result<(&'static str, &'a str, &'a Schema), Failure> {
    use lakeform::lang::Schemas;
    let providers = cx.lakeform().providers();
    if let Some(name) = name.strip_prefix("provider.") {
        return match providers.provider(name) {
            Some(schema) => Ok(("provider", name, schema)),
            None => Err(unknown("provider", name, providers.providers())),
        };
    }
    let sections =
        [(Mode::Managed, "resource type"), (Mode::Data, "data source"), (Mode::Ephemeral, "ephemeral resource type")];
    let wanted = |mode: Mode| name.strip_prefix(mode.section()).and_then(|rest| rest.strip_prefix('.'));
    for (mode, what) in sections {
        if let Some(name) = wanted(mode) {
            return match Schemas::resource(providers, mode, name) {
                Some(schema) => Ok((mode.section(), name, schema)),
                None => Err(unknown(what, name, providers.names(mode))),
            };
        }
    }
    let found = sections.into_iter().find_map(|(mode, _)| Some((mode, Schemas::resource(providers, mode, name)?)));
    match found {
        Some((mode, schema)) => Ok((mode.section(), name, schema)),
        None => Err(unknown("resource type", name, providers.names(Mode::Managed))),
    }
}

fn unknown(what: &str, name: &str, known: Vec<&str>) -> Failure {
    let near = lakeform::nearest(name, known.into_iter());
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`lakeform schema` lists all types".to_owned(),
    };
    Failure::usage(format!("There is no {what} `{name}`"), help)
}
