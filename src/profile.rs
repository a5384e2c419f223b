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
        let text = |variable, default| {
            let path = ambient.expand(ambient.variable(variable).unwrap_or(default));
            let shown = ambient.shorten(&path);
            let text = read(&path).map_err(|cause| Error::FileUnreadable { file: shown.clone(), cause })?;
            Ok((shown, text))
        };
        let credentials = text("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")?;
        let config = text("AWS_CONFIG_FILE", "~/.aws/config")?;
        Self::parse(credentials, config, selected)
    }

    /// The profiles of two files, each given by its name and its text.
    fn parse(
        credentials: (String, Zeroizing<String>),
        config: (String, Zeroizing<String>),
        selected: &str,
    ) -> Result<Self, Error> {
        Ok(Self {
            credentials: ProfileFile::parse(EnvConfigFileKind::Credentials, credentials, selected)?,
            config: ProfileFile::parse(EnvConfigFileKind::Config, config, selected)?,
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

    /// The names of all profiles, in alphabetical order.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.files().flat_map(|file| file.sections.profiles()).collect();
        names.sort_unstable();
        names.dedup();
        names
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
            .map(|(other, file)| {
                (strsim::damerau_levenshtein(&name.to_lowercase(), &other.to_lowercase()), other, file)
            })
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
    fn parse(kind: EnvConfigFileKind, file: (String, Zeroizing<String>), selected: &str) -> Result<Self, Error> {
        let (shown, text) = file;
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
            EnvConfigFileKind::Credentials => format!("[{name}]"),
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Profiles of these texts, as if they stood in `config` and `credentials`.
    pub(crate) fn profiles(config: &str, credentials: &str) -> Result<Profiles, Error> {
        let file = |name: &str, text: &str| (name.to_owned(), Zeroizing::new(text.to_owned()));
        Profiles::parse(file("credentials", credentials), file("config", config), "default")
    }

    fn place(file: &str, line: usize) -> Place {
        Place { file: file.to_owned(), line: Some(line) }
    }

    #[test]
    fn the_credentials_file_wins_and_the_other_one_fills_in() {
        let profiles = profiles(
            "[profile a]\nregion = eu-central-1\nrole_arn = from-config\n",
            "# mine\n[a]\nROLE_ARN = from-credentials\n",
        );
        let profiles = profiles.unwrap();
        let profile = profiles.get("a").unwrap();
        let role = profile.get("role_arn").unwrap();
        assert_eq!((role.value, role.place()), ("from-credentials", place("credentials", 3)));
        let region = profile.get("region").unwrap();
        assert_eq!((region.value, region.place()), ("eu-central-1", place("config", 2)));
        assert_eq!(profile.place(), place("credentials", 2));
        assert!(profile.get("mfa_serial").is_none());
    }

    #[test]
    fn a_setting_that_stands_twice_has_the_place_of_the_one_that_counts() {
        let profiles =
            profiles("[profile a]\nregion = x\n[default]\nregion = y\n[profile a]\nregion = z\n", "").unwrap();
        let region = profiles.get("a").unwrap().get("region").unwrap();
        assert_eq!((region.value, region.place()), ("z", place("config", 6)));
    }

    #[test]
    fn a_section_that_the_sdk_drops_is_named_with_its_line() {
        for (config, credentials, dropped_at, right) in [
            ("[default]\n[lost]\n", "", place("config", 2), "[profile lost]"),
            ("", "\n\n[profile lost]\n", place("credentials", 3), "[lost]"),
        ] {
            let Err(Error::SectionDropped { place, right: written, .. }) =
                profiles(config, credentials).unwrap().get("lost").map(|_| ())
            else {
                panic!("{config:?} {credentials:?}");
            };
            assert_eq!((place, written.as_str()), (dropped_at, right));
        }
    }

    #[test]
    fn an_unknown_profile_comes_with_the_nearest_names() {
        let profiles = profiles("[profile deploy]\n[profile Msgcxp]\n[profile x]\n", "[msgcxp]\n").unwrap();
        let nearest = |name: &str| match profiles.get(name).map(|_| ()) {
            Err(Error::ProfileUnknown { nearest, .. }) => nearest.into_iter().map(|(name, _)| name).collect(),
            _ => vec![],
        };
        assert_eq!(nearest("msgcpx"), ["Msgcxp", "msgcxp"]);
        assert_eq!(nearest("depoly"), ["deploy"]);
        assert!(nearest("production").is_empty());
        assert!(nearest("q").is_empty());
    }

    #[test]
    fn a_line_that_is_no_setting_is_reported_with_its_number_and_without_its_text() {
        let error = profiles("[default]\n\nregion eu\n", "").map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "config:3 can't be understood: expected an '=' sign defining a property");
        let error = profiles("", "secret\n").map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "credentials:1 can't be understood: expected a profile definition");
    }
}
