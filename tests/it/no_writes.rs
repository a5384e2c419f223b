//! awsmfa never writes a file: told by strace, which sees every system call that could.
//!
//! What is looked at ends where `exec` becomes the command: what that does is its own business.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::run::{AWSMFA, DEVICE, Home, Ran};
use crate::screen::Screen;
use crate::server::{Sandbox, World};

/// All calls that open a file, and all that make, change, move or remove one. Those with `?` are not on every processor.
const CALLS: &str = "trace=execve,?execveat,?open,openat,?openat2,?open_by_handle_at,?creat,?rename,?renameat,renameat2,\
                     ?unlink,unlinkat,?rmdir,?mkdir,mkdirat,?link,linkat,?symlink,symlinkat,?mknod,mknodat,truncate,\
                     ftruncate,fallocate,copy_file_range,sendfile,?chmod,fchmod,fchmodat,?fchmodat2,?chown,fchown,?lchown,\
                     fchownat,?utime,?utimes,?futimesat,utimensat,setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,\
                     fremovexattr,memfd_create,bind,mount,?io_uring_setup";

/// Where a trace goes: outside of what is traced.
struct Trace {
    directory: TempDir,
}

impl Trace {
    fn new() -> Self {
        Self { directory: TempDir::new().expect("a temporary directory") }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("trace")
    }

    /// strace, to be followed by the program and its arguments.
    fn command(&self, home: &Home, program: &str) -> Command {
        let mut command = home.command("strace");
        command.args(["-f", "-qq", "-e", CALLS, "-e", "signal=none", "-o"]).arg(self.file()).arg(program);
        command
    }

    /// The calls of the program alone, up to the next one that takes its place.
    fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.file()).expect("a trace");
        // `1234  openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3`
        let mut calls = text.lines().map(|line| line.split_once(' ').map_or(line, |(_, call)| call.trim_start()));
        let start = calls.next().expect("a call");
        assert!(start.starts_with("execve("), "{start}");
        let calls = calls
            .take_while(|call| !call.starts_with("execve") || call.contains("= -1 "))
            .filter(|call| !call.starts_with("+++"));
        calls.map(str::to_owned).collect()
    }

    /// The calls among them that write, or could.
    fn writes(&self) -> Vec<String> {
        self.calls().into_iter().filter(|call| !is_harmless(call)).collect()
    }
}

/// Whether the call opens a file for nothing but reading, or opens the terminal or the null device, or is the second half
/// of one that was interrupted by another thread's.
fn is_harmless(call: &str) -> bool {
    const WRITING: [&str; 6] = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND", "O_TMPFILE"];
    let opens = ["open(", "openat(", "openat2("].iter().any(|name| call.starts_with(name));
    let device = ["\"/dev/tty\"", "\"/dev/null\""].iter().any(|device| call.contains(device));
    opens && (device || !WRITING.iter().any(|flag| call.contains(flag))) || call.starts_with("<... open")
}

/// Runs awsmfa under strace, without a terminal, and asserts that it wrote nothing. Tells the calls too.
#[track_caller]
fn traced(home: &Home, input: &str, arguments: &[&str]) -> (Ran, Vec<String>) {
    let trace = Trace::new();
    let strace = trace.command(home, AWSMFA);
    let mut command = home.command("setsid");
    command.arg("--wait").arg(strace.get_program()).args(strace.get_args()).args(arguments);
    let ran = Ran::of(command, input);
    assert_eq!(trace.writes(), [""; 0], "{arguments:?}");
    (ran, trace.calls())
}

#[track_caller]
fn assert_no_writes(home: &Home, input: &str, arguments: &[&str]) -> Ran {
    traced(home, input, arguments).0
}

/// Asserts also that it read the profiles: the trace is not empty for another reason.
#[track_caller]
fn assert_reads_alone(home: &Home, input: &str, arguments: &[&str]) -> Ran {
    let (ran, calls) = traced(home, input, arguments);
    assert!(calls.iter().any(|call| call.contains("/.aws/credentials\", O_RDONLY")), "{calls:?}");
    ran
}

#[test]
fn a_program_that_writes_is_found_out() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    for (script, call) in [
        ("echo >file", "openat("),
        (": >>file", "openat("),
        ("mkdir directory", "mkdir"),
        ("mv .aws/config config", "rename"),
        ("rm .aws/config", "unlinkat("),
        ("ln -s a b", "symlink"),
        ("touch .aws/credentials", "openat("),
        ("chmod 600 .aws/credentials", "fchmodat"),
    ] {
        let home = Home::new(&sandbox);
        let trace = Trace::new();
        let mut command = trace.command(&home, "/bin/sh");
        // Not in a child, whose calls would not be looked at.
        command.args(["-c", script]);
        let words: Vec<_> = script.split(' ').collect();
        if !script.contains('>') {
            command = trace.command(&home, words[0]);
            command.args(&words[1..]);
        }
        Ran::of(command, "").status(0);
        assert!(trace.writes().iter().any(|write| write.starts_with(call)), "{script}: {:?}", trace.writes());
    }
    // A program that reads is not.
    let trace = Trace::new();
    let mut command = trace.command(&home, "cat");
    command.arg(".aws/config");
    Ran::of(command, "").status(0);
    assert_eq!(trace.writes(), [""; 0]);
}

#[test]
fn buying_a_session_writes_no_file() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    for shell in ["bash", "fish", "powershell", "cmd"] {
        assert_reads_alone(&home, "", &["env", "--no-setx", "-s", shell, "-p", "readonly"]).status(0);
    }
    // The shell is looked for among the processes; the device is asked for; roles in a chain; a code on standard input.
    assert_reads_alone(&home, "", &["env", "-p", "msgcxp", "-t", &sandbox.code(DEVICE)]).status(0);
    assert_reads_alone(&home, "", &["env", "-p", "release", "-t", &sandbox.code(DEVICE)]).status(0);
    assert_reads_alone(&home, &sandbox.code(DEVICE), &["env", "-p", "admin", "-t", "-"]).status(0);
}

#[test]
fn buying_a_session_over_tls_writes_no_file() {
    let sandbox = Sandbox::start_tls(World::default());
    let home = Home::new(&sandbox);
    let authority = home.path().join("authority.pem");
    fs::write(&authority, sandbox.ca_pem()).expect("a file");
    let home = home.env("SSL_CERT_FILE", &authority.display().to_string());
    assert_reads_alone(&home, "", &["env", "-p", "msgcxp", "-t", &sandbox.code(DEVICE)]).status(0);
    // The system's own authorities, none of whom signed this one.
    let home = home.env("SSL_CERT_FILE", "");
    assert_reads_alone(&home, "", &["env", "-p", "readonly"]).status(1);
}

#[test]
fn running_a_command_writes_no_file() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    assert_reads_alone(&home, "", &["exec", "-p", "readonly", "--", "touch", "child"]).status(0);
    assert!(home.path().join("child").exists());
    let session = home.awsmfa(["exec", "-q", "-p", "readonly", "--", "env"]);
    let held =
        session.stdout.lines().filter_map(|line| line.split_once('=')).filter(|(name, _)| name.starts_with("AWS"));
    let home = held.fold(home, |home, (name, value)| home.env(name, value));
    assert_no_writes(&home, "", &["exec", "--", "true"]).status(0).stderr("");
    assert_no_writes(&home, "", &["exec"]).status(0);
    assert_no_writes(&home, "", &["exec", "--", "no-such-command"]).status(127);
}

#[test]
fn what_asks_nobody_and_what_fails_writes_no_file() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    for arguments in
        [&["--help"][..], &["--version"], &["env", "--help"], &["env", "--unset"], &["env", "--unset", "-s", "cmd"]]
    {
        assert_no_writes(&home, "", arguments).status(0);
    }
    for arguments in [&["env", "--dry-run", "-p", "release"][..], &["exec", "--dry-run", "-p", "deploy"]] {
        assert_reads_alone(&home, "", arguments).status(0);
    }
    assert_no_writes(&home, "", &["env", "--no-such-option"]).status(2);
    let wrong = sandbox.wrong_code(DEVICE);
    for arguments in [&["env", "-p", "nobody"][..], &["env", "-p", "deploy", "-t", &wrong], &["env", "-p", "deploy"]] {
        assert_reads_alone(&home, "", arguments).status(1).stdout("false\n");
    }
    fs::remove_file(home.aws_file("config")).expect("the file");
    assert_reads_alone(&home, "", &["env", "-p", "deploy"]).status(1);
}

#[test]
fn asking_for_a_code_on_the_terminal_writes_no_file() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let trace = Trace::new();
    let mut command = trace.command(&home, AWSMFA);
    command.args(["env", "-s", "sh", "-p", "deploy"]);
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let mut screen = Screen::new(&home, words.map(|word| word.to_str().expect("UTF-8")));
    for code in [sandbox.wrong_code(DEVICE), sandbox.code(DEVICE)] {
        screen.wait_for("token code for profile deploy");
        screen.type_in(&format!("{code}\n"));
    }
    screen.wait_for("export AWS_SESSION_TOKEN=");
    assert!(screen.end().0.success());
    assert_eq!(trace.writes(), [""; 0]);
    assert!(trace.calls().iter().any(|call| call.contains("\"/dev/tty\", O_RDWR")), "{:?}", trace.calls());
}

#[test]
fn status_writes_no_file_and_reads_none_of_awss() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox)
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    for arguments in [&["status"][..], &["status", "--format", "prompt"], &["status", "--check"]] {
        let (ran, calls) = traced(&home, "", arguments);
        ran.status(1).stderr("");
        assert!(!calls.iter().any(|call| call.contains("/.aws/")), "{arguments:?}: {calls:?}");
    }
}

#[test]
fn the_formats_and_the_shell_integration_write_no_file() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    for format in ["json", "ini", "env-file"] {
        assert_reads_alone(&home, "", &["env", "-p", "readonly", "--format", format]).status(0);
    }
    for arguments in [&["init", "bash"][..], &["completions", "zsh"], &["--integration", "sh", "off"]] {
        assert_no_writes(&home, "", arguments).status(0);
    }
    assert_reads_alone(&home, "", &["--integration", "sh", "use", "readonly"]).status(0);
    assert_reads_alone(&home, "", &["complete", "bash", "--word=ms", "--", "awsmfa", "use"])
        .status(0)
        .stdout("msgcxp\n");
    assert_no_writes(&home, "", &["use", "readonly"]).status(1);
}
