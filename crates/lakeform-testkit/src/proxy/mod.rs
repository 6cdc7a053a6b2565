//! A fault proxy in front of an emulator: it delays, fails, throttles, cuts off and counts calls by AWS operation.
//!
//! ```no_run
//! use lakeform_testkit::{emulator::{Emulator, Kind, environment_for}, proxy::{Proxy, Rule}};
//!
//! let emulator = Emulator::shared(Kind::Moto).expect("moto");
//! let proxy = Proxy::start(emulator.address()).expect("proxy");
//! proxy.add(Rule::on("s3:CreateBucket").throttled());
//! proxy.add(Rule::on("kms:*").skip(2).error(400, "AccessDeniedException"));
//! let env = environment_for(&proxy.url());
//! // run something with `env`, then:
//! assert_eq!(proxy.count("s3:GetBucket*"), 3);
//! ```

mod answer;
mod fresh;
mod log;
mod operation;
mod rule;
mod sampling;
mod server;
mod shelf;

#[cfg(test)]
mod tests;

pub use log::Exchange;
pub use operation::{Operation, Protocol, is_read};
pub use rule::Rule;
pub use server::Proxy;
