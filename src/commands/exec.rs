//! `awsmfa exec`: one child process with the session in its environment.

use std::ffi::{OsStr, OsString};
use std::io;
use std::process::{Command, ExitCode};

use crate::ambient::Ambient;
use crate::cli::ExecOptions;
use crate::environment::{self, AWSMFA_TOKEN_CODE, Change};
use crate::error::Error;
use crate::plan;
use crate::session::Order;

/// How long a held session must still last, in seconds, when nothing is said.
const MIN_TTL: u32 = 15 * 60;

/// Runs the command: on Unix in place of awsmfa, on Windows as its child.
///
/// # Errors
/// Whatever stands in the way of the session, or of starting the command.
pub(crate) fn run(options: &ExecOptions, ambient: &Ambient) -> Result<ExitCode, Error> {
    let order = Order::new(&options.session, ambient);
    let min_ttl = options.min_ttl.as_deref().map_or(Ok(MIN_TTL), |text| plan::seconds(text, "`--min-ttl`"))?;
    let held = order.held(min_ttl.into());
    if options.session.dry_run {
        let plan = match held {
            Some(held) => {
                format!("profile  {}\nsession  the one in this environment, until {}", held.profile, held.expiration)
            }
            None => order.plan()?.1.to_string(),
        };
        return super::show(&plan).map(|()| ExitCode::SUCCESS);
    }
    let changes = if held.is_some() {
        environment::of_held(options.session.region.as_deref())
    } else {
        let bought = order.buy()?;
        if !options.session.quiet {
            bought.announce();
        }
        bought.changes(&order.stale_regions())
    };
    let shell = [OsString::from(ambient.login_shell())];
    let words = if options.command.is_empty() { &shell[..] } else { &options.command };
    let (program, arguments) =
        words.split_first().ok_or(io::ErrorKind::NotFound.into()).map_err(command_error("".as_ref()))?;
    let mut command = Command::new(find(program).map_err(command_error(program))?);
    command.args(arguments).env_remove(AWSMFA_TOKEN_CODE);
    for Change { name, value } in &changes {
        match value {
            Some(value) => command.env(name, value.expose()),
            None => command.env_remove(name),
        };
    }
    replace(command).map_err(command_error(program))
}

fn command_error(program: &OsStr) -> impl FnOnce(io::Error) -> Error {
    let command = program.to_string_lossy().into_owned();
    |cause| Error::Command { command, cause }
}

#[cfg(unix)]
fn find(program: &OsStr) -> io::Result<&OsStr> {
    Ok(program)
}

/// The command becomes this process: its signals and its exit status are its own.
#[cfg(unix)]
fn replace(mut command: Command) -> io::Result<ExitCode> {
    Err(std::os::unix::process::CommandExt::exec(&mut command))
}

/// `CreateProcess` knows `.exe` alone: what PATHEXT allows besides, such as `npm.cmd`, has to be found first.
#[cfg(windows)]
fn find(program: &OsStr) -> io::Result<std::path::PathBuf> {
    which::which(program).map_err(|_| io::ErrorKind::NotFound.into())
}

/// Waits for the command and passes its exit code on. Ctrl-C is the command's to answer: this process has a handler for
/// it, and does not *ignore* it, which the command would inherit.
#[cfg(windows)]
fn replace(mut command: Command) -> io::Result<ExitCode> {
    let _ctrl_c = tokio::signal::windows::ctrl_c()?;
    let _ctrl_break = tokio::signal::windows::ctrl_break()?;
    let status = command.spawn()?.wait()?;
    std::process::exit(status.code().unwrap_or(1))
}
