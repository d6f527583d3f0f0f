//! What fuzzing and property tests hold the crate to: [`check`] compares it with [`reference`], a
//! second implementation, and with what its documentation promises; [`machine`] is the like for the
//! cache.
//!
//! The tests of this package run all of it on stable Rust, with inputs of their own. Without default
//! features they are the tests of the crate's core, which need nothing of the system but a main
//! function.

pub mod check;
pub mod machine;
pub mod reference;
