//! `awsmfa init` and `awsmfa completions`: the files of `shell/`, as they stand there.

use crate::error::Error;
use crate::shell::Shell;

/// Prints the function `awsmfa`, and the completion with it.
///
/// # Errors
/// There is none for this shell, or standard output is closed.
pub(crate) fn run(shell: Shell) -> Result<(), Error> {
    let function = function(shell).ok_or(Error::NoIntegration { shell })?;
    super::print(&format!("{function}{}", completion(shell).unwrap_or_default()))
}

/// Prints the completion alone.
///
/// # Errors
/// The shell knows no completion, or standard output is closed.
pub(crate) fn completions(shell: Shell) -> Result<(), Error> {
    super::print(completion(shell).ok_or(Error::NoCompletion { shell: shell.name() })?)
}

fn function(shell: Shell) -> Option<&'static str> {
    match shell {
        Shell::Bash => Some(include_str!("../../shell/awsmfa.bash")),
        Shell::Zsh => Some(include_str!("../../shell/awsmfa.zsh")),
        Shell::Sh => Some(include_str!("../../shell/awsmfa.sh")),
        Shell::Fish => Some(include_str!("../../shell/awsmfa.fish")),
        Shell::PowerShell => Some(include_str!("../../shell/awsmfa.ps1")),
        Shell::Cmd => Some(include_str!("../../shell/awsmfa.cmd")),
        Shell::Nushell | Shell::Elvish | Shell::Tcsh | Shell::Xonsh => None,
    }
}

fn completion(shell: Shell) -> Option<&'static str> {
    match shell {
        Shell::Bash => Some(include_str!("../../shell/completion.bash")),
        Shell::Zsh => Some(include_str!("../../shell/completion.zsh")),
        Shell::Fish => Some(include_str!("../../shell/completion.fish")),
        Shell::PowerShell => Some(include_str!("../../shell/completion.ps1")),
        Shell::Sh | Shell::Cmd | Shell::Nushell | Shell::Elvish | Shell::Tcsh | Shell::Xonsh => None,
    }
}
