//! What fuzzing and property tests hold the crate to: [`check`] compares it with [`reference`], a
//! second implementation, and with what its documentation promises; [`machine`] is the like for the
//! cache.
//!
//! `tests/properties.rs` includes this file, so that all of it runs on stable Rust as well.

pub mod check;
pub mod machine;
pub mod reference;
