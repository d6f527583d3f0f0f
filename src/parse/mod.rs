//! The grammars, one nom function per ABNF rule and named like it.
//!
//! This is the only module that uses nom. Lexical rules are nom parsers over bytes whose error has
//! no content; [`fault::expect`] converts such an error to a [`Fault`] with its kind and place.
//! Semantics, such as which duplicate counts and which fields are required, are not decided here.

mod bytes;
mod fault;
pub(crate) mod http_date;
mod lexical;
pub(crate) mod media_type;
pub(crate) mod name;
pub(crate) mod policy;
pub(crate) mod record;

pub(crate) use self::{
    fault::{Fault, offset},
    lexical::{ext_name, is_all},
};
