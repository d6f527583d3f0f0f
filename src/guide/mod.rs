//! A guide to embedding the crate in a mail server, for authors of mail transfer agents.
//!
//! | chapter | read it to |
//! | --- | --- |
//! | [`event_loop`] | drive the cache and a delivery from a loop of your own |
//! | [`tokio`] | use the client in a server over tokio |
//! | [`threads`] | use the client in a server with threads |
//! | [`delivery`] | know the inputs of a delivery |
//! | [`rules`] | find the file that implements a rule of the cache |
//! | [`timeouts`] | set the time-outs of cache, DNS, fetches and lanes |
//! | [`persistence`] | keep policies over a restart |
//! | [`operation`] | know what to log and what to alert on |
//! | [`testing`] | test a mail server with stand-ins for DNS and HTTPS |
//! | [`questions`] | understand the reasons for the design |

pub mod delivery;
pub mod event_loop;
pub mod operation;
pub mod persistence;
pub mod questions;
pub mod rules;
pub mod testing;
pub mod threads;
pub mod timeouts;
pub mod tokio;
