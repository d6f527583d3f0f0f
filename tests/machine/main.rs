//! The cache machine against a model of it: every short history, and long ones made at random.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    reason = "here a panic is a finding, and `std` always there"
)]

#[path = "../../fuzz/src/machine/mod.rs"]
pub mod machine;

mod exhaustive;
mod random;
mod towns;
