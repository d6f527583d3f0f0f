//! A store in a redb file. Saved changes are durable and consistent after a crash at any moment.

mod backend;
mod copy;
mod fault;
mod file;
mod print;
mod rows;
mod store;

pub use self::store::Redb;
