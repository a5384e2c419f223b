//! Try awsmfa without an AWS account: `cargo run --example sandbox`.
//!
//! Starts the strict STS of the tests on loopback and shows the main job with the real binary. With arguments it runs
//! that awsmfa command line against the sandbox, with `shell` a shell to play in. It writes no file: the profiles are the
//! two files beside this one.

#![allow(clippy::disallowed_methods, reason = "the example describes surroundings, and awsmfa reads them")]

#[path = "server.rs"]
mod server;

use std::env;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sts::config::Credentials;
use aws_sdk_sts::config::SharedCredentialsProvider;

use server::{Sandbox, World};

/// The MFA device of the profile `msgcxp`.
const DEVICE: &str = "arn:aws:iam::123456789012:mfa/miket92";

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<ExitCode> {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    match arguments.first().and_then(|word| word.to_str()) {
        None => tour(&Playground::open()?),
        Some("code") => code(),
        Some("whoami") => whoami(),
        Some("shell") => play(&Playground::open()?),
        Some(_) => one_command(&Playground::open()?, &arguments),
    }
}

/// Shows the main job, step by step.
fn tour(playground: &Playground) -> Outcome<ExitCode> {
    say("A strict STS runs on this machine. Your policies enforce MFA, and these are your files:\n")?;
    show_profile(include_str!("config"), "[profile msgcxp]", "~/.aws/config")?;
    show_profile(include_str!("credentials"), "[msgcxp]", "~/.aws/credentials")?;

    let code = playground.sandbox.code(DEVICE);
    say(&format!("Your MFA device shows {code}. In a shell you would type  eval \"$(awsmfa env -p msgcxp)\"\n"))?;
    playground.step(&["env", "-p", "msgcxp", "--shell", "bash", "-t", &code])?;

    let code = playground.sandbox.code(DEVICE);
    say(&format!("\nThe next code is {code}. One command with a session of its own, which asks AWS who it is:\n"))?;
    playground.step(&["exec", "-p", "msgcxp", "-t", &code, "--", "sandbox", "whoami"])?;

    let code = playground.sandbox.code(DEVICE);
    say(&format!("\nAnd with {code} a role that wants MFA:\n"))?;
    playground.step(&["exec", "-p", "deploy", "-t", &code, "--", "sandbox", "whoami"])?;

    say("\nGo on by yourself:")?;
    say("  cargo run --example sandbox -- env -p msgcxp    any awsmfa command line")?;
    say("  cargo run --example sandbox -- shell            a shell in which awsmfa finds this STS")?;
    Ok(ExitCode::SUCCESS)
}

/// Opens a shell in the playground.
fn play(playground: &Playground) -> Outcome<ExitCode> {
    let (variable, default) = if cfg!(windows) { ("ComSpec", "cmd.exe") } else { ("SHELL", "/bin/sh") };
    let shell = env::var_os(variable).unwrap_or_else(|| default.into());
    say("In this shell awsmfa finds a strict STS instead of AWS. `sandbox code` shows what your MFA device shows,")?;
    say(
        "`sandbox whoami` asks who you are. Try  eval \"$(awsmfa env -p msgcxp)\"  and  awsmfa exec -p deploy -- sandbox whoami",
    )?;
    playground.run(&shell, &[])
}

/// Runs one awsmfa command line in the playground.
fn one_command(playground: &Playground, arguments: &[OsString]) -> Outcome<ExitCode> {
    let code = playground.sandbox.code(DEVICE);
    let terminal = if cfg!(windows) { "CONIN$" } else { "/dev/tty" };
    if OpenOptions::new().read(true).write(true).open(terminal).is_ok() {
        note(&format!("sandbox: the MFA device of profile msgcxp shows {code}"))?;
        return playground.run("awsmfa".as_ref(), arguments);
    }
    note(&format!("sandbox: no terminal, so AWSMFA_TOKEN_CODE is {code}"))?;
    let mut command = playground.command("awsmfa".as_ref());
    Ok(exit_code(command.env("AWSMFA_TOKEN_CODE", code).args(arguments).status()?))
}

/// Shows the device's code of this moment.
fn code() -> Outcome<ExitCode> {
    say(&server::current_code(&World::default(), DEVICE))?;
    Ok(ExitCode::SUCCESS)
}

/// Asks STS whose credentials the environment holds, as any program does that uses an AWS SDK.
fn whoami() -> Outcome<ExitCode> {
    let variable = |name: &str| env::var(name).map_err(|_| format!("{name} is not set: no session here"));
    let key = Credentials::new(
        variable("AWS_ACCESS_KEY_ID")?,
        variable("AWS_SECRET_ACCESS_KEY")?,
        env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(env::var("AWS_REGION").unwrap_or_else(|_| "us-east-1".to_owned())))
        .endpoint_url(variable("AWS_ENDPOINT_URL")?)
        .credentials_provider(SharedCredentialsProvider::new(key))
        .http_client(http)
        .build();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let caller = runtime.block_on(aws_sdk_sts::Client::new(&config).get_caller_identity().send())?;
    say(caller.arn().unwrap_or_default())?;
    Ok(ExitCode::SUCCESS)
}

/// A sandbox, and the environment in which commands find it instead of AWS.
struct Playground {
    sandbox: Sandbox,
    /// Where `awsmfa` and this example are.
    binaries: [PathBuf; 2],
}

impl Playground {
    fn open() -> Outcome<Self> {
        let this = env::current_exe()?;
        let examples = this.parent().ok_or("the example is in no directory")?;
        let binaries = examples.parent().ok_or("the example is in no target directory")?;
        // `cargo run --example` builds the example alone.
        let mut build = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build.args(["build", "--quiet", "--bin", "awsmfa", "--manifest-path"]);
        build.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
        build.args((!cfg!(debug_assertions)).then_some("--release"));
        if !build.status()?.success() {
            return Err("awsmfa could not be built".into());
        }
        Ok(Self { sandbox: Sandbox::start(World::default()), binaries: [binaries.to_owned(), examples.to_owned()] })
    }

    fn command(&self, program: &OsStr) -> Command {
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(self.binaries.iter().cloned().chain(env::split_paths(&path))).unwrap_or(path);
        let mut command = Command::new(program);
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS")) {
            command.env_remove(name);
        }
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sandbox");
        command
            .env("PATH", path)
            .env("AWS_CONFIG_FILE", format!("{here}/config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", format!("{here}/credentials"))
            .env("AWS_ENDPOINT_URL", self.sandbox.endpoint())
            .env("NO_PROXY", "127.0.0.1")
            .env("no_proxy", "127.0.0.1");
        command
    }

    fn run(&self, program: &OsStr, arguments: &[OsString]) -> Outcome<ExitCode> {
        Ok(exit_code(self.command(program).args(arguments).status()?))
    }

    /// Shows a command line, runs it, and stops the tour if it fails.
    fn step(&self, arguments: &[&str]) -> Outcome<()> {
        say(&format!("$ awsmfa {}", arguments.join(" ")))?;
        if self.command("awsmfa".as_ref()).args(arguments).status()?.success() {
            Ok(())
        } else {
            Err(format!("`awsmfa {}` failed", arguments.join(" ")).into())
        }
    }
}

fn exit_code(status: std::process::ExitStatus) -> ExitCode {
    ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

fn show_profile(file: &str, header: &str, name: &str) -> io::Result<()> {
    say(&format!("# {name}"))?;
    let lines = file.lines().skip_while(|line| *line != header).take_while(|line| !line.is_empty());
    lines.chain([""]).try_for_each(say)
}

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

/// Says it on standard error, so that what awsmfa prints can be evaluated.
fn note(line: &str) -> io::Result<()> {
    writeln!(io::stderr(), "{line}")
}
