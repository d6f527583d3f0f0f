//! What the benches of `mta-sts` share: the inputs, and hand-written code that does the least.

pub mod floor;
pub mod inputs;
