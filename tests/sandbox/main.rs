//! Runs the sandbox by hand: prints its endpoint and a token code, and serves until standard input ends.

#[path = "server.rs"]
mod server;

use std::io::{self, Write};

use server::{Sandbox, World};

fn main() -> io::Result<()> {
    let sandbox = Sandbox::start(World::default());
    let code = sandbox.code("arn:aws:iam::123456789012:mfa/miket92");
    writeln!(io::stdout(), "AWS_ENDPOINT_URL={}\ncode={code}", sandbox.endpoint())?;
    io::copy(&mut io::stdin(), &mut io::sink()).map(drop)
}
