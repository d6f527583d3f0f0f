//! A store in a redb file. Saved changes are durable and consistent after a crash at any moment.

mod backend;
mod copy;
mod fault;
mod file;
mod load;
mod print;
mod row;
mod save;
mod store;
mod tables;
mod text;

pub use self::store::Redb;
