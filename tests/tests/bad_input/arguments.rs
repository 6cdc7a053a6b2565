//! Arguments that make no sense.

use super::refused;
use crate::support::cli::Folder;

const STACK: &str = "[variable.name]\ndefault = 'a'\n[resource.fake_thing.a]\nname = '${var.name}'\n";

#[test]
fn arguments() {
    let folder = Folder::with(STACK);
    let cases: &[(&str, &[&str])] = &[
        ("unknown_command", &["aply", "stack.toml"]),
        ("unknown_flag", &["plan", "stack.toml", "--auto-aprove"]),
        ("bad_address", &["plan", "stack.toml", "--target", "fake_thing"]),
        ("no_parallelism", &["plan", "stack.toml", "--parallelism=0"]),
        ("destroy_and_refresh_only", &["plan", "stack.toml", "--destroy", "--refresh-only"]),
        ("undeclared_var", &["plan", "stack.toml", "--var", "nam=x"]),
        ("var_without_value", &["plan", "stack.toml", "--var", "name"]),
        ("var_file_that_is_not_there", &["plan", "stack.toml", "--var-file", "prod.tfvars"]),
        ("nobody_to_approve", &["apply", "stack.toml"]),
        ("no_input", &["apply", "stack.toml", "--input=false"]),
        ("output_that_is_not_there", &["output", "stack.toml", "nothing"]),
        ("bad_duration", &["apply", "stack.toml", "--lock-timeout", "soon"]),
        ("unknown_schema", &["schema", "aws_s3_bukket"]),
        ("taint_of_nothing", &["taint", "stack.toml", "fake_thing.b"]),
        ("import_without_a_block", &["import", "stack.toml", "fake_thing.b", "thing-1"]),
        ("import_of_nothing", &["import", "stack.toml", "fake_thing.a", "thing-77"]),
    ];
    for (name, args) in cases {
        refused(name, &folder, args);
    }
    folder.write("null.tfvars", "name = null\n");
    folder.write("strict.toml", "[variable.name]\nnullable = false\n[output.name]\nvalue = '${var.name}'\n");
    refused("null_for_a_variable", &folder, &["plan", "strict.toml", "--var-file", "null.tfvars"]);
}
