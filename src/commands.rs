//! The commands, a file each. Only they write to standard output.

pub(crate) mod complete;
pub(crate) mod env;
pub(crate) mod exec;
pub(crate) mod init;
pub(crate) mod status;
pub(crate) mod switch;

use std::io::Write;

use crate::ambient;
use crate::error::Error;
use crate::terminal;

/// Writes all of it to standard output at once.
///
/// # Errors
/// Standard output is closed.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Error::Output)
}

/// Shows text for people: on standard output if somebody sees that, else on standard error, so that no shell evaluates
/// it.
///
/// # Errors
/// Standard output is closed.
pub(crate) fn show(text: &str) -> Result<(), Error> {
    let text: String = text.lines().map(|line| terminal::printable(line) + "\n").collect();
    if ambient::stdout_is_terminal() {
        return print(&text);
    }
    text.lines().for_each(terminal::say);
    Ok(())
}
