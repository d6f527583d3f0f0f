//! What fuzzing and property tests hold the crate to: [`check`] compares it with [`reference`], a
//! second implementation, and with what its documentation promises.
//!
//! `tests/properties.rs` includes this file, so that all of it runs on stable Rust as well.

pub mod check;
pub mod reference;
