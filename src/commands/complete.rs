//! `awsmfa complete`: the candidates for the word at the cursor, for the files of `shell/` to show.

use clap::CommandFactory;
use clap_complete::engine::{self, CompletionCandidate};

use crate::cli::{Cli, CompleteOptions};
use crate::error::Error;
use crate::shell::Shell;

/// Prints a line for each candidate. Nothing, where nothing is known.
///
/// # Errors
/// Standard output is closed.
pub(crate) fn run(options: CompleteOptions) -> Result<(), Error> {
    let CompleteOptions { shell, word, mut words } = options;
    let option_wanted = word.as_encoded_bytes().starts_with(b"-");
    words.push(word);
    let last = words.len() - 1;
    let mut candidates = engine::complete(&mut Cli::command(), words, last, None).unwrap_or_default();
    if !option_wanted {
        // The engine offers options beside everything else.
        candidates.retain(|candidate| !candidate.get_value().as_encoded_bytes().starts_with(b"-"));
    }
    let lines: String = candidates.iter().map(|candidate| line(shell, candidate)).collect();
    super::print(&lines)
}

/// The candidate and what it is, in the form that the shell's file expects.
fn line(shell: Shell, candidate: &CompletionCandidate) -> String {
    let value = candidate.get_value().to_string_lossy();
    let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
    let help = help.lines().next().unwrap_or_default();
    match shell {
        Shell::Bash => format!("{value}\n"),
        // The form of zsh's `_describe`.
        Shell::Zsh => format!("{}:{help}\n", value.replace(':', "\\:")),
        _ => format!("{value}\t{help}\n"),
    }
}
