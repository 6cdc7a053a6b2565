//! `lakeform fmt`: the layout of a document. Every token stays; only the white space between them changes.

mod layout;
mod token;

use std::sync::Arc;

use lakeform_core::{Diagnostics, Source};

use crate::load::toml_problems;

/// A document in lakeform's one layout: one blank line before each header and at most one anywhere else, one space around
/// `=`, nothing at the ends of lines; arrays and inline tables stay on one line or get two spaces of indentation for each
/// level. Comments stay, and formatting twice changes nothing.
///
/// # Errors
/// When it is no TOML.
pub fn format(text: &str) -> Result<String, Diagnostics> {
    let source = Arc::new(Source { path: "<document>".into(), text: text.to_owned() });
    let problems = toml_problems(&source);
    if problems.has_errors() {
        return Err(problems);
    }
    Ok(layout::lay_out(&token::tokens(text)))
}

#[cfg(test)]
mod tests {
    use super::format;

    #[test]
    fn a_document_is_laid_out() {
        let text = r#"

# The lake.
[ stack ]
name="lake"   # its name
extends = [ "a.toml","b.toml" , ]



[resource . aws_s3_bucket."raw"]
bucket   =    "b"
tags={a="1",b = { c=2 }}


# before a key
rules = [
  {id="x", days=1},   # first

      {id="y"}
  # last
]
text = """
  kept   as it
is   """
a . b = 1
empty = [ ]
none = { }
[[provider.aws]]
alias = 'x'
"#;
        let formatted = format(text).unwrap();
        insta::assert_snapshot!(formatted, @r#"
        # The lake.
        [stack]
        name = "lake" # its name
        extends = ["a.toml", "b.toml"]

        [resource.aws_s3_bucket."raw"]
        bucket = "b"
        tags = { a = "1", b = { c = 2 } }

        # before a key
        rules = [
          { id = "x", days = 1 }, # first

          { id = "y" },
          # last
        ]
        text = """
          kept   as it
        is   """
        a.b = 1
        empty = []
        none = {}

        [[provider.aws]]
        alias = 'x'
        "#);
        assert_eq!(format(&formatted).unwrap(), formatted);
    }

    #[test]
    fn nested_arrays_and_comments_in_odd_places() {
        let text = "a = [ # open\n1 # one\n, 2, [3,\n4] ]\nb = [[\"x\"],\n[]]\n";
        let formatted = format(text).unwrap();
        insta::assert_snapshot!(formatted, @r#"
        a = [ # open
          1, # one
          2, [
            3,
            4,
          ],
        ]
        b = [
          ["x"],
          [],
        ]
        "#);
        assert_eq!(format(&formatted).unwrap(), formatted);
    }

    #[test]
    fn a_value_below_its_key_comes_up_to_it() {
        let text = "tags = { a =\n\n\"x\", b = # why\n2 }\n";
        let once = format(text).unwrap();
        assert_eq!(once, "tags = {\n  a = \"x\", b = # why\n    2\n}\n");
        assert_eq!(format(&once).unwrap(), once);
    }

    /// The TOML parser lets some of them through.
    #[test]
    fn control_characters_do_not_stop_it() {
        for text in ["a =3_b\u{b}\n", "a =3_b\0\0\u{c}\u{85}\u{2028}1\n", "a =3_b\0\0\t\0\0 \n"] {
            assert!(format(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_toml_is_refused() {
        assert!(format("a = ").is_err());
        assert_eq!(format("").unwrap(), "");
        assert_eq!(format("\n# only\n\n").unwrap(), "# only\n");
    }
}
