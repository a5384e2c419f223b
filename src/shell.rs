//! Shells: how each quotes a value, sets and clears a variable, and fails on purpose.
//!
//! Pure. Names of variables are constants, so only values are quoted; a value that a shell can't carry is refused before
//! anything is printed.

use std::borrow::Cow;
use std::fmt::Write;

use aws_smithy_json::serialize::JsonValueWriter;
use clap::ValueEnum;
use zeroize::Zeroizing;

use crate::environment::{Change, IN_THE_WAY};
use crate::error::Error;

/// `SETX` cuts a longer value with no more than a warning.
/// Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/setx>
const SETX_LIMIT: usize = 1024;

/// A line of cmd ends at 8191 characters; the statement around the value needs some of them.
/// Source: <https://learn.microsoft.com/troubleshoot/windows-client/shell-experience/command-line-string-limitation>
const CMD_LIMIT: usize = 8000;

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
    /// Nushell
    Nushell,
    /// Elvish
    Elvish,
    /// tcsh, also where it is called csh
    Tcsh,
    /// xonsh
    Xonsh,
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
            "nu" => Some(Self::Nushell),
            "elvish" => Some(Self::Elvish),
            "tcsh" | "csh" => Some(Self::Tcsh),
            "xonsh" => Some(Self::Xonsh),
            _ => None,
        }
    }

    /// The shell that runs awsmfa: the nearest one among the programs above it, then `$SHELL`, then the platform's own.
    pub(crate) fn detect(ancestors: impl IntoIterator<Item = String>, login_shell: Option<&str>) -> Self {
        let default = if cfg!(windows) { Self::PowerShell } else { Self::Sh };
        let running = ancestors.into_iter().find_map(|name| Self::of_program(&name));
        running.or_else(|| login_shell.and_then(Self::of_program)).unwrap_or(default)
    }

    /// The block that makes the changes, one statement a line. The POSIX shells make all of them or none, and nushell,
    /// elvish and xonsh read the block to its end before they make the first.
    ///
    /// # Errors
    /// A value that this shell can't carry.
    pub(crate) fn render(self, changes: &[Change], style: Style) -> Result<Zeroizing<String>, Error> {
        // Large enough that the block never moves and leaves a copy behind.
        let length =
            changes.iter().map(|change| 256 + change.value.as_ref().map_or(0, |value| 8 * value.expose().len()));
        let mut block = Zeroizing::new(String::with_capacity(4096 + length.sum::<usize>()));
        let names = || changes.iter().map(|change| change.name).collect::<Vec<_>>().join(" ");
        let (start, between, end) = match self {
            // A read-only variable makes the subshell fail before anything is changed. And no statement runs after one
            // that failed: bash, for one, would go on and end in success.
            Self::Bash | Self::Zsh | Self::Sh => (format!("(unset {}) &&\n", names()), " &&\n", " &&\n:\n".to_owned()),
            Self::Fish => (String::new(), "\n", format!("\n{}true\n", fish_warnings(changes, style))),
            Self::Cmd => (String::new(), "\n", "\ncmd /c exit 0\n".to_owned()),
            // A record for `load-env`, since nushell evaluates no text.
            Self::Nushell => ("{\n".to_owned(), ",\n", "\n}\n".to_owned()),
            // Its eval gets the lines as one.
            Self::Tcsh => (String::new(), ";\n", ";\n".to_owned()),
            Self::PowerShell | Self::Elvish | Self::Xonsh => (String::new(), "\n", "\n".to_owned()),
        };
        block.push_str(&start);
        for (number, Change { name, value }) in changes.iter().enumerate() {
            if number > 0 {
                block.push_str(between);
            }
            match value {
                Some(value) => self.set(&mut block, name, value.expose(), style)?,
                None => self.unset(&mut block, name, style),
            }
        }
        block.push_str(&end);
        Ok(block)
    }

    fn set(self, block: &mut String, name: &'static str, value: &str, style: Style) -> Result<(), Error> {
        self.check(name, value)?;
        let quoted = &*self.quote(value);
        match self {
            Self::Bash | Self::Zsh | Self::Sh => write(block, format_args!("export {name}={quoted}")),
            Self::Fish => write(block, format_args!("set -gx {name} {quoted}")),
            Self::PowerShell => write(block, format_args!("$env:{name} = {quoted}")),
            Self::Cmd => {
                write(block, format_args!("SET \"{name}={quoted}\""));
                if style.persist {
                    if value.len() > SETX_LIMIT {
                        return Err(Error::SetxTooLong { name, length: value.len(), limit: SETX_LIMIT });
                    }
                    // SETX is a program: a backslash before its closing quote would escape that.
                    let end = &value[value.trim_end_matches('\\').len()..];
                    write(block, format_args!("\nSETX {name} \"{quoted}{end}\""));
                }
            }
            Self::Nushell => write(block, format_args!("\"{name}\": {quoted}")),
            Self::Elvish => write(block, format_args!("set-env {name} {quoted}")),
            Self::Tcsh => write(block, format_args!("setenv {name} {quoted}")),
            Self::Xonsh => write(block, format_args!("${name} = {quoted}")),
        }
        Ok(())
    }

    fn unset(self, block: &mut String, name: &'static str, style: Style) {
        match self {
            Self::Bash | Self::Zsh | Self::Sh => write(block, format_args!("unset {name}")),
            // A bare `set -e` would leave status 4 behind when there is no such variable, and would erase a universal one
            // for every session.
            Self::Fish => write(block, format_args!("set -q -g {name}; and set -e -g {name}")),
            Self::PowerShell => {
                write(block, format_args!("Remove-Item -LiteralPath Env:{name} -ErrorAction SilentlyContinue"));
            }
            Self::Cmd => {
                write(block, format_args!("SET \"{name}=\""));
                // What is in the way was never put there by awsmfa: that stays the person's own.
                if style.persist && !IN_THE_WAY.contains(&name) {
                    write(block, format_args!("\nREG DELETE HKCU\\Environment /F /V {name}"));
                }
            }
            // No child sees it any more, though the name stays in `$env`: only `hide-env` takes that away.
            Self::Nushell => write(block, format_args!("\"{name}\": null")),
            Self::Elvish => write(block, format_args!("unset-env {name}")),
            Self::Tcsh => write(block, format_args!("unsetenv {name}")),
            // `del` would raise an error where there is no such variable.
            Self::Xonsh => write(block, format_args!("${{...}}.pop('{name}', None)")),
        }
    }

    /// Makes sure that this shell can carry the variable's value.
    ///
    /// # Errors
    /// It can't.
    pub(crate) fn check(self, name: &'static str, value: &str) -> Result<(), Error> {
        let refuse = |reason| Err(Error::Unquotable { name, reason, target: self.name() });
        self.refusal(value).map_or(Ok(()), refuse)
    }

    /// Why this shell can't carry the value, if it can't.
    fn refusal(self, value: &str) -> Option<&'static str> {
        match self {
            _ if value.contains('\0') => Some("has a NUL character"),
            // To set nothing is to clear: in cmd, and in PowerShell before 7.5.
            Self::PowerShell | Self::Cmd if value.is_empty() => Some("is empty"),
            Self::PowerShell if value.contains(['\n', '\r']) => Some("has a line break"),
            Self::Tcsh if value.contains('\n') => Some("has a line break"),
            Self::Cmd if value.contains(['"', '%', '!']) => Some("has a `\"`, `%` or `!`"),
            Self::Cmd if value.contains(|letter: char| !matches!(letter, ' '..='~')) => {
                Some("has a character that is not printable ASCII")
            }
            Self::Cmd if value.len() > CMD_LIMIT => Some("has more than 8000 characters"),
            _ => None,
        }
    }

    /// The value as this shell reads it back byte for byte, if it can.
    fn quote(self, value: &str) -> Zeroizing<String> {
        let mut quoted = Zeroizing::new(String::with_capacity(8 + 6 * value.len()));
        match self {
            Self::Bash | Self::Zsh | Self::Sh => quoted.push_str(&posix(value)),
            // Statements for cmd have the quotes around the name as well.
            Self::Cmd => quoted.push_str(value),
            Self::Nushell => JsonValueWriter::new(&mut quoted).string(value),
            Self::Fish | Self::PowerShell | Self::Elvish | Self::Tcsh | Self::Xonsh => {
                quoted.push('\'');
                for letter in value.chars() {
                    match (self, letter) {
                        (Self::Fish | Self::Xonsh, '\\' | '\'') => quoted.extend(['\\', letter]),
                        // A Python literal ends with its line.
                        (Self::Xonsh, '\n') => quoted.push_str("\\n"),
                        (Self::Xonsh, '\r') => quoted.push_str("\\r"),
                        // PowerShell takes the typographic quotes for apostrophes.
                        (Self::PowerShell, '\u{2018}'..='\u{201b}') | (Self::PowerShell | Self::Elvish, '\'') => {
                            quoted.extend([letter; 2]);
                        }
                        // tcsh looks for `!` between quotes too, and with `backslash_quote` for backslashes.
                        (Self::Tcsh, '\'' | '!' | '\\') => quoted.extend(['\'', '\\', letter, '\'']),
                        _ => quoted.push(letter),
                    }
                }
                quoted.push('\'');
            }
        }
        quoted
    }

    /// A statement that does nothing but fail: what `eval` shall see instead of an empty text, which would succeed.
    /// PowerShell needs none, since there empty text is an error already. In nushell it is a value that `load-env` refuses.
    pub(crate) fn failure(self) -> &'static str {
        match self {
            Self::Bash | Self::Zsh | Self::Sh | Self::Fish | Self::Nushell | Self::Tcsh => "false\n",
            Self::PowerShell => "",
            Self::Cmd => "cmd /c exit 1\n",
            Self::Elvish => "fail 'awsmfa failed'\n",
            Self::Xonsh => "raise ChildProcessError('awsmfa failed')\n",
        }
    }

    /// The line to type so that the running shell takes over what `command` prints.
    pub(crate) fn one_liner(self, command: &str) -> String {
        match self {
            Self::Bash | Self::Zsh | Self::Sh => format!("eval \"$({command})\""),
            Self::Fish => format!("{command} | source"),
            Self::PowerShell => format!("{command} | Out-String | Invoke-Expression"),
            Self::Cmd => format!("for /f \"delims=\" %i in ('{command}') do @%i >NUL 2>&1"),
            Self::Nushell => format!("{command} | from json | default {{}} | load-env"),
            Self::Elvish => format!("eval ({command} | slurp)"),
            Self::Tcsh => format!("eval \"`{command}`\""),
            Self::Xonsh => format!("execx($({command}))"),
        }
    }

    /// The text as one word of a command line, for showing to a person; unquoted where that is safe.
    pub(crate) fn word(self, text: &str) -> Cow<'_, str> {
        match (self, shell_escape::unix::escape(text.into())) {
            (Self::Cmd, _) => shell_escape::windows::escape(text.into()),
            (_, Cow::Borrowed(plain)) => plain.into(),
            (_, quoted) if self.refusal(text).is_some() => quoted,
            _ => self.quote(text).to_string().into(),
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
            Self::Nushell => "nushell",
            Self::Elvish => "elvish",
            Self::Tcsh => "tcsh",
            Self::Xonsh => "xonsh",
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

/// fish: what says that a universal variable outranks the session, which no session may erase.
fn fish_warnings(changes: &[Change], style: Style) -> String {
    let names = IN_THE_WAY.iter().filter(|name| style.warn && cleared(changes, name));
    let warning = |name| {
        format!(
            "set -q -U {name}; and echo 'awsmfa: warning: the universal variable {name} is yours and stays, but outranks \
             the session; to erase it: set -e -U {name}' >&2\n"
        )
    };
    names.map(warning).collect()
}

fn write(block: &mut String, text: std::fmt::Arguments) {
    // Writing to a string can't fail.
    let _ = block.write_fmt(text);
}

#[cfg(all(test, unix))]
mod quoting;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Secret;
    use Shell::{Bash, Cmd, Elvish, Fish, Nushell, PowerShell, Sh, Tcsh, Xonsh, Zsh};

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
        let table = [
            ("eu-central-1", ["'eu-central-1'"; 6], "\"eu-central-1\""),
            ("=ls", ["'=ls'"; 6], "\"=ls\""),
            ("~", ["'~'"; 6], "\"~\""),
            ("it's", [r"'it'\''s'", r"'it'\''s'", r"'it\'s'", r"'it\'s'", "'it''s'", "'it''s'"], "\"it's\""),
            (
                r"a\\b\",
                [r"'a\\b\'", r"'a'\\''\\'b'\\''", r"'a\\\\b\\'", r"'a\\\\b\\'", r"'a\\b\'", r"'a\\b\'"],
                r#""a\\\\b\\""#,
            ),
            (
                "$(x) `y` !z",
                [
                    r"'$(x) `y` '\!'z'",
                    r"'$(x) `y` '\!'z'",
                    "'$(x) `y` !z'",
                    "'$(x) `y` !z'",
                    "'$(x) `y` !z'",
                    "'$(x) `y` !z'",
                ],
                "\"$(x) `y` !z\"",
            ),
            (
                "‘a’ ‚b‛",
                ["'‘a’ ‚b‛'", "'‘a’ ‚b‛'", "'‘a’ ‚b‛'", "'‘a’ ‚b‛'", "'‘a’ ‚b‛'", "'‘‘a’’ ‚‚b‛‛'"],
                "\"‘a’ ‚b‛\"",
            ),
        ];
        for (value, quoted, json) in table {
            for (shell, quoted) in [Sh, Tcsh, Fish, Xonsh, Elvish, PowerShell].into_iter().zip(quoted) {
                assert_eq!(*shell.quote(value), quoted, "{value} {shell:?}");
            }
            assert_eq!(*Nushell.quote(value), json, "{value}");
        }
        for shell in [Bash, Zsh, Sh, Tcsh, Fish, Xonsh, Elvish] {
            assert_eq!(*shell.quote(""), "''", "{shell:?}");
        }
        assert_eq!(*Xonsh.quote("a\r\nb"), r"'a\r\nb'");
    }

    #[test]
    fn what_a_shell_cannot_carry_is_refused_by_name() {
        let printable = "\"%!";
        for shell in Shell::value_variants() {
            let refused: String =
                ('\0'..='\u{ff}').filter(|letter| shell.refusal(&letter.to_string()).is_some()).collect();
            let expected: String = match shell {
                PowerShell => "\0\n\r".to_owned(),
                Tcsh => "\0\n".to_owned(),
                Cmd => ('\0'..='\u{ff}').filter(|c| !(' '..='~').contains(c) || printable.contains(*c)).collect(),
                _ => "\0".to_owned(),
            };
            assert_eq!(refused, expected, "{shell:?}");
            let error = format!("`AWS_REGION` has a NUL character, which {} can't carry", shell.name());
            assert_eq!(render(*shell, &[set("a\0b")]), Err(error));
        }
        for (shell, value, reason) in [
            (PowerShell, "", "is empty, which powershell can't carry"),
            (Cmd, "", "is empty, which cmd can't carry"),
            (PowerShell, "a\nb", "has a line break, which powershell can't carry"),
            (Tcsh, "a\nb", "has a line break, which tcsh can't carry"),
            (Cmd, "a\"b", "has a `\"`, `%` or `!`, which cmd can't carry"),
            (Cmd, "ä", "has a character that is not printable ASCII, which cmd can't carry"),
            (Cmd, &"x".repeat(8001), "has more than 8000 characters, which cmd can't carry"),
        ] {
            assert_eq!(render(shell, &[set(value)]), Err(format!("`AWS_REGION` {reason}")));
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
            (Nushell, "{\n\"AWS_REGION\": \"x\",\n\"AWS_ACCOUNT_ID\": null,\n\"AWS_PROFILE\": null\n}\n"),
            (Elvish, "set-env AWS_REGION 'x'\nunset-env AWS_ACCOUNT_ID\nunset-env AWS_PROFILE\n"),
            (Tcsh, "setenv AWS_REGION 'x';\nunsetenv AWS_ACCOUNT_ID;\nunsetenv AWS_PROFILE;\n"),
            (Xonsh, "$AWS_REGION = 'x'\n${...}.pop('AWS_ACCOUNT_ID', None)\n${...}.pop('AWS_PROFILE', None)\n"),
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
        assert_eq!(detect(&["/usr/bin/python3.11", "xonsh", "bash"], None), Xonsh);
        assert_eq!(detect(&["/opt/nu"], None), Nushell);
        assert_eq!(detect(&["elvish"], None), Elvish);
        assert_eq!(detect(&["-csh"], None), Tcsh);
        assert_eq!(detect(&[], None), if cfg!(windows) { PowerShell } else { Sh });
    }
}
