//! `awsmfa exec`: one child process with the session in its environment.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::Path;
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
    // A mistyped command is found before anybody is asked for a code.
    let mut command = command(options, ambient)?;
    let changes = if held.is_some() {
        environment::of_held(options.session.region.as_deref())
    } else {
        let bought = order.buy()?;
        if !options.session.quiet {
            bought.announce();
        }
        bought.changes(&order.stale_regions())
    };
    command.env_remove(AWSMFA_TOKEN_CODE);
    for Change { name, value } in &changes {
        match value {
            Some(value) => command.env(name, value.expose()),
            None => command.env_remove(name),
        };
    }
    let program = command.get_program().to_string_lossy().into_owned();
    replace(command).map_err(|cause| Error::Command { command: program, cause })
}

/// The command to run, found as the shell would find it: on Windows with what PATHEXT allows besides `.exe`.
fn command(options: &ExecOptions, ambient: &Ambient) -> Result<Command, Error> {
    let (program, arguments) = match options.command.split_first() {
        Some((program, arguments)) => (program.as_os_str(), arguments),
        None => (OsStr::new(ambient.login_shell()), &[][..]),
    };
    let path = which::which(program).map_err(|_| {
        let command = program.to_string_lossy().into_owned();
        let path = Path::new(program);
        if path.components().count() > 1 && path.exists() {
            Error::Command { command, cause: ErrorKind::PermissionDenied.into() }
        } else {
            Error::CommandNotFound { command }
        }
    })?;
    let mut command = Command::new(path);
    // What a program calls itself may depend on the name by which it was called.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::arg0(&mut command, program);
    command.args(arguments);
    Ok(command)
}

/// The command becomes this process: its signals and its exit status are its own.
#[cfg(unix)]
fn replace(mut command: Command) -> io::Result<ExitCode> {
    Err(std::os::unix::process::CommandExt::exec(&mut command))
}

/// Waits for the command and passes its exit code on. Ctrl-C is the command's to answer: this process has a handler for
/// it, and does not *ignore* it, which the command would inherit.
#[cfg(windows)]
fn replace(mut command: Command) -> io::Result<ExitCode> {
    let _ctrl_c = tokio::signal::windows::ctrl_c()?;
    let _ctrl_break = tokio::signal::windows::ctrl_break()?;
    let status = command.spawn()?.wait()?;
    // The code may be any of 32 bits, of which `ExitCode` carries eight.
    #[expect(clippy::exit, reason = "nothing is left to be dropped")]
    std::process::exit(status.code().unwrap_or(1))
}
