//! Documents that say what cannot be.

use super::{refused, table};
use crate::support::cli::Folder;

#[test]
fn documents() {
    table(&[
        ("toml_syntax", "[resource.fake_thing.a\nname = 'a'\n"),
        ("toml_unclosed_string", "[resource.fake_thing.a]\nname = \"a\n"),
        ("toml_duplicate_key", "[resource.fake_thing.a]\nname = 'a'\nname = 'b'\n"),
        ("duplicate_resource", "[resource.fake_thing.a]\nname = 'a'\n[resource.fake_thing.a]\nname = 'b'\n"),
        ("unknown_block", "[resorce.fake_thing.a]\nname = 'a'\n"),
        ("unknown_resource_type", "[resource.aws_s3_bukket.a]\nbucket = 'a'\n"),
        ("unknown_data_source", "[data.aws_caller_identiti.me]\n"),
        ("unknown_attribute", "[resource.aws_s3_bucket.a]\nbuket = 'a'\n"),
        (
            "unknown_attribute_in_a_block",
            "[resource.aws_s3_bucket_versioning.a]\nbucket = 'a'\nversioning_configuration = { state = 'Enabled' }\n",
        ),
        (
            "missing_argument",
            "[resource.aws_s3_bucket_versioning.a]\nversioning_configuration = { status = 'Enabled' }\n",
        ),
        ("missing_block", "[resource.aws_s3_bucket_versioning.a]\nbucket = 'a'\n"),
        ("computed_attribute_set", "[resource.aws_s3_bucket.a]\nbucket = 'a'\narn = 'arn:aws:s3:::a'\n"),
        ("wrong_type_list_for_string", "[resource.aws_s3_bucket.a]\nbucket = ['a', 'b']\n"),
        ("wrong_type_text_for_number", "[resource.fake_thing.a]\nsize = 'large'\n"),
        ("wrong_type_text_for_bool", "[resource.aws_s3_bucket.a]\nforce_destroy = 'perhaps'\n"),
        (
            "too_many_blocks",
            "[resource.aws_s3_bucket_versioning.a]\nbucket = 'a'\nversioning_configuration = [{ status = 'Enabled' }, { status = \
             'Suspended' }]\n",
        ),
        ("moved_without_a_place", "[[moved]]\nfrom = 'fake_thing.a'\n"),
        ("moved_from_nonsense", "[[moved]]\nfrom = 'fake thing'\nto = 'fake_thing.a'\n"),
        ("moved_to_a_module", "[[moved]]\nfrom = 'fake_thing.a'\nto = 'module.m'\n"),
        ("moved_to_another_type", "[[moved]]\nfrom = 'fake_thing.a'\nto = 'fake_bucket.a'\n"),
        ("moved_and_still_there", "[resource.fake_thing.a]\n[[moved]]\nfrom = 'fake_thing.a'\nto = 'fake_thing.b'\n"),
        (
            "moved_in_a_circle",
            "[[moved]]\nfrom = 'fake_thing.a'\nto = 'fake_thing.b'\n[[moved]]\nfrom = 'fake_thing.b'\nto = 'fake_thing.a'\n",
        ),
        ("removed_with_a_key", "[[removed]]\nfrom = 'fake_thing.a[0]'\n"),
        ("removed_and_still_there", "[resource.fake_thing.a]\n[[removed]]\nfrom = 'fake_thing.a'\n"),
        ("import_of_data", "[[import]]\nto = 'data.fake_thing.a'\nid = 'x'\n"),
        ("import_without_id", "[resource.fake_thing.a]\n[[import]]\nto = 'fake_thing.a'\n"),
        ("import_without_a_resource", "[[import]]\nto = 'fake_thing.a'\nid = 'thing-1'\n"),
        (
            "import_of_what_is_unknown",
            "[resource.fake_thing.a]\n[resource.fake_thing.b]\n[[import]]\nto = 'fake_thing.a'\nid = '${fake_thing.b.id}'\n",
        ),
        ("ephemeral_in_a_resource", "[variable.k]\nephemeral = true\n[resource.fake_thing.a]\nname = '${var.k}'\n"),
        (
            "ephemeral_in_a_block",
            "[variable.k]\nephemeral = true\n[resource.fake_table.a]\nname = 'a'\ndatabase = 'd'\ncolumn = [{ name = 'x' }, { name = '${var.k}' }]\n",
        ),
        ("ephemeral_in_data", "[variable.k]\nephemeral = true\n[data.fake_lookup.a]\nname = '${var.k}'\n"),
        ("ephemeral_count", "[variable.k]\nephemeral = true\n[resource.fake_thing.a]\ncount = '${var.k}'\n"),
        (
            "ephemeral_for_each",
            "[variable.k]\nephemeral = true\n[resource.fake_thing.a]\nfor_each = '${toset([var.k])}'\n",
        ),
        ("ephemeral_output", "[variable.k]\nephemeral = true\n[output.o]\nvalue = '${var.k}'\n"),
        ("ephemeral_output_of_the_root", "[output.o]\nvalue = 'x'\nephemeral = true\n"),
        (
            "ephemeral_import",
            "[variable.k]\nephemeral = true\ndefault = 'x'\n[resource.fake_thing.a]\n[[import]]\nto = 'fake_thing.a'\nid = '${var.k}'\n",
        ),
        ("ephemeral_of_unknown_type", "[ephemeral.fake_tokens.t]\naudience = 'a'\n"),
        ("ephemeral_that_is_a_resource", "[ephemeral.fake_thing.t]\nname = 'a'\n"),
        (
            "ephemeral_with_a_life_cycle",
            "[ephemeral.fake_token.t]\naudience = 'a'\nlifecycle = { prevent_destroy = true }\n",
        ),
        ("ephemeral_undeclared", "[locals]\nx = '${ephemeral.fake_token.t.token}'\n"),
        ("moved_ephemeral", "[[moved]]\nfrom = 'ephemeral.fake_token.a'\nto = 'ephemeral.fake_token.b'\n"),
        (
            "import_with_the_provider_of_a_block",
            "[resource.fake_thing.a]\n[[import]]\nto = 'fake_thing.a'\nid = 'thing-1'\nprovider = 'fake'\n",
        ),
        ("count_and_for_each", "[resource.fake_thing.a]\ncount = 1\nfor_each = ['a']\n"),
        ("unknown_lifecycle_argument", "[resource.fake_thing.a]\nlifecycle = { prevent_destory = true }\n"),
        ("ignore_changes_of_nothing", "[resource.fake_thing.a]\nlifecycle = { ignore_changes = ['colour'] }\n"),
        ("depends_on_nothing", "[resource.fake_thing.a]\ndepends_on = ['fake_thing.b']\n"),
        ("depends_on_no_reference", "[resource.fake_thing.a]\ndepends_on = ['what is this']\n"),
        ("triggered_by_nothing", "[resource.fake_thing.a]\nlifecycle = { replace_triggered_by = ['fake_thing.b'] }\n"),
        ("unknown_provider", "[provider.azure]\nregion = 'x'\n"),
        ("unknown_provider_argument", "[provider.aws]\nregoin = 'eu-west-2'\n"),
        ("undeclared_alias", "[resource.fake_thing.a]\nprovider = 'fake.other'\n"),
        ("two_backends", "[backend.local]\npath = 'a'\n[backend.s3]\nbucket = 'b'\nkey = 'k'\nregion = 'eu-west-2'\n"),
        ("unknown_backend", "[backend.gcs]\nbucket = 'b'\n"),
        ("unknown_backend_argument", "[backend.s3]\nbuket = 'b'\nkey = 'k'\nregion = 'eu-west-2'\n"),
        ("unknown_stack_argument", "[stack]\nnam = 'x'\n"),
        ("required_version", "[stack]\nrequired_version = '>= 99.0'\n"),
        ("bad_variable_type", "[variable.a]\ntype = 'list(strin)'\n"),
        ("unknown_variable_argument", "[variable.a]\ndefualt = 1\n"),
        ("default_of_another_type", "[variable.a]\ntype = 'number'\ndefault = 'many'\n"),
        ("output_without_value", "[output.a]\ndescription = 'nothing'\n"),
        ("module_without_source", "[module.a]\nname = 'x'\n"),
        ("module_that_is_not_there", "[module.a]\nsource = './modules/nowhere'\n"),
        ("extends_nothing", "[stack]\nextends = ['base.toml']\n"),
        ("extends_itself", "[stack]\nextends = ['stack.toml']\n"),
        ("check_without_assert", "[check.a]\n"),
        (
            "check_with_an_unknown_key",
            "[check.a]\nasert = { condition = '${path.module != \"\"}', error_message = 'm' }\n",
        ),
        ("check_of_a_constant", "[check.a.assert]\ncondition = true\nerror_message = 'm'\n"),
        (
            "check_with_several_data_sources",
            "[check.a.assert]\ncondition = '${data.fake_pure.p.id == \"\"}'\nerror_message = 'm'\n[check.a.data.fake_pure.p]\ninput = \
             'p'\n[check.a.data.fake_lookup.q]\nname = 'q'\n",
        ),
        (
            "check_decides_for_its_data",
            "[check.a.assert]\ncondition = '${data.fake_pure.p.id == \"\"}'\nerror_message = 'm'\n[check.a.data.fake_pure.p]\ninput = \
             'p'\ncount = 2\nlifecycle = {}\n",
        ),
        (
            "check_data_of_another_name",
            "[data.fake_pure.p]\ninput = 'x'\n[check.a.assert]\ncondition = '${data.fake_pure.p.id == \"\"}'\nerror_message = \
             'm'\n[check.a.data.fake_pure.p]\ninput = 'p'\n",
        ),
        (
            "check_data_seen_from_outside",
            "[check.a.assert]\ncondition = '${data.fake_pure.p.id == \"\"}'\nerror_message = 'm'\n[check.a.data.fake_pure.p]\ninput = \
             'p'\n[check.b.assert]\ncondition = '${data.fake_pure.p.id == \"\"}'\nerror_message = 'm'\n[output.o]\nvalue = \
             '${data.fake_pure.p.id}'\n",
        ),
        (
            "several_wrong_checks_at_once",
            "[check.a.assert]\ncondition = '${var.nothing}'\nerror_message = 'm'\n[check.b]\nassert = [{ condition = '${path.module == 1 && self.x}', \
             error_message = ['m'] }]\ndata = { fake_pure = { p = { inputt = 'x' } } }\n",
        ),
        (
            "several_problems_at_once",
            "[resource.aws_s3_bucket.a]\nbuket = '${var.x}'\n[resource.nothing.a]\n[locals]\nx = '${nope(1)}'\n",
        ),
    ]);
}

#[test]
fn a_key_in_two_files_of_a_directory() {
    let folder = Folder::with("");
    folder.write("both/one.toml", "[locals]\na = 1\n");
    folder.write("both/two.toml", "[locals]\na = 2\n");
    refused("same_key_in_two_files", &folder, &["plan", "both"]);
}

#[test]
fn modules() {
    let folder = Folder::with("[module.m]\nsource = './m'\nname = 'x'\nsize = 2\n");
    folder.write("m/main.toml", "[variable.name]\n[output.o]\nvalue = '${var.name}'\n");
    refused("unknown_module_input", &folder, &["plan", "stack.toml"]);
    folder.write("stack.toml", "[module.m]\nsource = './m'\n");
    refused("missing_module_input", &folder, &["plan", "stack.toml"]);
    folder.write("stack.toml", "[module.m]\nsource = './m'\nname = 'x'\n[output.p]\nvalue = '${module.m.other}'\n");
    refused("unknown_module_output", &folder, &["plan", "stack.toml"]);
    folder.write("m/main.toml", "[variable.name]\n[module.again]\nsource = '../m'\nname = 'x'\n");
    refused("module_that_calls_itself", &folder, &["plan", "stack.toml"]);
}

#[test]
fn files() {
    let folder = Folder::with("");
    refused("no_such_stack", &folder, &["plan", "nowhere.toml"]);
    folder.write("latin1.toml", b"[locals]\nname = 'caf\xe9'\n");
    refused("not_utf8", &folder, &["plan", "latin1.toml"]);
    folder.write("empty/notes.txt", "nothing here");
    refused("directory_without_a_stack", &folder, &["plan", "empty"]);
    folder.write("stack.toml", "[resource.fake_thing.a]\nname = '${file(\"missing.txt\")}'\n");
    refused("file_that_is_not_there", &folder, &["plan", "stack.toml"]);
    folder.write("stack.toml", "[resource.fake_thing.a]\nname = '${templatefile(\"t.tpl\", {})}'\n");
    folder.write("t.tpl", "Hello ${nobody}\n");
    refused("template_with_an_unknown_name", &folder, &["plan", "stack.toml"]);
}
