//! The terminal: the prompt and its mode, and what may be printed to it.
//!
//! The prompt is written to the terminal itself, so it works inside `$(…)` and with stdin piped. Its mode is this room's
//! own business: echo off, signals left on, and put back on every way out.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};

use tokio::sync::oneshot;

use crate::credentials::Secret;
use crate::signal;

/// The text as one line, without what could control a terminal: control characters, and those that turn the direction of
/// writing.
pub(crate) fn printable(text: &str) -> String {
    let text = text.replace(['\n', '\t'], " ");
    let turns = |letter| matches!(letter, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|letter| !letter.is_control() && !turns(*letter)).collect()
}

/// Writes one line to standard error. A standard error that is closed is not worth failing for.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{}", printable(line));
}

/// The terminal that the process belongs to, whatever its standard streams are connected to.
pub(crate) struct Terminal {
    device: File,
}

impl Terminal {
    /// Opens the terminal.
    ///
    /// # Errors
    /// There is none, as in a service or a build.
    pub(crate) fn open() -> io::Result<Self> {
        let name = if cfg!(windows) { "CONIN$" } else { "/dev/tty" };
        Ok(Self { device: OpenOptions::new().read(true).write(true).open(name)? })
    }

    /// Writes a line to the terminal.
    pub(crate) fn say(&self, line: &str) -> io::Result<()> {
        self.write(&format!("{}\n", printable(line)))
    }

    /// Asks for a line that isn't echoed. The thread that waits for it is its own, so that whoever awaits the answer can
    /// go on: an answer that is no longer wanted is not waited for.
    ///
    /// # Errors
    /// The terminal is gone, or the person ended the input (Ctrl-D).
    pub(crate) async fn ask(&self, prompt: &str) -> io::Result<Secret> {
        let prompt = printable(prompt);
        let mut resumption = signal::resumption()?;
        let _silence = Silence { terminal: self, before: mode::silence(&self.device)? };
        self.write(&prompt)?;
        let device = self.device.try_clone()?;
        let (sender, mut answer) = oneshot::channel();
        let read = move || sender.send(read_line(UntilEnd(device)));
        std::thread::Builder::new().name("prompt".to_owned()).spawn(read)?;
        loop {
            tokio::select! {
                line = &mut answer => return line.unwrap_or_else(|_| Err(ErrorKind::BrokenPipe.into())),
                // Meanwhile the terminal was the shell's, which has made it echo.
                () = resumption() => mode::silence(&self.device)?,
            };
            self.write(&prompt)?;
        }
    }

    #[cfg(unix)]
    fn write(&self, text: &str) -> io::Result<()> {
        (&self.device).write_all(text.as_bytes())
    }

    /// The console's input can't be written to: its output has a name of its own.
    #[cfg(windows)]
    #[expect(clippy::unused_self, reason = "the terminal is the same one under another name")]
    fn write(&self, text: &str) -> io::Result<()> {
        OpenOptions::new().write(true).open("CONOUT$")?.write_all(text.as_bytes())
    }
}

/// The terminal without echo, until it is dropped.
struct Silence<'a> {
    terminal: &'a Terminal,
    before: mode::Mode,
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        // There is nobody to tell when this fails: the terminal is gone.
        let _ = mode::restore(&self.terminal.device, &self.before);
        // The person's own Enter was not echoed.
        let _ = self.terminal.write("\n");
    }
}

/// Reads to the end of the line, or of the input, and not a byte further.
///
/// # Errors
/// The input can't be read.
pub(crate) fn read_line(input: impl Read + 'static) -> io::Result<Secret> {
    let config = rpassword::ConfigBuilder::new().input_reader(input).output_discard().build();
    rpassword::read_password_with_config(config).map(Secret::new)
}

/// Makes the end of input an error: rpassword takes it for an empty line, and a closed terminal would be asked for ever.
struct UntilEnd(File);

impl Read for UntilEnd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 if !buffer.is_empty() => Err(io::Error::new(ErrorKind::BrokenPipe, "the input has ended")),
            count => Ok(count),
        }
    }
}

#[cfg(unix)]
mod mode {
    use std::fs::File;
    use std::io;

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    pub(super) type Mode = Termios;

    pub(super) fn silence(device: &File) -> io::Result<Mode> {
        let before = tcgetattr(device)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL);
        silent.local_modes.insert(LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(device, OptionalActions::Now, &silent)?;
        Ok(before)
    }

    pub(super) fn restore(device: &File, before: &Mode) -> io::Result<()> {
        Ok(tcsetattr(device, OptionalActions::Now, before)?)
    }
}

/// The bits are those of [SetConsoleMode](https://learn.microsoft.com/windows/console/setconsolemode).
#[cfg(windows)]
mod mode {
    use std::fs::File;
    use std::io;

    use winapi_util::console;

    const PROCESSED_INPUT: u32 = 0x1;
    const LINE_INPUT: u32 = 0x2;
    const ECHO_INPUT: u32 = 0x4;

    pub(super) type Mode = u32;

    pub(super) fn silence(device: &File) -> io::Result<Mode> {
        let before = console::mode(device)?;
        console::set_mode(device, (before | PROCESSED_INPUT | LINE_INPUT) & !ECHO_INPUT)?;
        Ok(before)
    }

    pub(super) fn restore(device: &File, before: &Mode) -> io::Result<()> {
        console::set_mode(device, *before)
    }
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn nothing_that_controls_a_terminal_is_printed() {
        assert_eq!(printable("a\x1b[2Jb\x07c\r\nd\te\u{9b}1m"), "a[2Jbc d e1m");
        assert_eq!(printable("admin\u{202e}nimda\u{2066}"), "adminnimda");
        assert_eq!(printable("Größe – “x” 漢字 🐱"), "Größe – “x” 漢字 🐱");
    }
}
