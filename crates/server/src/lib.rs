//! The server: listener, TLS, routing, clock, and the services over the pure cores.
//!
//! The way of a request: [`listener`] accepts it, `route` says for which service it is, `gateway` answers S3 and `rpc` the
//! others through `services`, recorded by `management`. What is recorded the `worker` carries through the pipeline into
//! queues, and `log_files` into buckets, with `digests` that prove them. `housekeeper` does what has a time of its own. This is
//! the only crate that asks for the time or for randomness.

mod alarms;
mod app;
mod bucket_sizes;
mod clock;
mod config;
mod counters;
mod deliver;
mod deliveries;
mod detector;
mod digest_keys;
mod digests;
mod drift;
mod exposition;
mod forbidden;
mod forget;
mod gauges;
mod handshakes;
mod history;
mod housekeeper;
mod listener;
mod log_files;
mod management;
mod meter;
mod notices;
mod on_behalf;
mod pages;
mod passed;
mod queues;
mod reservations;
mod route;
mod rpc;
mod services;
mod signer;
mod stacks;
mod start;
mod tls;
mod to_its_end;
mod waiting;
mod wakers;
mod worker;

pub use app::RestoreError;
pub use clock::now;
pub use config::{Config, ConfigError, DEFAULT_ACCOUNT, DEFAULT_REGION};
pub use meter::{Meter, Still};
pub use start::{Running, ServeOptions, StartError, StopError, start};
pub use tls::{TlsError, TlsSource};
