//! The proof of the quoting: generated values, written as a block, taken over by the shell's own one-liner and read back
//! from what a child of the real shell sees.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![expect(clippy::disallowed_methods, reason = "a test runs in the surroundings of whoever runs it")]

use std::collections::HashMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};
use tempfile::TempDir;

use super::{Shell, Style};
use crate::credentials::Secret;
use crate::environment::Change;

/// How many values a shell is given at once.
const BATCH: usize = 250;

/// Variables for a batch of values; in awsmfa names are constants.
static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| (0..BATCH).map(|n| &*format!("V{n}").leak()).collect());

/// The letters of the values: printable ASCII with what shells give a meaning to many times over, control characters, and
/// beyond ASCII what some shell may take for a quote, a blank, a line break or a mark of its own, and a letter of each region.
static LETTERS: LazyLock<Vec<char>> = LazyLock::new(|| {
    let special = "'\"\\!$`%^&|;<>(){}[]*?~#=-@:,+ ".repeat(5);
    let strange =
        "äß😀\u{85}\u{a0}\u{ad}\u{301}\u{200b}‘’‚‛“”\u{2028}\u{202e}\u{e000}\u{f600}\u{fdd0}\u{feff}\u{10ffff}";
    let regions = ('\u{80}'..char::MAX).step_by(0x6543);
    (' '..='~').chain(special.chars()).chain('\u{1}'..' ').chain(strange.chars()).chain(regions).collect()
});

/// Values up to 4096 letters long, most of them short, some with backslashes at the end. What the shell refuses is left
/// out: the table of refusals says what that is.
fn value(shell: Shell) -> impl Strategy<Value = String> {
    let length = prop_oneof![40 => 0..=32_usize, 1 => 0..=4096_usize];
    let letters = length.prop_flat_map(|length| proptest::collection::vec(select(&LETTERS[..]), length));
    (letters, select(&["", "", "", "\\", "\\\\", "\\\\\\"][..])).prop_map(move |(letters, end)| {
        let carried = |letter: &char| shell.refusal(letter.encode_utf8(&mut [0; 4])).is_none();
        // The grammar of PowerShell doesn't know them for quotes: the table of quoted values has them.
        let foreign = |letter: &char| shell == Shell::PowerShell && ('\u{2018}'..='\u{201b}').contains(letter);
        let value: String =
            letters.into_iter().filter(carried).filter(|letter| !foreign(letter)).chain(end.chars()).collect();
        if shell.refusal(&value).is_none() { value } else { "x".to_owned() }
    })
}

/// Runs a property over batches of values until there were `count` of them.
#[track_caller]
fn holds_for(count: usize, shell: Shell, property: impl Fn(&[String], &str) -> TestCaseResult) {
    let cases = u32::try_from(count.div_ceil(BATCH)).unwrap();
    let config = Config { cases, max_shrink_iters: 500, failure_persistence: None, ..Config::default() };
    let batch = proptest::collection::vec(value(shell), BATCH);
    let result = TestRunner::new(config).run(&batch, |values| {
        let change = |(name, value): (&&'static str, &String)| Change { name, value: Some(Secret::new(value.clone())) };
        let changes: Vec<_> = NAMES.iter().zip(&values).map(change).collect();
        let block = shell.render(&changes, Style { persist: false, warn: true }).unwrap();
        property(&values, &block)
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// `count` values pass through the shell, started by these words, byte for byte.
#[track_caller]
fn carries(count: usize, shell: Shell, words: &[&str]) {
    let home = TempDir::new().unwrap();
    holds_for(count, shell, |values, block| {
        let script = format!("{}\n/usr/bin/env -0", shell.one_liner("cat"));
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).args(["-c", &script]).env_clear().current_dir(home.path());
        command.envs([("LC_ALL", "C.UTF-8"), ("PATH", "/usr/bin:/bin")]).env("HOME", home.path());
        let output = run(command, block);
        let seen: HashMap<_, _> = output.split('\0').filter_map(|line| line.split_once('=')).collect();
        for (name, value) in NAMES.iter().zip(values) {
            prop_assert_eq!(seen.get(name), Some(&value.as_str()), "{}", block);
        }
        Ok(())
    });
}

/// What the program writes when it is given this input.
#[track_caller]
fn run(mut command: Command, input: &str) -> String {
    let name = command.get_program().to_owned();
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{} is needed for the tests: {error}", name.display()));
    // A shell that fails at once leaves the rest unread.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn bash_carries_every_value() {
    carries(10_000, Shell::Bash, &["bash", "--norc"]);
}

#[test]
fn zsh_carries_every_value() {
    carries(10_000, Shell::Zsh, &["zsh", "-f"]);
}

#[test]
fn dash_carries_every_value() {
    carries(10_000, Shell::Sh, &["dash"]);
}

#[test]
fn ksh_carries_every_value() {
    carries(2_000, Shell::Sh, &["ksh"]);
}

#[test]
fn mksh_carries_every_value() {
    carries(2_000, Shell::Sh, &["mksh"]);
}

#[test]
fn yash_carries_every_value() {
    carries(2_000, Shell::Sh, &["yash"]);
}

#[test]
fn busybox_carries_every_value() {
    carries(2_000, Shell::Sh, &["busybox", "ash"]);
}

#[test]
fn fish_carries_every_value() {
    carries(10_000, Shell::Fish, &["fish", "--no-config"]);
}

#[test]
fn nushell_carries_every_value() {
    let nu = std::env::var("NU").unwrap_or("nu".to_owned());
    carries(2_000, Shell::Nushell, &[&nu, "--no-config-file"]);
}

#[test]
fn elvish_carries_every_value() {
    carries(2_000, Shell::Elvish, &["elvish", "-norc"]);
}

#[test]
fn tcsh_carries_every_value() {
    carries(2_000, Shell::Tcsh, &["tcsh", "-f"]);
}

#[test]
fn xonsh_carries_every_value() {
    carries(2_000, Shell::Xonsh, &["xonsh", "--no-rc"]);
}

/// Through all the layers of an expression that has but one part.
fn only(node: tree_sitter::Node) -> tree_sitter::Node {
    if node.named_child_count() == 1 { only(node.named_child(0).unwrap()) } else { node }
}

/// No PowerShell can be installed here: a grammar of it tells what each line is.
#[test]
fn powershell_reads_every_value_as_one_literal() {
    holds_for(2_000, Shell::PowerShell, |values, block| {
        let mut parser = tree_sitter::Parser::new();
        parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).unwrap();
        let tree = parser.parse(block, None).unwrap();
        let is = |node, kind, text: &str| only(node).kind() == kind && block[only(node).byte_range()] == *text;
        prop_assert!(!tree.root_node().has_error(), "{}", block);
        let statements = tree.root_node().named_child(0).unwrap();
        prop_assert_eq!(statements.named_child_count(), values.len());
        for ((number, name), value) in NAMES.iter().enumerate().zip(values) {
            let statement = statements.named_child(u32::try_from(number).unwrap()).unwrap();
            let assignment = statement.named_child(0).unwrap();
            prop_assert_eq!(assignment.kind(), "assignment_expression");
            prop_assert!(is(assignment.named_child(0).unwrap(), "variable", &format!("$env:{name}")), "{}", block);
            let literal = format!("'{}'", value.replace('\'', "''"));
            let right = assignment.child_by_field_name("value").unwrap();
            prop_assert!(is(right, "verbatim_string_characters", &literal), "{}\n{}", literal, block);
        }
        Ok(())
    });
}

/// As a batch file, since the `for /f` of Wine 8 doesn't run commands. `SETX`, of which Wine has none, has a table of its own.
#[test]
fn cmd_carries_every_value() {
    let home = TempDir::new().unwrap();
    holds_for(500, Shell::Cmd, |values, block| {
        std::fs::write(home.path().join("block.bat"), format!("@echo off\n{block}set V\n").replace('\n', "\r\n"))
            .unwrap();
        let mut command = Command::new("wine");
        command.args(["cmd", "/c", "block.bat"]).env_clear().current_dir(home.path());
        command.envs([("PATH", "/usr/bin:/bin"), ("WINEDEBUG", "-all")]).env("HOME", home.path());
        let output = run(command, "");
        let seen: HashMap<_, _> = output.split("\r\n").filter_map(|line| line.split_once('=')).collect();
        for (name, value) in NAMES.iter().zip(values) {
            prop_assert_eq!(seen.get(name), Some(&value.as_str()), "{}", block);
        }
        Ok(())
    });
}
