//! awsmfa: temporary AWS credentials from an MFA token code, without writing a file.
//!
//! Reads the command line, runs the command, prints the error: this is the one place that does, and the one that ends
//! the process.

mod ambient;
mod cli;
mod commands;
mod completion;
mod credentials;
mod environment;
mod error;
mod format;
mod held;
mod mfa;
mod plan;
mod profile;
mod session;
mod shell;
mod signal;
mod sts;
mod terminal;

use std::error::Error as _;
use std::panic;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::ambient::Ambient;
use crate::cli::{Cli, Command, StatusFormat, StatusOptions};
use crate::error::Error;
use crate::shell::Shell;

/// What `exec` answers when awsmfa itself fails, as `env(1)` does: 1 and 2 mean something to the commands it runs.
const EXEC_FAILED: u8 = 125;

fn main() -> ExitCode {
    let ambient = Ambient::read();
    let cli = match for_a_prompt().map_or_else(Cli::try_parse, Ok) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, &ambient),
    };
    match cli.command {
        // A program reads a format, and shall find nothing there that looks like credentials.
        Command::Env(options) if options.format.is_some() => match commands::env::run(&options, &ambient) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => report(&error, error.exit_code()),
        },
        Command::Env(options) => evaluated(|| commands::env::run(&options, &ambient), options.shell, &ambient),
        Command::Exec(options) => commands::exec::run(&options, &ambient).unwrap_or_else(|error| {
            let code = error.exit_code();
            report(&error, if code == 1 { EXEC_FAILED } else { code })
        }),
        Command::Use(options) => {
            evaluated(|| commands::switch::on(options, cli.integration, &ambient), cli.integration, &ambient)
        }
        Command::Off => evaluated(|| commands::switch::off(cli.integration, &ambient), cli.integration, &ambient),
        Command::Init(options) => evaluated(|| commands::init::run(options.shell), Some(options.shell), &ambient),
        Command::Completions(options) => {
            evaluated(|| commands::init::completions(options.shell), Some(options.shell), &ambient)
        }
        // A shell that asks for completions has no use for an error.
        Command::Complete(options) => {
            commands::complete::run(options).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
        }
        Command::Status(options) => {
            commands::status::run(&options, &ambient).unwrap_or_else(|error| report(&error, error.exit_code()))
        }
    }
}

/// Runs a command whose output is for a shell to evaluate: where it fails, the shell has to see that.
fn evaluated(
    command: impl FnOnce() -> Result<(), Error> + panic::UnwindSafe,
    shell: Option<Shell>,
    ambient: &Ambient,
) -> ExitCode {
    // A panic has told about itself.
    let failed = match panic::catch_unwind(command) {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(error)) => Some(error),
        Err(_) => None,
    };
    fail_eval(shell, ambient);
    failed.map_or(ExitCode::FAILURE, |error| report(&error, error.exit_code()))
}

/// The command line that prompts run before each line that a person types, known without building the parser, which costs
/// more than the answer.
fn for_a_prompt() -> Option<Cli> {
    let options = StatusOptions { format: StatusFormat::Prompt, check: false };
    let asked = ambient::arguments() == ["status", "--format", "prompt"];
    asked.then_some(Cli { integration: None, command: Command::Status(options) })
}

/// Prints the error with its causes and what to do next.
fn report(error: &Error, code: u8) -> ExitCode {
    if let Error::Interrupted(signal) = error {
        signal::die_of(*signal);
        return ExitCode::from(code);
    }
    terminal::say(&format!("awsmfa: error: {error}"));
    let mut cause = error.source();
    while let Some(reason) = cause {
        terminal::say(&format!("  caused by: {reason}"));
        cause = reason.source();
    }
    if let Some(hint) = error.hint() {
        terminal::say(&format!("hint: {hint}"));
    }
    ExitCode::from(code)
}

/// A shell that evaluates the output of a failed command has to see a failure: empty text would succeed.
fn fail_eval(shell: Option<Shell>, ambient: &Ambient) {
    if !ambient::stdout_is_terminal() {
        // Whoever closed standard output does not evaluate it.
        let _ = commands::print(shell.unwrap_or_else(|| ambient.shell()).failure());
    }
}

/// Answers `--help` and `--version`, and tells what is wrong with a command line.
fn usage(error: &clap::Error, ambient: &Ambient) -> ExitCode {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion if ambient::stdout_is_terminal() => {
            // clap knows the terminal's colours. Whoever closed standard output does not read on.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            text.lines().for_each(terminal::say);
            ExitCode::SUCCESS
        }
        kind => {
            let arguments: Vec<String> = ambient::arguments();
            let command = arguments.first().map_or("", String::as_str);
            let format = arguments.iter().any(|argument| argument.split('=').next() == Some("--format"));
            // Whatever else was meant, a shell may be about to evaluate it.
            if !["exec", "status"].contains(&command) && !format {
                fail_eval(shell_option(&arguments), ambient);
            }
            let prefix = if kind == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand { "" } else { "awsmfa: " };
            terminal::say(&format!("{prefix}{}", text.lines().next().unwrap_or_default()));
            text.lines().skip(1).for_each(terminal::say);
            ExitCode::from(if command == "exec" { EXEC_FAILED } else { 2 })
        }
    }
}

/// The value of `--shell` in a command line that clap could not parse.
fn shell_option(arguments: &[String]) -> Option<Shell> {
    let value = arguments.iter().enumerate().find_map(|(number, argument)| match argument.as_str() {
        "-s" | "--shell" => arguments.get(number + 1).map(String::as_str),
        _ => argument.strip_prefix("--shell=").or_else(|| argument.strip_prefix("-s")),
    })?;
    clap::ValueEnum::from_str(value, true).ok()
}
