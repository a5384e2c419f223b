//! The integration tests, one binary: the sandbox that they run against, and a file a subject.

#![allow(clippy::expect_used, reason = "a test that can't go on should say so and fail")]

#[path = "../sandbox/server.rs"]
mod server;

#[cfg(unix)]
mod completion;
mod env;
#[cfg(unix)]
mod exec;
#[cfg(unix)]
mod init;
#[cfg(unix)]
mod readme;
mod run;
mod sandbox;
