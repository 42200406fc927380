//! The service from outside: HTTP requests in, HTTP answers out, a real store in a temporary directory.

#![allow(clippy::unwrap_used, reason = "a test's helpers are test code, too")]
#![allow(clippy::format_push_string, clippy::format_collect, reason = "XML of a few lines")]

mod buckets;
mod checksums;
mod conditions;
mod configuration;
mod copies;
mod lifecycle;
mod lists;
mod model;
mod objects;
mod policies;
mod uploads;
mod version_model;
mod versions;
mod world;
