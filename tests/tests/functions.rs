//! Functions whose code lakeform packs, from folder to emulator: what is uploaded, and when.

use lakeform_cli::Exit;
use lakeform_testkit::{
    emulator::{Emulator, Kind, environment_for},
    proxy::Proxy,
};

use crate::support::cli::Folder;

const STACK: &str = r#"
[provider.aws]
region = "eu-west-2"

[resource.aws_iam_role.it]
name = "packed"
assume_role_policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'

[resource.aws_lambda_function.it]
function_name = "packed"
role = "${aws_iam_role.it.arn}"
runtime = "python3.13"
handler = "main.handler"
source_dir = "src"
source_excludes = ["**/*.pyc"]
"#;

/// A folder with the stack and its code, and what stands between it and the emulator.
fn world() -> (Folder, Proxy) {
    let emulator = Emulator::shared(Kind::Moto).unwrap_or_else(|e| panic!("{e}"));
    let proxy = Proxy::start(emulator.address()).unwrap();
    let mut folder = Folder::with(STACK);
    folder.env = environment_for(&proxy.url());
    folder.write("src/main.py", "def handler(event, context):\n    return 1\n");
    folder.write("src/lib/more.py", "MORE = 1\n");
    (folder, proxy)
}

/// How often code was uploaded since this was last asked.
fn uploads(proxy: &Proxy) -> usize {
    let log = proxy.log();
    let code = |method: &str, path: &str| match method {
        "POST" => path.ends_with("/functions"),
        "PUT" => path.ends_with("/code"),
        _ => false,
    };
    let count = log.iter().filter(|e| code(&e.method, &e.path)).count();
    proxy.forget();
    count
}

fn planned(folder: &Folder) -> (Exit, String) {
    let ran = folder.run(&["plan", "stack.toml", "--detailed-exitcode"]);
    (ran.exit, ran.stdout + &ran.stderr)
}

#[test]
fn code_is_uploaded_when_it_changes_and_only_then() {
    let (folder, proxy) = world();
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    assert_eq!(uploads(&proxy), 1);

    // What was only touched, and what is left out, is no change.
    folder.write("src/lib/more.py", "MORE = 1\n");
    folder.write("src/lib/more.pyc", "compiled");
    assert_eq!(planned(&folder).0, Exit::Done, "{}", planned(&folder).1);
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    assert_eq!(uploads(&proxy), 0);

    // Neither is another way to the same folder for Lambda, although it is for the state.
    folder.write("stack.toml", STACK.replace("\"src\"", "\"./src\""));
    assert_eq!(planned(&folder).0, Exit::Changes);
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    assert_eq!(uploads(&proxy), 0);

    folder.write("src/lib/more.py", "MORE = 2\n");
    let (exit, told) = planned(&folder);
    assert_eq!(exit, Exit::Changes, "{told}");
    assert!(told.contains("source_code_hash") && told.contains("1 to change"), "{told}");
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    assert_eq!(uploads(&proxy), 1);
    assert_eq!(planned(&folder).0, Exit::Done, "{}", planned(&folder).1);

    // A plan is about the code that it saw.
    folder.write("src/main.py", "def handler(event, context):\n    return 2\n");
    folder.ok(&["plan", "stack.toml", "--out", "saved"]);
    folder.write("src/main.py", "def handler(event, context):\n    return 3\n");
    let told = folder.fails(&["apply", "saved"]);
    assert!(told.contains("turned out other than planned"), "{told}");
    assert_eq!(uploads(&proxy), 0);
    folder.ok(&["destroy", "stack.toml", "--auto-approve"]);
}

#[test]
fn code_that_is_not_there_fails_the_plan_with_its_path() {
    let (folder, proxy) = world();
    folder.write("stack.toml", STACK.replace("\"src\"", "\"nowhere\""));
    let (exit, told) = planned(&folder);
    assert!(exit == Exit::Failed && told.contains("nowhere cannot be read"), "{told}");
    let file = STACK.replace("source_dir = \"src\"\nsource_excludes = [\"**/*.pyc\"]", "filename = \"nowhere.zip\"");
    folder.write("stack.toml", &file);
    let (exit, told) = planned(&folder);
    assert!(exit == Exit::Failed && told.contains("nowhere.zip cannot be read"), "{told}");
    folder.write("stack.toml", STACK.replace("handler =", "filename = \"x.zip\"\nhandler ="));
    let (exit, told) = planned(&folder);
    assert!(exit == Exit::Failed && told.contains("filename and source_dir exclude each other"), "{told}");
    assert_eq!(uploads(&proxy), 0);
}

#[test]
fn an_archive_is_the_code_of_a_function() {
    let (folder, proxy) = world();
    let archive = r#"filename = "${data.archive_file.code.output_path}"
source_code_hash = "${data.archive_file.code.output_base64sha256}"

[data.archive_file.code]
type = "zip"
source_dir = "src"
excludes = ["**/*.pyc"]
output_path = "out/code.zip"
"#;
    let stack = STACK.replace("source_dir = \"src\"\nsource_excludes = [\"**/*.pyc\"]\n", archive);
    folder.write("stack.toml", stack.replace("\"packed\"", "\"archived\""));
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    assert_eq!(uploads(&proxy), 1);
    folder.write("src/main.pyc", "compiled");
    assert_eq!(planned(&folder).0, Exit::Done, "{}", planned(&folder).1);
    folder.write("src/main.py", "def handler(event, context):\n    return 2\n");
    assert_eq!(planned(&folder).0, Exit::Changes);
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    assert_eq!(uploads(&proxy), 1);
    folder.ok(&["destroy", "stack.toml", "--auto-approve"]);
}

#[test]
fn paths_start_where_the_stack_is() {
    let (folder, _proxy) = world();
    folder.write("sub/stack.toml", STACK.replace("\"src\"", "\"${path.module}/code\""));
    folder.write("sub/code/main.py", "def handler(event, context):\n    return 1\n");
    let told = folder.ok(&["plan", "sub/stack.toml", "--state", "none.tfstate"]);
    assert!(told.contains("2 to add"), "{told}");
}
