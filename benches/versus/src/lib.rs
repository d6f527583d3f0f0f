//! How `mta-sts` compares with other crates, with hand-written code and with itself.

#[path = "../../floor.rs"]
mod floor;
#[path = "../../inputs.rs"]
mod inputs;

pub mod contest;
pub mod discovery;
pub mod domains;
pub mod goals;
pub mod hostile;
pub mod scenarios;
pub mod spread;
