//! The integration tests, one binary: the sandbox that they run against, and a file a subject.

#[path = "../sandbox/server.rs"]
mod server;

mod sandbox;
