//! The conformance suite: its vectors, its runner and its judge.

#![allow(clippy::disallowed_methods, reason = "pipes to another program need threads")]

#[path = "../../examples/conformance/answer.rs"]
mod answer;
#[cfg(feature = "verify")]
#[path = "../../examples/conformance/certificate.rs"]
mod certificate;
#[path = "../../examples/conformance/delivery.rs"]
mod delivery;
#[path = "../../examples/conformance/judge/mod.rs"]
mod judge;
#[path = "../../examples/conformance/options.rs"]
mod options;
#[path = "../../examples/conformance/question.rs"]
mod question;
#[path = "../../examples/conformance/runner.rs"]
mod runner;
#[path = "../../examples/conformance/scenario.rs"]
mod scenario;

mod arguments;
#[cfg(feature = "verify")]
mod certificates;
#[cfg(unix)]
mod contest;
mod deliveries;
mod faults;
mod malformed;
mod matrix;
mod reading;
mod scenarios;
mod schemas;
mod table;
