//! What surrounds the process: its environment, the clock, and what its standard streams are connected to.
//!
//! Read here and nowhere else, so that everything below can be tested with a table of variables.

#![expect(clippy::disallowed_methods, reason = "this is the one reader of the environment and the clock")]

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::shell::Shell;

/// The variables that awsmfa looks at, as they stood when it was started.
pub(crate) struct Ambient {
    variables: HashMap<String, String>,
}

impl Ambient {
    /// Reads the environment once.
    pub(crate) fn read() -> Self {
        let text = |value: OsString| value.into_string().unwrap_or_else(|value| value.to_string_lossy().into_owned());
        Self::from_variables(std::env::vars_os().map(|(name, value)| (text(name), text(value))))
    }

    /// An environment of these variables alone.
    pub(crate) fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { variables: variables.into_iter().collect() }
    }

    /// The same surroundings with these variables cleared, and then those set.
    pub(crate) fn with<'a>(&self, set: impl IntoIterator<Item = (&'a str, &'a str)>, cleared: &[&str]) -> Self {
        let mut variables = self.variables.clone();
        variables.retain(|name, _| !cleared.contains(&name.as_str()));
        variables.extend(set.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        Self { variables }
    }

    /// The variable's value; `None` also when it is empty, as the AWS CLI takes it.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether the variable is there at all, empty or not.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.variables.contains_key(name)
    }

    /// The user's home directory, found as AWS's SDKs find it.
    pub(crate) fn home(&self) -> Option<&Path> {
        let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        self.variable("HOME").or_else(|| self.variable(name)).map(Path::new)
    }

    /// The path with a leading `~` replaced by the home directory.
    pub(crate) fn expand(&self, path: &str) -> PathBuf {
        match (path.strip_prefix('~'), self.home()) {
            (Some(""), Some(home)) => home.to_owned(),
            (Some(rest), Some(home)) if rest.starts_with(['/', std::path::MAIN_SEPARATOR]) => home.join(&rest[1..]),
            _ => PathBuf::from(path),
        }
    }

    /// The path as a person writes it: with `~` for the home directory.
    pub(crate) fn shorten(&self, path: &Path) -> String {
        match self.home().and_then(|home| path.strip_prefix(home).ok()) {
            Some(rest) => Path::new("~").join(rest).display().to_string(),
            None => path.display().to_string(),
        }
    }

    /// The shell that runs awsmfa.
    pub(crate) fn shell(&self) -> Shell {
        Shell::detect(ancestors::programs(), self.variable("SHELL"))
    }

    /// The program to start for a person who wants a shell.
    pub(crate) fn login_shell(&self) -> &str {
        let (name, default) = if cfg!(windows) { ("ComSpec", "cmd.exe") } else { ("SHELL", "/bin/sh") };
        self.variable(name).unwrap_or(default)
    }
}

/// Seconds since the epoch.
pub(crate) fn now() -> i64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX))
}

/// Whether a person sees what is written to standard output: otherwise a shell may be about to evaluate it.
pub(crate) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Standard input without a buffer, which would take more of it than is read.
///
/// # Errors
/// The system gives no second handle of it.
pub(crate) fn stdin() -> io::Result<File> {
    #[cfg(unix)]
    let handle = std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned()?;
    #[cfg(windows)]
    let handle = std::os::windows::io::AsHandle::as_handle(&io::stdin()).try_clone_to_owned()?;
    Ok(handle.into())
}

/// The words of the command line after the program's name.
pub(crate) fn arguments() -> Vec<String> {
    std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect()
}

/// The programs above this one, the nearest first.
#[cfg(target_os = "linux")]
mod ancestors {
    use std::fs;
    use std::iter::successors;

    pub(super) fn programs() -> impl Iterator<Item = String> {
        let parent = |process: &Process| Process::read(process.parent);
        successors(Process::read(std::os::unix::process::parent_id()), parent).flat_map(|process| process.names)
    }

    struct Process {
        parent: u32,
        /// By the link, which tells which shell runs a script, whatever that is called; then by the name, which tells a
        /// shell from the interpreter that it is itself a script of: xonsh.
        names: [String; 2],
    }

    impl Process {
        /// `None` beyond the first process, and where the system shows none.
        fn read(id: u32) -> Option<Self> {
            // `1234 (name) S 1233 …`: the name may itself hold blanks and brackets.
            let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
            let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
            let parent = rest.split_whitespace().nth(1)?.parse().ok()?;
            let link = fs::read_link(format!("/proc/{id}/exe")).unwrap_or_default();
            Some(Self { parent, names: [link.to_string_lossy().into_owned(), name.to_owned()] })
        }
    }
}

/// The programs above this one, the nearest first.
#[cfg(not(target_os = "linux"))]
mod ancestors {
    use std::iter::successors;

    use sysinfo::{Process, ProcessRefreshKind, ProcessesToUpdate, System};

    pub(super) fn programs() -> impl Iterator<Item = String> {
        above().unwrap_or_default().into_iter()
    }

    fn above() -> Option<Vec<String>> {
        let mut system = System::new().ok()?;
        system.refresh_processes_specifics(ProcessesToUpdate::All, false, ProcessRefreshKind::nothing());
        let parent = |process: &&Process| system.process(process.parent()?);
        let this = system.process(sysinfo::get_current_pid().ok()?)?;
        // Windows keeps the number of a parent that is gone, and may have given it to a child: a circle, cut short.
        let above = successors(Some(this), parent).skip(1).take(32);
        Some(above.map(|process| process.name().to_string_lossy().into_owned()).collect())
    }
}
