//! Encodings.

use std::io::Write;

use base64::{Engine, prelude::BASE64_STANDARD};
use lakeform_core::{Type, Value};

use super::{Context, Fault, Function, Returns, any, csv, function, go::quote, json, string::string, text, yaml};
use crate::syntax::text_value;

pub(super) const TABLE: &[Function] = &[
    function("base64decode", &[text("str")], Returns::String, base64_decode),
    function("base64encode", &[text("str")], Returns::String, |_, args| {
        Ok(BASE64_STANDARD.encode(string(args, 0)).into())
    }),
    function("base64gzip", &[text("str")], Returns::String, base64_gzip),
    function("csvdecode", &[text("str")], Returns::Any, |_, args| csv::decode(string(args, 0))),
    function("jsondecode", &[text("str")], Returns::By(json_type), json_decode).null(),
    function("jsonencode", &[any("val").nullable().unknown()], Returns::String, json_encode),
    function("textdecodebase64", &[text("source"), text("encoding")], Returns::String, text_decode),
    function("textencodebase64", &[text("string"), text("encoding")], Returns::String, text_encode),
    function("urlencode", &[text("str")], Returns::String, |_, args| Ok(url_encode(string(args, 0)).into())),
    function("yamldecode", &[text("src")], Returns::Any, |_, args| yaml::decode(string(args, 0))),
    function("yamlencode", &[any("value").nullable().deep()], Returns::String, |_, args| {
        Ok(text_value(&yaml::encode(&args[0])))
    })
    .null(),
];

fn decode(text: &str) -> Result<Vec<u8>, Fault> {
    let plain = text.replace(['\r', '\n'], "");
    BASE64_STANDARD.decode(plain).map_err(|_| Fault::from(format!("failed to decode base64 data {}", quote(text))))
}

fn base64_decode(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let bytes = decode(string(args, 0))?;
    String::from_utf8(bytes)
        .map(|s| text_value(&s))
        .map_err(|_| Fault::from("the result of decoding the provided string is not valid UTF-8"))
}

fn base64_gzip(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let zipped = encoder.write_all(string(args, 0).as_bytes()).and_then(|()| encoder.finish());
    Ok(BASE64_STANDARD.encode(zipped.map_err(|e| Fault::from(e.to_string()))?).into())
}

/// The type of what a text decodes to, which its first character can tell.
fn json_type(args: &[Value]) -> Result<Type, Fault> {
    Ok(match args[0].prefix().trim_start().chars().next() {
        Some('"') => Type::String,
        Some('t' | 'f') => Type::Bool,
        Some('-' | '+' | '.' | '0'..='9') => Type::Number,
        Some('{' | '[' | 'n') | None => Type::Dynamic,
        Some(c) => return Err(Fault::arg(0, format!("a JSON document cannot begin with the character {c:?}"))),
    })
}

/// Of what is not all known, the first character tells the type.
fn json_encode(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let value = &args[0];
    if value.is_wholly_known() {
        return Ok(text_value(&json::encode(value)));
    }
    let first = match value.ty() {
        _ if value.may_be_null() => "",
        Type::String => "\"",
        Type::List(_) | Type::Set(_) | Type::Tuple(_) => "[",
        Type::Map(_) | Type::Object(_) => "{",
        _ => "",
    };
    Ok(Value::unknown(Type::String).with_prefix(first))
}

fn json_decode(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let json: serde_json::Value = serde_json::from_str(string(args, 0)).map_err(|e| match e.classify() {
        serde_json::error::Category::Eof => Fault::from("EOF"),
        _ if e.to_string().starts_with("trailing characters") => Fault::from("extraneous data after JSON object"),
        _ => Fault::from(e.to_string()),
    })?;
    Ok(lakeform_core::json::from_plain_json(&json))
}

/// Go's `url.QueryEscape`.
fn url_encode(text: &str) -> String {
    const KEPT: percent_encoding::AsciiSet =
        percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b' ');
    percent_encoding::utf8_percent_encode(text, &KEPT).to_string().replace(' ', "+")
}

/// The character encodings that can be named: IANA names of the common ones.
enum Charset {
    Utf8,
    Utf16 { big: bool, mark: bool },
    Latin1,
    Ascii,
}

fn charset(args: &[Value], index: usize) -> Result<Charset, Fault> {
    let name = string(args, index);
    Ok(match name.to_ascii_uppercase().as_str() {
        "UTF-8" | "UTF8" => Charset::Utf8,
        "UTF-16LE" => Charset::Utf16 { big: false, mark: false },
        "UTF-16BE" => Charset::Utf16 { big: true, mark: false },
        "UTF-16" => Charset::Utf16 { big: true, mark: true },
        "ISO-8859-1" | "ISO_8859-1" | "LATIN1" | "L1" => Charset::Latin1,
        "US-ASCII" | "ASCII" => Charset::Ascii,
        _ => {
            let why = format!(
                "{name:?} is not a supported IANA encoding name or alias; UTF-8, UTF-16, UTF-16LE, UTF-16BE, ISO-8859-1 and US-ASCII are"
            );
            return Err(Fault::arg(index, why));
        }
    })
}

fn text_encode(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let text = string(args, 0);
    let cannot = |c: char| {
        Fault::arg(
            0,
            format!("the given string contains the character {c:?}, which the encoding {:?} lacks", string(args, 1)),
        )
    };
    let single = |limit: u32| -> Result<Vec<u8>, Fault> {
        text.chars()
            .map(|c| u8::try_from(c as u32).ok().filter(|b| u32::from(*b) < limit).ok_or_else(|| cannot(c)))
            .collect()
    };
    let bytes: Vec<u8> = match charset(args, 1)? {
        Charset::Utf8 => text.as_bytes().to_vec(),
        Charset::Latin1 => single(256)?,
        Charset::Ascii => single(128)?,
        Charset::Utf16 { big, mark } => mark
            .then_some(0xfeff)
            .into_iter()
            .chain(text.encode_utf16())
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect(),
    };
    Ok(BASE64_STANDARD.encode(bytes).into())
}

fn text_decode(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let bytes = BASE64_STANDARD.decode(string(args, 0)).map_err(|e| {
        Fault::arg(
            0,
            match e {
                base64::DecodeError::InvalidByte(at, byte) => {
                    format!("the given value is has an invalid base64 symbol at offset {at}: {:?}", char::from(byte))
                }
                other => format!("invalid source string: {other}"),
            },
        )
    })?;
    let broken = || Fault::arg(0, format!("the given string is not valid {}", string(args, 1)));
    let text = match charset(args, 1)? {
        Charset::Utf8 => String::from_utf8(bytes).map_err(|_| broken())?,
        Charset::Ascii if bytes.iter().any(|b| *b > 127) => return Err(broken()),
        Charset::Latin1 | Charset::Ascii => bytes.iter().map(|b| char::from(*b)).collect(),
        Charset::Utf16 { mut big, mark } => {
            let mut units: Vec<[u8; 2]> = bytes.chunks_exact(2).map(|c| [c[0], c[1]]).collect();
            if mark && let Some(first) = units.first() {
                match first {
                    [0xff, 0xfe] => {
                        big = false;
                        units.remove(0);
                    }
                    [0xfe, 0xff] => drop(units.remove(0)),
                    _ => {}
                }
            }
            let units: Vec<u16> =
                units.into_iter().map(|u| if big { u16::from_be_bytes(u) } else { u16::from_le_bytes(u) }).collect();
            String::from_utf16(&units).map_err(|_| broken())?
        }
    };
    Ok(text_value(&text))
}
