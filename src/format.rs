//! Formats: a session as a document for another program, rather than as statements for the running shell.
//!
//! Pure. As with a shell, what a format can't carry is refused by the variable's name before anything is printed.

use std::fmt::Write;

use aws_smithy_json::serialize::JsonObjectWriter;
use aws_smithy_types::Number;
use clap::ValueEnum;
use zeroize::Zeroizing;

use crate::environment::{
    AWS_ACCESS_KEY_ID, AWS_ACCOUNT_ID, AWS_CREDENTIAL_EXPIRATION, AWS_REGION, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,
    Change,
};
use crate::error::Error;

/// The members of the `credential_process` document, beside `Version`.
/// Source: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>
const MEMBERS: [(&str, &str); 5] = [
    ("AccessKeyId", AWS_ACCESS_KEY_ID),
    ("SecretAccessKey", AWS_SECRET_ACCESS_KEY),
    ("SessionToken", AWS_SESSION_TOKEN),
    ("Expiration", AWS_CREDENTIAL_EXPIRATION),
    ("AccountId", AWS_ACCOUNT_ID),
];

/// The settings of a section in AWS's shared files.
const SETTINGS: [(&str, &str); 4] = [
    ("aws_access_key_id", AWS_ACCESS_KEY_ID),
    ("aws_secret_access_key", AWS_SECRET_ACCESS_KEY),
    ("aws_session_token", AWS_SESSION_TOKEN),
    ("region", AWS_REGION),
];

/// A document that awsmfa writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The JSON document of `credential_process`
    Json,
    /// A section for ~/.aws/credentials, to paste
    Ini,
    /// NAME=VALUE lines for docker's --env-file
    EnvFile,
}

impl Format {
    /// The document of the session that these changes set; `section` is what `ini` calls it.
    ///
    /// # Errors
    /// A value that the format can't carry.
    pub(crate) fn render(self, changes: &[Change], section: &str) -> Result<Zeroizing<String>, Error> {
        let set = changes.iter().filter_map(|change| Some((change.name, change.value.as_ref()?.expose())));
        let fields: Vec<_> = match self {
            Self::Json => renamed(set, &MEMBERS),
            Self::Ini => renamed(set, &SETTINGS),
            Self::EnvFile => set.map(|(name, value)| (name, name, value)).collect(),
        };
        for (_, name, value) in &fields {
            if let Some(reason) = self.refusal(value) {
                return Err(Error::Unquotable { name, reason, target: self.name() });
            }
        }
        // Large enough that the document never moves and leaves a copy behind.
        let length = fields.iter().map(|(_, name, value)| 16 + name.len() + 6 * value.len());
        let mut document = Zeroizing::new(String::with_capacity(256 + section.len() + length.sum::<usize>()));
        match self {
            Self::Json => {
                let mut object = JsonObjectWriter::new(&mut document);
                object.key("Version").number(Number::PosInt(1));
                for (label, _, value) in fields {
                    object.key(label).string(value);
                }
                object.finish();
                document.push('\n');
            }
            Self::Ini => {
                line(&mut document, format_args!("[{section}]"));
                for (label, _, value) in fields {
                    line(&mut document, format_args!("{label} = {value}"));
                }
            }
            Self::EnvFile => {
                for (label, _, value) in fields {
                    line(&mut document, format_args!("{label}={value}"));
                }
            }
        }
        Ok(document)
    }

    /// Why this format can't carry the value, if it can't.
    fn refusal(self, value: &str) -> Option<&'static str> {
        match self {
            // Readers differ in what they take for blank, and for a comment.
            Self::Ini if value.is_empty() || value.starts_with(['#', ';']) => Some("is empty or looks like a comment"),
            Self::Ini if value.contains(|letter: char| !letter.is_ascii_graphic()) => {
                Some("has a blank or a character that is not printable ASCII")
            }
            Self::EnvFile if value.contains(['\0', '\n', '\r']) => Some("has a line break or a NUL character"),
            _ => None,
        }
    }

    /// The name by which `--format` knows it.
    fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ini => "ini",
            Self::EnvFile => "env-file",
        }
    }
}

/// Refuses what AWS's SDKs would not take for a section's name: they pass such a section over.
///
/// # Errors
/// The name is empty or has a character other than `A-Z a-z 0-9 _ - / . % @ : +`.
pub(crate) fn check_section(name: &str) -> Result<(), Error> {
    let known = |letter: char| letter.is_ascii_alphanumeric() || "_-/.%@:+".contains(letter);
    if !name.is_empty() && name.chars().all(known) {
        return Ok(());
    }
    let reason = "AWS's SDKs would pass over: they know letters, digits and `_-/.%@:+`";
    Err(Error::Invalid { origin: "`--section`".to_owned(), value: name.to_owned(), reason })
}

/// Those of the variables that the document has, each as its label, its name and its value.
fn renamed<'a>(
    set: impl Iterator<Item = (&'static str, &'a str)>,
    labels: &[(&'static str, &'static str)],
) -> Vec<(&'static str, &'static str, &'a str)> {
    let label = |name| labels.iter().find(|(_, variable)| *variable == name).map(|(label, _)| *label);
    set.filter_map(|(name, value)| Some((label(name)?, name, value))).collect()
}

fn line(document: &mut String, text: std::fmt::Arguments) {
    // Writing to a string can't fail.
    let _ = writeln!(document, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Secret;
    use crate::environment::AWSMFA_SESSION;
    use Format::{EnvFile, Ini, Json};

    fn render(format: Format, region: &str) -> Result<String, String> {
        let set = |name, value: &str| Change { name, value: Some(Secret::new(value.to_owned())) };
        let changes = [
            set(AWS_ACCESS_KEY_ID, "ASIA1"),
            set(AWS_SECRET_ACCESS_KEY, "a/b+c"),
            set(AWS_SESSION_TOKEN, "token=="),
            set(AWS_CREDENTIAL_EXPIRATION, "1970-01-01T00:00:00Z"),
            Change { name: AWS_ACCOUNT_ID, value: None },
            set(AWS_REGION, region),
            set(AWSMFA_SESSION, "v=1 key=ASIA1"),
        ];
        format.render(&changes, "msgcxp-sts").map(|text| text.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn each_format_has_what_is_known_under_its_own_names() {
        let json = r#"{"Version":1,"AccessKeyId":"ASIA1","SecretAccessKey":"a/b+c","SessionToken":"token==","Expiration":"1970-01-01T00:00:00Z"}"#;
        let ini = "[msgcxp-sts]\naws_access_key_id = ASIA1\naws_secret_access_key = a/b+c\n\
                   aws_session_token = token==\nregion = eu-central-1\n";
        let env_file = "AWS_ACCESS_KEY_ID=ASIA1\nAWS_SECRET_ACCESS_KEY=a/b+c\nAWS_SESSION_TOKEN=token==\n\
                        AWS_CREDENTIAL_EXPIRATION=1970-01-01T00:00:00Z\nAWS_REGION=eu-central-1\n\
                        AWSMFA_SESSION=v=1 key=ASIA1\n";
        assert_eq!(render(Json, "eu-central-1"), Ok(format!("{json}\n")));
        assert_eq!(render(Ini, "eu-central-1").as_deref(), Ok(ini));
        assert_eq!(render(EnvFile, "eu-central-1").as_deref(), Ok(env_file));
    }

    #[test]
    fn what_a_format_cannot_carry_is_refused_by_name() {
        let ini = "`AWS_REGION` has a blank or a character that is not printable ASCII, which ini can't carry";
        for value in ["a b", "a\nb", "a\tb", "a\0", "ä", " a"] {
            assert_eq!(render(Ini, value).unwrap_err(), ini, "{value:?}");
        }
        for value in ["", "#a", ";a"] {
            let error = "`AWS_REGION` is empty or looks like a comment, which ini can't carry";
            assert_eq!(render(Ini, value).unwrap_err(), error, "{value:?}");
        }
        for value in ["a\nb", "a\rb", "a\0"] {
            let error = "`AWS_REGION` has a line break or a NUL character, which env-file can't carry";
            assert_eq!(render(EnvFile, value).unwrap_err(), error, "{value:?}");
        }
        assert!(render(EnvFile, " 'a' \"#b\" ä ").unwrap().contains("\nAWS_REGION= 'a' \"#b\" ä \n"));
        assert!(render(Json, "a\n\"\\\0ä").is_ok());
    }

    #[test]
    fn a_section_has_a_name_that_the_sdks_know() {
        for name in ["msgcxp-sts", "a/b.c%d@e:f+g_1"] {
            assert!(check_section(name).is_ok(), "{name}");
        }
        for name in ["", "profile x", "a]", "a\n[b", "ä"] {
            assert!(check_section(name).is_err(), "{name}");
        }
    }
}
