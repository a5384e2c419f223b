//! A pseudo-terminal with a program on it, and a person who reads and types.
//!
//! Not rexpect's, which turns the echo off before the program starts: here it is the program that has to.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::run::Home;

/// How long something may take that has to happen. Nothing is measured by it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A terminal, and the program that was started on it.
pub(crate) struct Screen {
    person: File,
    /// Kept open, so that the mode can be looked at when the program is gone.
    device: File,
    first_mode: String,
    program: Child,
    arriving: Receiver<Vec<u8>>,
    text: String,
    /// How much of the text has been waited for.
    read: usize,
}

impl Screen {
    /// Starts a program in these surroundings, with a new terminal as its own and as its three standard streams.
    pub(crate) fn new<'a>(home: &Home, words: impl IntoIterator<Item = &'a str>) -> Self {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&person).and_then(|()| unlockpt(&person)).expect("a terminal");
        let name = ptsname(&person, Vec::new()).expect("a terminal's name").into_string().expect("UTF-8");
        let flags = OFlags::NOCTTY.bits().cast_signed();
        let device = OpenOptions::new().read(true).write(true).custom_flags(flags).open(name).expect("a terminal");
        let first_mode = mode(&device);
        let stream = || Stdio::from(device.try_clone().expect("a handle"));
        let mut command = home.command("setsid");
        command.arg("--ctty").args(words).stdin(stream()).stdout(stream()).stderr(stream());
        let program = command.spawn().expect("`setsid` is needed for the tests");
        let person = File::from(person);
        let (sender, arriving) = channel();
        let mut reader = person.try_clone().expect("a handle");
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Ends when the screen is dropped: then nobody has the device open.
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { person, device, first_mode, program, arriving, text: String::new(), read: 0 }
    }

    /// Runs a script in a shell, `bash` or `fish --no-config` for example.
    pub(crate) fn script(home: &Home, shell: &str, script: &str) -> Self {
        Self::new(home, shell.split(' ').chain(["-c", script]))
    }

    /// Waits until this is on the screen, after what was waited for before.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(start) = self.text[self.read..].find(text) {
                self.read += start + text.len();
                return;
            }
            let bytes = self.arriving.recv_timeout(until.saturating_duration_since(Instant::now()));
            let bytes = bytes.unwrap_or_else(|_| panic!("{text:?} is not on the screen: {:?}", self.text));
            self.text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    /// Types this; `\n` is the Enter key.
    pub(crate) fn type_in(&mut self, text: &str) {
        self.person.write_all(text.replace('\n', "\r").as_bytes()).expect("a terminal that listens");
    }

    /// Sends the program a signal.
    pub(crate) fn send(&self, signal: Signal) {
        let id = Pid::from_child(&self.program);
        kill_process(id, signal).expect("a program that runs");
    }

    /// The terminal's mode.
    pub(crate) fn mode(&self) -> String {
        mode(&self.device)
    }

    /// Asserts that the terminal's mode is what it was before the program started.
    #[track_caller]
    pub(crate) fn mode_is_restored(&self) {
        assert_eq!(self.mode(), self.first_mode, "{:?}", self.text);
    }

    /// Whether what is typed is shown.
    pub(crate) fn echoes(&self) -> bool {
        tcgetattr(&self.device).expect("the terminal's mode").local_modes.contains(LocalModes::ECHO)
    }

    /// Waits until the program has ended, and tells how, and all that was on the screen, with plain line ends.
    #[track_caller]
    pub(crate) fn end(&mut self) -> (ExitStatus, String) {
        let status = eventually("the program ends", || self.program.try_wait().expect("a child"));
        // What was written before this has arrived when this has.
        self.device.write_all(b"\0").expect("the terminal");
        self.wait_for("\0");
        let text = self.text[..self.read].trim_end_matches('\0').replace("\r\n", "\n");
        (status, text)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A test that failed may have left it.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// All that there is to a terminal's mode.
fn mode(device: &File) -> String {
    format!("{:?}", tcgetattr(device).expect("the terminal's mode"))
}

/// Waits until there is an answer.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        assert!(Instant::now() < until, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The signal that ended the program, or the one that its exit status stands for in a shell.
pub(crate) fn died_of(status: ExitStatus) -> Option<i32> {
    status.signal().or_else(|| status.code().filter(|code| *code > 128).map(|code| code - 128))
}
