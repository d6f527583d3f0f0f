//! The cache machine against a model of it: every short history, and long ones made at random.

mod exhaustive;
mod random;
mod towns;
