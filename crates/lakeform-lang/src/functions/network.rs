//! IP address ranges.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use lakeform_core::{Number, Value};

use super::{
    Context, Fault, Function, Returns, function, number,
    numeric::{num, whole},
    string::{string, strings},
    text,
};

pub(super) const TABLE: &[Function] = &[
    function("cidrhost", &[text("prefix"), number("hostnum")], Returns::String, host),
    function("cidrnetmask", &[text("prefix")], Returns::String, netmask),
    function("cidrsubnet", &[text("prefix"), number("newbits"), number("netnum")], Returns::String, subnet),
    function("cidrsubnets", &[text("prefix")], Returns::ListOfString, subnets).rest(number("newbits")),
];

/// An address range; numbers of IPv4 addresses may have leading zeros, which mean nothing (Terraform's rule).
fn prefix(args: &[Value]) -> Result<IpNet, Fault> {
    let text = string(args, 0);
    let plain = match text.split_once('/') {
        Some((address, bits)) if !address.contains(':') => {
            let parts: Vec<&str> = address
                .split('.')
                .map(|p| match p.trim_start_matches('0') {
                    "" if !p.is_empty() => "0",
                    p => p,
                })
                .collect();
            format!("{}/{bits}", parts.join("."))
        }
        _ => text.to_owned(),
    };
    plain.parse().map_err(|_| format!("invalid CIDR expression: invalid CIDR address: {text}").into())
}

fn to_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(a) => u128::from(a.to_bits()),
        IpAddr::V6(a) => a.to_bits(),
    }
}

fn from_bits(bits: u128, like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => Ipv4Addr::from_bits(bits as u32).into(),
        IpAddr::V6(_) => Ipv6Addr::from_bits(bits).into(),
    }
}

/// Two to the power of `bits`, where that can be written.
fn size(bits: u8) -> Option<u128> {
    1_u128.checked_shl(u32::from(bits))
}

/// A number of subnet or host as the place of a bit string; `None` where it does not fit.
fn place(number: &Number, bits: u8) -> Option<u128> {
    let text = number.to_string();
    match text.strip_prefix('-') {
        // The last one is number -1.
        Some(back) => {
            let back: u128 = back.parse().ok()?;
            match size(bits) {
                Some(total) => total.checked_sub(back),
                None => Some(0_u128.wrapping_sub(back)),
            }
        }
        None => {
            let at: u128 = text.parse().ok()?;
            size(bits).is_none_or(|total| at < total).then_some(at)
        }
    }
}

fn host(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let net = prefix(args)?;
    let n = num(args, 1)?;
    if !n.is_whole() {
        return Err(Fault::arg(1, "value must be a whole number"));
    }
    let free = net.max_prefix_len() - net.prefix_len();
    let at = place(n, free)
        .ok_or_else(|| format!("prefix of {} does not accommodate a host numbered {n}", net.prefix_len()))?;
    Ok(from_bits(to_bits(net.network()).wrapping_add(at), net.addr()).to_string().into())
}

fn netmask(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    match prefix(args)? {
        IpNet::V4(net) => Ok(net.netmask().to_string().into()),
        IpNet::V6(_) => Err(format!("IPv6 addresses cannot have a netmask: {}", string(args, 0)).into()),
    }
}

fn subnet(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let net = prefix(args)?;
    let new = whole(args, 1)?;
    let n = num(args, 2)?;
    if !n.is_whole() {
        return Err(Fault::arg(2, "value must be a whole number"));
    }
    if n.signum() < 0 {
        return Err(Fault::arg(2, "must not be negative"));
    }
    let length = extended(&net, new)
        .ok_or_else(|| format!("insufficient address space to extend prefix of {} by {new}", net.prefix_len()))?;
    let beyond = || format!("prefix extension of {new} does not accommodate a subnet numbered {n}");
    // A prefix that gets shorter takes any number that leaves an address, as in Terraform.
    let at = place(n, length.checked_sub(net.prefix_len()).unwrap_or(length)).ok_or_else(beyond)?;
    let shifted = at.checked_shl(u32::from(net.max_prefix_len() - length)).unwrap_or(0);
    Ok(show(from_bits(to_bits(net.network()) | shifted, net.addr()), length).into())
}

fn extended(net: &IpNet, bits: i64) -> Option<u8> {
    let length = u8::try_from(i64::from(net.prefix_len()).checked_add(bits)?).ok()?;
    (length <= net.max_prefix_len()).then_some(length)
}

fn show(address: IpAddr, length: u8) -> String {
    format!("{address}/{length}")
}

fn subnets(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let net = prefix(args)?;
    let start = to_bits(net.network());
    let mut out = Vec::new();
    // How far the range is used up; `None` once it reaches the end of all addresses.
    let mut used = Some(0_u128);
    for index in 1..args.len() {
        let bits = whole(args, index)?;
        if bits < 1 {
            return Err(Fault::arg(index, "must extend prefix by at least one bit"));
        }
        if bits > 32 && matches!(net, IpNet::V4(_)) || bits > 128 {
            return Err(Fault::arg(index, "may not extend prefix by more than 32 bits"));
        }
        let length = extended(&net, bits).ok_or_else(|| {
            Fault::arg(
                index,
                format!(
                    "would extend prefix to {} bits, which is too long for an {} address",
                    i64::from(net.prefix_len()) + bits,
                    if matches!(net, IpNet::V4(_)) { "IPv4" } else { "IPv6" }
                ),
            )
        })?;
        if start == 0 && index == 1 {
            // Terraform looks for the range after the one before this, and there is none before the first address.
            let last = show(from_bits(u128::MAX << (net.max_prefix_len() - length), net.addr()), length);
            let why =
                format!("not enough remaining address space for a subnet with a prefix of {length} bits after {last}");
            return Err(Fault::arg(index, why));
        }
        let free = net.max_prefix_len() - length;
        let step = size(free);
        let total = size(net.max_prefix_len() - net.prefix_len());
        // Round up to where a range of this size may begin.
        let at = match (used, step) {
            (Some(used), Some(step)) => used.checked_next_multiple_of(step),
            (Some(0), None) => Some(0),
            _ => None,
        };
        let at = at.filter(|at| match (total, step) {
            (Some(total), Some(step)) => at.checked_add(step).is_some_and(|end| end <= total),
            (None, Some(step)) => at.checked_add(step - 1).is_some(),
            (_, None) => true,
        });
        let at = at.ok_or_else(|| {
            let last = out.last().cloned().unwrap_or_else(|| show(net.network(), net.prefix_len()));
            Fault::arg(
                index,
                format!("not enough remaining address space for a subnet with a prefix of {length} bits after {last}"),
            )
        })?;
        out.push(show(from_bits(start.wrapping_add(at), net.addr()), length));
        used = step.and_then(|step| at.checked_add(step));
    }
    Ok(strings(out))
}
