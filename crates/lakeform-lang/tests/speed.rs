//! How fast a large stack loads. Run with `cargo test --release -p lakeform-lang --test speed -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]

use std::{fmt::Write, time::Instant};

use lakeform_lang::load_str;

#[test]
#[ignore = "a measurement; debug builds are slow"]
fn ten_thousand_resources_load_in_a_quarter_of_a_second() {
    let mut text = "[variable.env]\ndefault = \"dev\"\n[locals]\nprefix = \"dw-${var.env}\"\n".to_owned();
    for i in 0..5_000 {
        let _ = write!(
            text,
            "\n[resource.aws_s3_bucket.b{i}]\nbucket = \"${{local.prefix}}-b{i}\"\nforce_destroy = true\ntags = {{ Name = \"bucket {i}\", Env = \"${{var.env}}\" }}\npolicy = '''${{jsonencode({{ a = aws_kms_key.k{i}.arn }})}}'''\n\n[resource.aws_kms_key.k{i}]\ndescription = \"key {i}\"\ndeletion_window_in_days = 7\n",
        );
    }
    let mut best = u128::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        let (stack, _) = load_str("big.toml", &text).expect("a sound stack");
        let took = start.elapsed();
        println!("{} resources, {} kB: {took:?}", stack.root.resources.len(), text.len() / 1024);
        best = best.min(took.as_millis());
    }
    assert!(cfg!(debug_assertions) || best < 250, "10,000 blocks took {best} ms");
}
