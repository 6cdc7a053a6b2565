//! `lakeform version`

use clap::Args;
use serde_json::json;

use crate::{Exit, cx::Cx, failure::Failure};

/// Show the version
#[derive(Args, Debug)]
pub(crate) struct VersionArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(cx: &Cx, args: &VersionArgs) -> Result<Exit, Failure> {
    let platform = format!("{}_{}", std::env::consts::OS, std::env::consts::ARCH);
    cx.print(&if args.json {
        let version = json!({
            "lakeform_version": lakeform::VERSION,
            "terraform_version": lakeform::state::TERRAFORM_VERSION,
            "platform": platform,
        });
        format!("{version:#}\n")
    } else {
        format!("lakeform v{}\non {platform}\n", lakeform::VERSION)
    })?;
    Ok(Exit::Done)
}
