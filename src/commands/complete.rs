//! `awsmfa complete`: the candidates for the word at the cursor, for the files of `shell/` to show.

use std::ffi::OsString;
use std::fmt::Write;

use clap::CommandFactory;
use clap_complete::engine;

use crate::cli::Cli;
use crate::error::Error;

/// Prints a line for each candidate: the word, a tab, what it is. Nothing, where nothing is known.
///
/// # Errors
/// Standard output is closed.
pub(crate) fn run(words: Vec<OsString>) -> Result<(), Error> {
    let last = words.len().saturating_sub(1);
    let option = words.last().is_some_and(|word| word.as_encoded_bytes().starts_with(b"-"));
    let mut candidates = engine::complete(&mut Cli::command(), words, last, None).unwrap_or_default();
    // The engine offers the options beside everything else: they come when they are asked for, or when nothing else does.
    let is_option = |candidate: &engine::CompletionCandidate| candidate.get_value().as_encoded_bytes().starts_with(b"-");
    if !option && !candidates.iter().all(is_option) {
        candidates.retain(|candidate| !is_option(candidate));
    }
    let mut lines = String::new();
    for candidate in candidates {
        let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
        let help = help.lines().next().unwrap_or_default();
        // Writing to a string can't fail.
        let _ = writeln!(lines, "{}\t{help}", candidate.get_value().to_string_lossy());
    }
    super::print(&lines)
}
