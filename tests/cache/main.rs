//! The policy cache, row by row of what RFC 8461 demands and case by case from the field.

mod alerts;
mod bounds;
mod cases;
mod clock;
#[cfg(feature = "serde")]
mod damage;
mod dates;
mod discovery;
mod entry;
mod events;
mod evicted;
mod explain;
mod explain_histories;
mod flood;
mod herd;
mod operator;
mod override_list;
mod persistence;
mod pressure;
mod recheck;
mod restart;
mod retry_after;
mod room;
mod rows;
mod seniority;
mod steps;
mod sweep;
mod table;
mod waiting;
mod world;
