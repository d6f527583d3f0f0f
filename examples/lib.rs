//! Examples of `mta-sts`. Each is a program: `cargo run -p mta-sts-examples --example NAME`, with
//! `--features` if it needs any.
//!
//! | example | features | what it shows |
//! | --- | --- | --- |
//! | `blocking` | `blocking` | deliveries with the client over threads |
//! | `check` | `check` | a domain as its administrator sees it |
//! | `conformance` | | the conformance suite, and a judge of other implementations |
//! | `demo` | `blocking` | discovery, delivery and attacks on both |
//! | `hostile_world` | | a network of faults for other clients and mail servers |
//! | `lint` | | findings in records and policies |
//! | `metrics` | `metrics` | a client's counters for Prometheus |
//! | `sans_io_loop` | | a delivery without sockets |
//! | `tokio` | `tokio` | a mail server with a queue |
