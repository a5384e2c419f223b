//! The two shared files, `config` and `credentials`: read here, parsed by the SDK, one set of profiles a file.
//!
//! The SDK's own loader takes an unreadable file for an empty one and forgets where a setting stood. So the files are
//! opened here, and a scan of section headers and keys supplies line numbers and the sections that the SDK drops.

use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_runtime::env_config::section::EnvConfigSections;
use aws_runtime::env_config::source;
use aws_types::os_shim_internal::{Env, Fs};
use zeroize::Zeroizing;

use crate::ambient::Ambient;
use crate::error::Error;

/// The largest file that is read, in bytes. Ten thousand profiles are 2 MB.
const SIZE_LIMIT: u64 = 16 * 1024 * 1024;

/// How many letters a mistyped profile name may differ by to be offered as the one that was meant.
const NEAR: usize = 2;

/// All profiles of both files. Where both name a setting, the credentials file wins, as in the AWS CLI.
pub(crate) struct Profiles {
    credentials: ProfileFile,
    config: ProfileFile,
}

/// One profile, as both files together describe it.
#[derive(Clone, Copy)]
pub(crate) struct Profile<'a> {
    files: &'a Profiles,
    name: &'a str,
}

/// The value of a setting and where it stands.
pub(crate) struct Setting<'a> {
    /// The value; never empty.
    pub(crate) value: &'a str,
    file: &'a ProfileFile,
    section: &'a str,
    key: &'a str,
}

/// A file and a line in it, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The path as a person writes it, `~/.aws/config`.
    pub(crate) file: String,
    /// The line; `None` when the file as a whole is meant.
    pub(crate) line: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.file),
            None => f.write_str(&self.file),
        }
    }
}

impl Profiles {
    /// Reads both files: those that `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE` name, else the ones below
    /// `~/.aws`. A file that isn't there counts as empty. `selected` is the profile whose settings the SDK shall see.
    ///
    /// # Errors
    /// A file that can't be read, is no regular file, is larger than 16 MiB, is not UTF-8 or can't be parsed.
    pub(crate) fn load(ambient: &Ambient, selected: &str) -> Result<Self, Error> {
        let load = |kind, variable, default| {
            let path = ambient.expand(ambient.variable(variable).unwrap_or(default));
            let shown = ambient.shorten(&path);
            let text = read(&path).map_err(|cause| Error::FileUnreadable { file: shown.clone(), cause })?;
            ProfileFile::parse(kind, shown, text, selected)
        };
        Ok(Self {
            credentials: load(
                EnvConfigFileKind::Credentials,
                "AWS_SHARED_CREDENTIALS_FILE",
                "~/.aws/credentials",
            )?,
            config: load(EnvConfigFileKind::Config, "AWS_CONFIG_FILE", "~/.aws/config")?,
        })
    }

    /// The profile of this name.
    ///
    /// # Errors
    /// No file has it: the error names the nearest ones, or the section header that was meant but is malformed.
    pub(crate) fn get<'a>(&'a self, name: &'a str) -> Result<Profile<'a>, Error> {
        if self.files().any(|file| file.sections.get_profile(name).is_some()) {
            return Ok(Profile { files: self, name });
        }
        if let Some((place, header, right)) = self.files().find_map(|file| file.dropped(name)) {
            return Err(Error::SectionDropped { place, header, right });
        }
        Err(Error::ProfileUnknown {
            profile: name.to_owned(),
            files: self.files().map(|file| file.shown.clone()).collect(),
            nearest: self.nearest(name),
        })
    }

    /// The SDK's view of the config file, for settings such as `endpoint_url` that the SDK reads by itself.
    pub(crate) fn sdk_config(&self) -> &EnvConfigSections {
        &self.config.sections
    }

    fn files(&self) -> impl Iterator<Item = &ProfileFile> {
        [&self.credentials, &self.config].into_iter()
    }

    /// The names within a letter or two of `name`, each with its file, the nearest first.
    fn nearest(&self, name: &str) -> Vec<(String, String)> {
        let mut near: Vec<_> = self
            .files()
            .flat_map(|file| file.sections.profiles().map(move |other| (other, file)))
            .map(|(other, file)| (strsim::damerau_levenshtein(&name.to_lowercase(), &other.to_lowercase()), other, file))
            .filter(|(distance, other, _)| *distance <= NEAR && *distance < other.len())
            .collect();
        near.sort_by_key(|(distance, other, _)| (*distance, *other));
        near.dedup_by_key(|(_, other, _)| *other);
        near.into_iter().take(3).map(|(_, other, file)| (other.to_owned(), file.shown.clone())).collect()
    }
}

impl<'a> Profile<'a> {
    /// The profile's name.
    pub(crate) fn name(self) -> &'a str {
        self.name
    }

    /// The setting `key`; `None` when no file has it or its value is empty.
    pub(crate) fn get(self, key: &'a str) -> Option<Setting<'a>> {
        self.files.files().find_map(|file| {
            let value = file.sections.get_profile(self.name)?.get(key)?;
            (!value.is_empty()).then_some(Setting { value, file, section: self.name, key })
        })
    }

    /// Where the profile begins.
    pub(crate) fn place(self) -> Place {
        let file = self.files.files().find(|file| file.sections.get_profile(self.name).is_some());
        let file = file.unwrap_or(&self.files.config);
        Place { file: file.shown.clone(), line: file.line_of(self.name, None) }
    }
}

impl Setting<'_> {
    /// What the setting is called and where it stands, for an error.
    pub(crate) fn origin(&self) -> String {
        format!("`{}` ({})", self.key, self.place())
    }

    /// The file and line of the setting.
    pub(crate) fn place(&self) -> Place {
        Place { file: self.file.shown.clone(), line: self.file.line_of(self.section, Some(self.key)) }
    }
}

struct ProfileFile {
    kind: EnvConfigFileKind,
    shown: String,
    text: Zeroizing<String>,
    sections: EnvConfigSections,
}

impl ProfileFile {
    fn parse(kind: EnvConfigFileKind, shown: String, text: Zeroizing<String>, selected: &str) -> Result<Self, Error> {
        let files = EnvConfigFiles::builder().with_contents(kind, text.as_str()).build();
        let variables = Env::from_slice(&[("AWS_PROFILE", selected)]);
        let fs = Fs::from_slice(&[]);
        let mut loading = pin!(source::load(&variables, &fs, &files));
        let Poll::Ready(Ok(source)) = loading.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            unreachable!("text that is at hand is neither waited for nor fails to be read");
        };
        let sections = EnvConfigSections::parse(source).map_err(|error| unparsable(&shown, &error.to_string()))?;
        Ok(Self { kind, shown, text, sections })
    }

    /// The line of a key in a profile's section, or of the section's header. The last one counts, as for the parser.
    fn line_of(&self, profile: &str, key: Option<&str>) -> Option<usize> {
        let mut inside = false;
        let mut found = None;
        for (number, line) in self.text.lines().enumerate() {
            if let Some(header) = header(line) {
                inside = self.profile_of(header) == Some(profile);
                if inside && key.is_none() {
                    return Some(number + 1);
                }
            } else if inside && key.is_some_and(|key| has_key(line, key)) {
                found = Some(number + 1);
            }
        }
        found
    }

    /// The profile that a section header stands for in this file; `None` where the SDK passes the section over.
    fn profile_of<'a>(&self, header: &'a str) -> Option<&'a str> {
        match (self.kind, header.split_once([' ', '\t'])) {
            (EnvConfigFileKind::Config, Some(("profile", name))) => Some(name.trim()),
            (EnvConfigFileKind::Config, None) => (header == "default").then_some(header),
            (EnvConfigFileKind::Credentials, None) => Some(header),
            _ => None,
        }
    }

    /// A section that was meant for the profile `name` but that the SDK drops: its place, its header, the right one.
    fn dropped(&self, name: &str) -> Option<(Place, String, String)> {
        let right = match self.kind {
            EnvConfigFileKind::Config => format!("[profile {name}]"),
            _ => format!("[{name}]"),
        };
        self.text.lines().enumerate().find_map(|(number, line)| {
            let header = header(line)?;
            let meant = header.strip_prefix("profile").filter(|rest| rest.starts_with([' ', '\t'])).unwrap_or(header);
            let place = Place { file: self.shown.clone(), line: Some(number + 1) };
            (meant.trim() == name).then(|| (place, format!("[{header}]"), right.clone()))
        })
    }
}

/// What stands between the brackets of a section header.
fn header(line: &str) -> Option<&str> {
    let inside = line.strip_prefix('[')?;
    let inside = inside.split(['#', ';']).next().unwrap_or(inside);
    inside.trim_end().strip_suffix(']').map(str::trim)
}

fn has_key(line: &str, key: &str) -> bool {
    line.split_once('=').is_some_and(|(left, _)| left.trim_end().eq_ignore_ascii_case(key))
}

/// The SDK's message reads `error parsing  on line 3:\n  Expected …`: the path is ours to say, the rest its own.
fn unparsable(shown: &str, message: &str) -> Error {
    let (location, reason) = message.split_once('\n').unwrap_or(("", message));
    let line = location.trim_end_matches(':').rsplit(' ').next().and_then(|line| line.parse().ok());
    let reason = reason.trim();
    let mut letters = reason.chars();
    let reason = letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect());
    Error::FileUnparsable { place: Place { file: shown.to_owned(), line }, reason }
}

/// The file's text without a byte order mark; empty when there is no such file.
fn read(path: &Path) -> Result<Zeroizing<String>, std::io::Error> {
    let other = |reason: &str| std::io::Error::new(ErrorKind::InvalidData, reason);
    // Naming the null device is how people say "no such file".
    if path == Path::new(if cfg!(windows) { "NUL" } else { "/dev/null" }) {
        return Ok(Zeroizing::default());
    }
    // The kind is looked at before the file is opened: opening a pipe would wait for its writer.
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Zeroizing::default()),
        Err(error) => return Err(error),
    };
    if !metadata.is_file() {
        return Err(other("it is no regular file"));
    }
    // One byte more than allowed tells a file that grew meanwhile, and the capacity keeps copies from being left behind.
    let capacity = usize::try_from(metadata.len().min(SIZE_LIMIT)).unwrap_or(0) + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    File::open(path)?.take(SIZE_LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > SIZE_LIMIT {
        return Err(other("it is larger than 16 MiB"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| other("it is not UTF-8 text"))?;
    Ok(Zeroizing::new(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned()))
}
