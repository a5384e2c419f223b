//! Shells: how each quotes a value, sets and clears a variable, and fails on purpose.
//!
//! Pure. Names of variables are constants, so only values are quoted; a value that a shell can't carry is refused before
//! anything is printed.

use std::borrow::Cow;
use std::fmt::Write;

use clap::ValueEnum;
use zeroize::Zeroizing;

use crate::environment::{Change, IN_THE_WAY};
use crate::error::Error;

/// `SETX` cuts a longer value with no more than a warning.
/// Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/setx>
const SETX_LIMIT: usize = 1024;

/// A shell whose statements awsmfa writes.
#[expect(clippy::enum_variant_names, reason = "PowerShell is called so")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// GNU Bash
    Bash,
    /// Z shell
    Zsh,
    /// Any POSIX shell: dash, ksh, mksh, yash, busybox ash
    Sh,
    /// fish
    Fish,
    /// Windows PowerShell and pwsh
    #[value(name = "powershell", alias = "pwsh")]
    PowerShell,
    /// Windows command prompt
    Cmd,
}

/// What is wanted of a block beside the statements for this shell.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    /// cmd: also store the values for new windows, by `SETX` and `REG DELETE`.
    pub(crate) persist: bool,
    /// fish: warn of universal variables that no session may erase.
    pub(crate) warn: bool,
}

impl Shell {
    /// The shell that a program of this name is, if it is one.
    pub(crate) fn of_program(name: &str) -> Option<Self> {
        let name = name.rsplit(['/', '\\']).next().unwrap_or(name).trim_start_matches('-').to_ascii_lowercase();
        match name.strip_suffix(".exe").unwrap_or(&name) {
            "bash" => Some(Self::Bash),
            "zsh" => Some(Self::Zsh),
            "sh" | "dash" | "ash" | "busybox" | "ksh" | "ksh93" | "mksh" | "lksh" | "yash" => Some(Self::Sh),
            "fish" => Some(Self::Fish),
            "powershell" | "pwsh" => Some(Self::PowerShell),
            "cmd" => Some(Self::Cmd),
            _ => None,
        }
    }

    /// The shell that runs awsmfa: the nearest one among the programs above it, then `$SHELL`, then the platform's own.
    pub(crate) fn detect(ancestors: impl IntoIterator<Item = String>, login_shell: Option<&str>) -> Self {
        let default = if cfg!(windows) { Self::PowerShell } else { Self::Sh };
        let running = ancestors.into_iter().find_map(|name| Self::of_program(&name));
        running.or_else(|| login_shell.and_then(Self::of_program)).unwrap_or(default)
    }

    /// The block that makes the changes: one statement a line, all of it or, for the POSIX shells, nothing of it.
    ///
    /// # Errors
    /// A value that this shell can't carry.
    pub(crate) fn render(self, changes: &[Change], style: Style) -> Result<Zeroizing<String>, Error> {
        // Large enough that the block never moves and leaves a copy behind.
        let length =
            changes.iter().map(|change| 256 + change.value.as_ref().map_or(0, |value| 8 * value.expose().len()));
        let mut block = Zeroizing::new(String::with_capacity(4096 + length.sum::<usize>()));
        match self {
            Self::Bash | Self::Zsh | Self::Sh => {
                // A read-only variable makes the subshell fail before anything is changed. And no statement runs after
                // one that failed: bash, for one, would go on and end in success.
                let names: Vec<_> = changes.iter().map(|change| change.name).collect();
                line(&mut block, format_args!("(unset {}) &&", names.join(" ")));
                self.statements(&mut block, changes, style, " &&")?;
                line(&mut block, format_args!(":"));
            }
            Self::Fish => {
                self.statements(&mut block, changes, style, "")?;
                for name in IN_THE_WAY.iter().filter(|name| style.warn && cleared(changes, name)) {
                    line(
                        &mut block,
                        format_args!(
                            "set -q -U {name}; and echo 'awsmfa: warning: the universal variable {name} is yours and stays, \
                         but outranks the session; to erase it: set -e -U {name}' >&2",
                        ),
                    );
                }
                line(&mut block, format_args!("true"));
            }
            Self::PowerShell => self.statements(&mut block, changes, style, "")?,
            Self::Cmd => {
                self.statements(&mut block, changes, style, "")?;
                line(&mut block, format_args!("cmd /c exit 0"));
            }
        }
        Ok(block)
    }

    fn statements(self, block: &mut String, changes: &[Change], style: Style, end: &str) -> Result<(), Error> {
        for Change { name, value } in changes {
            let Some(value) = value else {
                match self {
                    Self::Bash | Self::Zsh | Self::Sh => line(block, format_args!("unset {name}{end}")),
                    // A bare `set -e` would leave status 4 behind when there is no such variable, and would erase a
                    // universal one for every session.
                    Self::Fish => line(block, format_args!("set -q -g {name}; and set -e -g {name}")),
                    Self::PowerShell => {
                        line(block, format_args!("Remove-Item -LiteralPath Env:{name} -ErrorAction SilentlyContinue"));
                    }
                    Self::Cmd => {
                        line(block, format_args!("SET \"{name}=\""));
                        // What is in the way was never put there by awsmfa: that stays the person's own.
                        if style.persist && !IN_THE_WAY.contains(name) {
                            line(block, format_args!("REG DELETE HKCU\\Environment /F /V {name}"));
                        }
                    }
                }
                continue;
            };
            let value = value.expose();
            let refuse = |reason| Error::Unquotable { name, shell: self.name(), reason };
            let quoted = self.quote(value).map_err(refuse)?;
            match self {
                Self::Bash | Self::Zsh | Self::Sh => line(block, format_args!("export {name}={}{end}", *quoted)),
                Self::Fish => line(block, format_args!("set -gx {name} {}", *quoted)),
                Self::PowerShell => line(block, format_args!("$env:{name} = {}", *quoted)),
                Self::Cmd => {
                    line(block, format_args!("SET \"{name}={}\"", *quoted));
                    if style.persist {
                        if value.len() > SETX_LIMIT {
                            return Err(Error::SetxTooLong { name, length: value.len(), limit: SETX_LIMIT });
                        }
                        // SETX is a program: a backslash before its closing quote would escape that.
                        let end = &value[value.trim_end_matches('\\').len()..];
                        line(block, format_args!("SETX {name} \"{}{end}\"", *quoted));
                    }
                }
            }
        }
        Ok(())
    }

    /// The value as this shell reads it back byte for byte; or why it can't.
    fn quote(self, value: &str) -> Result<Zeroizing<String>, &'static str> {
        if value.contains('\0') {
            return Err("has a NUL character, which no environment can carry");
        }
        let quoted = match self {
            Self::Bash | Self::Zsh | Self::Sh => posix(value).into_owned(),
            Self::Fish => format!("'{}'", value.replace('\\', r"\\").replace('\'', r"\'")),
            Self::PowerShell if value.contains(['\n', '\r']) => return Err("has a line break"),
            Self::PowerShell => {
                let mut quoted = String::with_capacity(2 + 2 * value.len());
                quoted.push('\'');
                for letter in value.chars() {
                    // PowerShell takes the typographic quotes for apostrophes.
                    if matches!(letter, '\'' | '\u{2018}'..='\u{201b}') {
                        quoted.push(letter);
                    }
                    quoted.push(letter);
                }
                quoted.push('\'');
                quoted
            }
            Self::Cmd if value.contains(['"', '%', '!']) => {
                return Err("has a `\"`, `%` or `!`, which cmd can't quote");
            }
            Self::Cmd if value.contains(|letter: char| !matches!(letter, ' '..='~')) => {
                return Err("has a character that is not printable ASCII");
            }
            Self::Cmd => value.to_owned(),
        };
        Ok(Zeroizing::new(quoted))
    }

    /// A statement that does nothing but fail: what `eval` shall see instead of an empty text, which would succeed.
    /// PowerShell needs none, since there empty text is an error already.
    pub(crate) fn failure(self) -> &'static str {
        match self {
            Self::Bash | Self::Zsh | Self::Sh | Self::Fish => "false\n",
            Self::PowerShell => "",
            Self::Cmd => "cmd /c exit 1\n",
        }
    }

    /// The line to type so that the running shell takes over what `command` prints.
    pub(crate) fn one_liner(self, command: &str) -> String {
        match self {
            Self::Bash | Self::Zsh | Self::Sh => format!("eval \"$({command})\""),
            Self::Fish => format!("{command} | source"),
            Self::PowerShell => format!("{command} | Out-String | Invoke-Expression"),
            Self::Cmd => format!("for /f \"delims=\" %i in ('{command}') do @%i >NUL 2>&1"),
        }
    }

    /// The text as one word of a command line, for showing to a person; unquoted where that is safe.
    pub(crate) fn word(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Bash | Self::Zsh | Self::Sh | Self::Fish => shell_escape::unix::escape(text.into()),
            Self::PowerShell | Self::Cmd => shell_escape::windows::escape(text.into()),
        }
    }

    /// The name by which `--shell` knows it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Sh => "sh",
            Self::Fish => "fish",
            Self::PowerShell => "powershell",
            Self::Cmd => "cmd",
        }
    }
}

/// Always in quotes: shell-escape leaves harmless words bare, but zsh expands a bare `=ls` to the path of `ls`.
fn posix(value: &str) -> Cow<'_, str> {
    match shell_escape::unix::escape(value.into()) {
        Cow::Borrowed(plain) => format!("'{plain}'").into(),
        quoted @ Cow::Owned(_) => quoted,
    }
}

fn cleared(changes: &[Change], name: &str) -> bool {
    changes.iter().any(|change| change.name == name && change.value.is_none())
}

fn line(block: &mut String, text: std::fmt::Arguments) {
    // Writing to a string can't fail.
    let _ = writeln!(block, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Secret;
    use Shell::{Bash, Cmd, Fish, PowerShell, Sh, Zsh};

    const STYLE: Style = Style { persist: true, warn: true };

    fn set(value: &str) -> Change {
        Change { name: "AWS_REGION", value: Some(Secret::new(value.to_owned())) }
    }

    fn clear(name: &'static str) -> Change {
        Change { name, value: None }
    }

    fn render(shell: Shell, changes: &[Change]) -> Result<String, String> {
        shell.render(changes, STYLE).map(|block| block.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn every_value_stands_in_quotes_that_its_shell_reads_back() {
        for (value, posix, fish, powershell) in [
            ("eu-central-1", "'eu-central-1'", "'eu-central-1'", "'eu-central-1'"),
            ("", "''", "''", "''"),
            ("=ls", "'=ls'", "'=ls'", "'=ls'"),
            ("~", "'~'", "'~'", "'~'"),
            ("it's", r"'it'\''s'", r"'it\'s'", "'it''s'"),
            (r"a\\b\", r"'a\\b\'", r"'a\\\\b\\'", r"'a\\b\'"),
            ("$(x) `y` !z", r"'$(x) `y` '\!'z'", "'$(x) `y` !z'", "'$(x) `y` !z'"),
            ("‘a’ ‚b‛", "'‘a’ ‚b‛'", "'‘a’ ‚b‛'", "'‘‘a’’ ‚‚b‛‛'"),
        ] {
            for shell in [Bash, Zsh, Sh] {
                assert_eq!(shell.quote(value).as_deref(), Ok(&posix.to_owned()), "{value}");
            }
            assert_eq!(Fish.quote(value).as_deref(), Ok(&fish.to_owned()), "{value}");
            assert_eq!(PowerShell.quote(value).as_deref(), Ok(&powershell.to_owned()), "{value}");
        }
    }

    #[test]
    fn what_a_shell_cannot_carry_is_refused_by_name() {
        for shell in [Bash, Zsh, Sh, Fish, PowerShell, Cmd] {
            let error = format!(
                "`AWS_REGION` has a NUL character, which no environment can carry, so the statements can't be written for {}",
                shell.name()
            );
            assert_eq!(render(shell, &[set("a\0b")]), Err(error));
        }
        for (shell, value, reason) in [
            (PowerShell, "a\nb", "has a line break"),
            (PowerShell, "a\rb", "has a line break"),
            (Cmd, "a\"b", "has a `\"`, `%` or `!`, which cmd can't quote"),
            (Cmd, "%PATH%", "has a `\"`, `%` or `!`, which cmd can't quote"),
            (Cmd, "a!b", "has a `\"`, `%` or `!`, which cmd can't quote"),
            (Cmd, "a\nb", "has a character that is not printable ASCII"),
            (Cmd, "ä", "has a character that is not printable ASCII"),
        ] {
            let error = format!("`AWS_REGION` {reason}, so the statements can't be written for {}", shell.name());
            assert_eq!(render(shell, &[set(value)]), Err(error));
        }
    }

    #[test]
    fn a_block_is_one_statement_a_line() {
        let changes = [set("x"), clear("AWS_ACCOUNT_ID"), clear("AWS_PROFILE")];
        for (shell, block) in [
            (
                Sh,
                "(unset AWS_REGION AWS_ACCOUNT_ID AWS_PROFILE) &&\nexport AWS_REGION='x' &&\nunset AWS_ACCOUNT_ID &&\n\
                 unset AWS_PROFILE &&\n:\n",
            ),
            (
                Fish,
                "set -gx AWS_REGION 'x'\nset -q -g AWS_ACCOUNT_ID; and set -e -g AWS_ACCOUNT_ID\n\
                 set -q -g AWS_PROFILE; and set -e -g AWS_PROFILE\n\
                 set -q -U AWS_PROFILE; and echo 'awsmfa: warning: the universal variable AWS_PROFILE is yours and stays, \
                 but outranks the session; to erase it: set -e -U AWS_PROFILE' >&2\ntrue\n",
            ),
            (
                PowerShell,
                "$env:AWS_REGION = 'x'\nRemove-Item -LiteralPath Env:AWS_ACCOUNT_ID -ErrorAction SilentlyContinue\n\
                 Remove-Item -LiteralPath Env:AWS_PROFILE -ErrorAction SilentlyContinue\n",
            ),
            (
                Cmd,
                "SET \"AWS_REGION=x\"\nSETX AWS_REGION \"x\"\nSET \"AWS_ACCOUNT_ID=\"\n\
                 REG DELETE HKCU\\Environment /F /V AWS_ACCOUNT_ID\nSET \"AWS_PROFILE=\"\ncmd /c exit 0\n",
            ),
        ] {
            assert_eq!(render(shell, &changes).as_deref(), Ok(block));
        }
    }

    #[test]
    fn setx_gets_a_backslash_before_its_closing_quote_doubled_and_no_more_than_it_can_store() {
        assert_eq!(
            render(Cmd, &[set(r"a\b\\")]).as_deref(),
            Ok("SET \"AWS_REGION=a\\b\\\\\"\nSETX AWS_REGION \"a\\b\\\\\\\\\"\ncmd /c exit 0\n")
        );
        assert!(render(Cmd, &[set(&"x".repeat(1024))]).is_ok());
        assert_eq!(
            render(Cmd, &[set(&"x".repeat(1025))]).unwrap_err(),
            "`AWS_REGION` has 1025 characters, of which SETX would store 1024"
        );
        let window = Style { persist: false, ..STYLE };
        assert!(Cmd.render(&[set(&"x".repeat(1025))], window).is_ok());
    }

    #[test]
    fn the_shell_is_the_nearest_one_above_then_the_login_shell() {
        let detect = |above: &[&str], login| Shell::detect(above.iter().map(|name| (*name).to_owned()), login);
        assert_eq!(detect(&["/usr/bin/fish", "/bin/bash"], Some("/bin/zsh")), Fish);
        assert_eq!(detect(&["/usr/bin/env", "make", "/usr/bin/dash", "bash"], None), Sh);
        assert_eq!(detect(&["sshd", "systemd"], Some("/usr/local/bin/zsh")), Zsh);
        assert_eq!(detect(&[r"C:\Program Files\PowerShell\7\PWSH.EXE"], None), PowerShell);
        assert_eq!(detect(&["cmd.exe", "explorer.exe"], None), Cmd);
        assert_eq!(detect(&["-bash"], None), Bash);
        assert_eq!(detect(&[], None), if cfg!(windows) { PowerShell } else { Sh });
    }
}
