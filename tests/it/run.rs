//! Runs the real binary, in surroundings that a test has described completely.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::server::Sandbox;

/// The binary under test.
pub(crate) const AWSMFA: &str = env!("CARGO_BIN_EXE_awsmfa");

/// The serial number of `msgcxp`'s device.
pub(crate) const DEVICE: &str = "arn:aws:iam::123456789012:mfa/miket92";

/// The program `nu`, which is no package of the system: where the variable `NU` says, else on the path.
pub(crate) fn nu() -> String {
    std::env::var("NU").unwrap_or("nu".to_owned())
}

/// A home directory and an environment, from which the binary or a shell is run. Nothing is inherited but the path.
pub(crate) struct Home {
    directory: TempDir,
    variables: BTreeMap<String, String>,
}

impl Home {
    /// A home whose files are the sandbox's example profiles, and whose STS is the sandbox.
    pub(crate) fn new(sandbox: &Sandbox) -> Self {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sandbox");
        let read = |name| fs::read_to_string(examples.join(name)).expect("an example file");
        Self::with_files(sandbox, &read("config"), &read("credentials"))
    }

    /// A home with these two files.
    pub(crate) fn with_files(sandbox: &Sandbox, config: &str, credentials: &str) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let aws = directory.path().join(".aws");
        fs::create_dir(&aws).expect("a directory");
        fs::write(aws.join("config"), config).expect("a file");
        fs::write(aws.join("credentials"), credentials).expect("a file");
        let binaries = Path::new(AWSMFA).parent().expect("a directory").display();
        let home = directory.path().display().to_string();
        let variables = [
            ("AWS_ENDPOINT_URL", sandbox.endpoint()),
            ("HOME", home.clone()),
            ("LC_ALL", "C.UTF-8".to_owned()),
            ("PATH", format!("{binaries}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")),
            ("TERM", "dumb".to_owned()),
            ("USERPROFILE", home),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value)).into();
        Self { directory, variables }
    }

    /// The file below `~/.aws`.
    pub(crate) fn aws_file(&self, name: &str) -> PathBuf {
        self.directory.path().join(".aws").join(name)
    }

    /// The home directory.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The same surroundings with a variable more.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The value of a variable of these surroundings.
    pub(crate) fn variable(&self, name: &str) -> &str {
        &self.variables[name]
    }

    /// A command in these surroundings.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.variables).current_dir(self.path());
        command
    }

    /// Runs awsmfa without standard input and, on Unix, without a terminal.
    pub(crate) fn awsmfa<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Ran {
        self.awsmfa_with_input("", arguments)
    }

    /// Runs awsmfa with this text as standard input.
    pub(crate) fn awsmfa_with_input<'a>(&self, input: &str, arguments: impl IntoIterator<Item = &'a str>) -> Ran {
        let mut command = self.command(if cfg!(unix) { "setsid" } else { AWSMFA });
        if cfg!(unix) {
            // A session of its own has no terminal, whatever the tests are run from.
            command.args(["--wait", AWSMFA]);
        }
        command.args(arguments);
        Ran::of(command, input)
    }

    /// Runs a script in a shell, `bash` or `fish --no-config` for example.
    pub(crate) fn shell(&self, shell: &str, script: &str) -> Ran {
        let mut words = shell.split(' ');
        let mut command = self.command(words.next().expect("a shell"));
        command.args(words).args(["-c", script]);
        Ran::of(command, "")
    }
}

/// What a program did.
pub(crate) struct Ran {
    /// The exit status; `None` when a signal ended it.
    pub(crate) status: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Ran {
    /// Runs the command to its end.
    pub(crate) fn of(mut command: Command, input: &str) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("`{name}` is needed for the tests: {error}"));
        // A program that needs no input may have ended already.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("the program's output");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Asserts the exit status.
    #[track_caller]
    pub(crate) fn status(&self, status: i32) -> &Self {
        assert_eq!(self.status, Some(status), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Asserts the whole of standard output.
    #[track_caller]
    pub(crate) fn stdout(&self, expected: &str) -> &Self {
        assert_eq!(self.stdout, expected, "stderr: {}", self.stderr);
        self
    }

    /// Asserts the whole of standard error.
    #[track_caller]
    pub(crate) fn stderr(&self, expected: &str) -> &Self {
        assert_eq!(self.stderr, expected, "stdout: {}", self.stdout);
        self
    }
}
