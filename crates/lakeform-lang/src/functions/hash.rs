//! Hashes, passwords, identifiers.

use base64::{Engine, prelude::BASE64_STANDARD};
use lakeform_core::{Type, Value};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use uuid::Uuid;

use super::{
    Context, Fault, Function, Returns, filesystem::bytes, function, number, numeric::whole, rsa, string::string, text,
};

pub(super) const TABLE: &[Function] = &[
    function("base64sha256", &[text("str")], Returns::String, |_, args| {
        Ok(base64::<Sha256>(string(args, 0).as_bytes()))
    }),
    function("base64sha512", &[text("str")], Returns::String, |_, args| {
        Ok(base64::<Sha512>(string(args, 0).as_bytes()))
    }),
    function("bcrypt", &[text("str")], Returns::String, bcrypt).rest(number("cost")),
    function("filebase64sha256", &[text("path")], Returns::String, |c, args| Ok(base64::<Sha256>(&bytes(c, args)?))),
    function("filebase64sha512", &[text("path")], Returns::String, |c, args| Ok(base64::<Sha512>(&bytes(c, args)?))),
    function("filemd5", &[text("path")], Returns::String, |c, args| Ok(hex::<Md5>(&bytes(c, args)?))),
    function("filesha1", &[text("path")], Returns::String, |c, args| Ok(hex::<Sha1>(&bytes(c, args)?))),
    function("filesha256", &[text("path")], Returns::String, |c, args| Ok(hex::<Sha256>(&bytes(c, args)?))),
    function("filesha512", &[text("path")], Returns::String, |c, args| Ok(hex::<Sha512>(&bytes(c, args)?))),
    function("md5", &[text("str")], Returns::String, |_, args| Ok(hex::<Md5>(string(args, 0).as_bytes()))),
    function("rsadecrypt", &[text("ciphertext"), text("privatekey")], Returns::String, |_, args| {
        rsa::decrypt(string(args, 0), string(args, 1))
    }),
    function("sha1", &[text("str")], Returns::String, |_, args| Ok(hex::<Sha1>(string(args, 0).as_bytes()))),
    function("sha256", &[text("str")], Returns::String, |_, args| Ok(hex::<Sha256>(string(args, 0).as_bytes()))),
    function("sha512", &[text("str")], Returns::String, |_, args| Ok(hex::<Sha512>(string(args, 0).as_bytes()))),
    function("uuid", &[], Returns::String, |c, _| {
        Ok(if c.environment().now.is_none() { Value::unknown(Type::String) } else { Uuid::new_v4().to_string().into() })
    }),
    function("uuidv5", &[text("namespace"), text("name")], Returns::String, uuid_v5),
];

fn hex<D: Digest>(bytes: &[u8]) -> Value {
    D::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>().into()
}

fn base64<D: Digest>(bytes: &[u8]) -> Value {
    BASE64_STANDARD.encode(D::digest(bytes)).into()
}

fn bcrypt(context: &Context, args: &[Value]) -> Result<Value, Fault> {
    if args.len() > 2 {
        return Err("bcrypt() takes no more than two arguments".into());
    }
    let cost = if args.len() == 2 { whole(args, 1)? } else { 10 };
    let cost = u32::try_from(cost).ok().filter(|c| (4..=31).contains(c));
    let cost = cost.ok_or_else(|| Fault::from("the cost must be between 4 and 31"))?;
    if context.environment().now.is_none() {
        return Ok(Value::unknown(Type::String));
    }
    let hash = bcrypt::hash(string(args, 0), cost)
        .map_err(|e| Fault::from(format!("error occurred generating password {e}")))?;
    Ok(hash.into())
}

fn uuid_v5(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let namespace = match string(args, 0) {
        "dns" => Uuid::NAMESPACE_DNS,
        "url" => Uuid::NAMESPACE_URL,
        "oid" => Uuid::NAMESPACE_OID,
        "x500" => Uuid::NAMESPACE_X500,
        other => Uuid::parse_str(other).map_err(|_| {
            Fault::from(format!(
                "uuidv5() doesn't support namespace {other} ({other:?} is neither dns, url, oid or x500, nor a UUID)"
            ))
        })?,
    };
    Ok(Uuid::new_v5(&namespace, string(args, 1).as_bytes()).to_string().into())
}
