//! The integration tests, one binary: the sandbox that they run against, and a file a subject.

#![allow(clippy::expect_used, reason = "a test that can't go on should say so and fail")]
#![allow(clippy::disallowed_methods, reason = "what awsmfa may not do, such as writing files, its tests may")]

#[path = "../sandbox/server.rs"]
mod server;

#[cfg(unix)]
mod completion;
mod env;
#[cfg(target_os = "linux")]
mod errors;
#[cfg(unix)]
mod exec;
#[cfg(target_os = "linux")]
mod faults;
#[cfg(unix)]
mod formats;
#[cfg(unix)]
mod init;
#[cfg(target_os = "linux")]
mod no_writes;
#[cfg(unix)]
mod prompt;
#[cfg(unix)]
mod readme;
mod run;
mod sandbox;
#[cfg(unix)]
mod screen;
#[cfg(unix)]
mod status;
