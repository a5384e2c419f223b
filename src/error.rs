//! Everything that can go wrong, in words for a person: what was attempted, what stood in the way, what to do next.
//!
//! Only `main` prints an error. Texts of AWS, of files and of the command line are cleaned there.

use std::io;
use std::ops::RangeInclusive;

use crate::mfa::SerialNumber;
use crate::plan::{Device, span};
use crate::profile::Place;
use crate::shell::Shell;
use crate::signal::Signal;

/// An error of any part. The variants stand in alphabetical order.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{role} is assumed with temporary keys, which AWS allows for an hour at most, not for {}", span(*asked))]
    ChainedTooLong { role: String, asked: u32 },

    #[error("the token code from {origin} is not six digits")]
    CodeMalformed { origin: &'static str },

    #[error("AWS rejects the token code: it is wrong, expired, or used already (each code works once)")]
    CodeRejected,

    #[error("a token code was given, but no MFA device is set for the role of profile `{profile}`")]
    CodeWithoutDevice { profile: String },

    #[error("`{command}` can't be run")]
    Command {
        command: String,
        #[source]
        cause: io::Error,
    },

    #[error("there is no command `{command}`")]
    CommandNotFound { command: String },

    #[error("{call} takes {} to {} seconds, not {asked}", range.start(), range.end())]
    DurationOutOfRange { call: &'static str, asked: u32, range: RangeInclusive<u32> },

    #[error("{place} can't be understood: {reason}")]
    FileUnparsable { place: Place, reason: String },

    #[error("{file} can't be read")]
    FileUnreadable {
        file: String,
        #[source]
        cause: io::Error,
    },

    #[error("profile `{profile}` has half a key pair: `{missing}` is missing beside {place}")]
    HalfKey { profile: String, missing: &'static str, place: Place },

    #[error("interrupted")]
    Interrupted(Signal),

    #[error("{origin} is `{value}`, which {reason}")]
    Invalid { origin: String, value: String, reason: &'static str },

    #[error("{origin} has characters that no key has")]
    KeyMalformed { origin: String },

    #[error("{attempted} got no usable answer from {endpoint}: {reason}{}", if *code_sent { "; the token code may be spent" } else { "" })]
    NoAnswer { attempted: String, endpoint: String, reason: String, code_sent: bool },

    #[error("profile `{profile}` ({place}) has no access key{}", other.map_or(String::new(), |key| format!(" but `{key}`, which awsmfa does not know how to use")))]
    NoKeys { profile: String, place: Place, other: Option<&'static str> },

    #[error("there is no completion for {shell}")]
    NoCompletion { shell: &'static str },

    #[error("there is no `awsmfa use` for {} yet", shell.name())]
    NoIntegration { shell: Shell },

    #[error("no profile was used before this one")]
    NoPreviousProfile,

    #[error(
        "`awsmfa {command}` changes your shell, so it has to be a function there: put `{line}` into the file that your shell reads when it starts"
    )]
    NotLoaded { command: &'static str, line: String },

    #[error("a token code is needed, and there is no terminal to ask for it")]
    NoTerminal(#[source] io::Error),

    #[error(
        "the keys of profile `{profile}` belong to {caller}, which is no user: no MFA device can be derived from it"
    )]
    NoUser { profile: String, caller: String },

    #[error("`{option}` is for roles, and profile `{profile}` is a user's")]
    OptionWithoutRole { option: &'static str, profile: String },

    #[error("the output can't be written")]
    Output(#[source] io::Error),

    #[error("there is no profile `{profile}` in {}", files.join(" or "))]
    ProfileUnknown { profile: String, files: Vec<String>, nearest: Vec<(String, String)> },

    #[error("{attempted} was refused by AWS: {code}: {message}")]
    Refused { attempted: String, code: String, message: String, profile: String, signer: String, device: Device },

    #[error("the system refuses what awsmfa needs to wait for AWS and for signals")]
    Runtime(#[source] io::Error),

    #[error("GetCallerIdentity with the keys of this environment was refused by AWS: {code}: {message}")]
    RefusedKeys { code: String, message: String },

    #[error("{place} begins with `{header}`, which AWS's SDKs pass over")]
    SectionDropped { place: Place, header: String, right: String },

    #[error("`--section` is for `--format ini`")]
    SectionWithoutIni,

    #[error("`{name}` has {length} characters, of which SETX would store {limit}")]
    SetxTooLong { name: &'static str, length: usize, limit: usize },

    #[error("the source profiles go round in a circle ({place}): {}", names.join(" → "))]
    SourceLoop { names: Vec<String>, place: Place },

    #[error("profile `{profile}` names a role ({place}) and no `source_profile` whose keys may assume it")]
    SourceMissing { profile: String, place: Place },

    #[error("profile `{profile}` names source profile `{source_profile}` ({place}), which does not exist")]
    SourceUnknown { profile: String, source_profile: String, place: Place, nearest: Vec<(String, String)> },

    #[error("the token code can't be read from standard input")]
    Stdin(#[source] io::Error),

    #[error("the keys of profile `{profile}` are temporary ({place}): AWS gives a session only for long-term keys")]
    TemporaryKeys { profile: String, place: Place },

    #[error("the terminal gave no token code")]
    Terminal(#[source] io::Error),

    #[error("`{name}` {reason}, which {target} can't carry")]
    Unquotable { name: &'static str, reason: &'static str, target: &'static str },

    #[error("{attempted} did not reach {endpoint}: {reason}")]
    Unreachable { attempted: String, endpoint: String, reason: String },
}

impl Error {
    /// What the person can do next, where there is something to say.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::ChainedTooLong { .. } => Some("leave out the duration, or ask for `1h`".to_owned()),
            Self::CodeMalformed { .. } => Some("give the six digits that the MFA device shows".to_owned()),
            Self::CodeRejected => Some("wait until the device shows the next code, and give that one".to_owned()),
            Self::CodeWithoutDevice { .. } | Self::NoUser { .. } => {
                Some("name the device with `--serial-number`".to_owned())
            }
            Self::FileUnreadable { cause, .. } if cause.kind() == io::ErrorKind::PermissionDenied => {
                Some("the file has to be readable by you".to_owned())
            }
            Self::HalfKey { missing, .. } => Some(format!("add a line `{missing} = …`")),
            Self::KeyMalformed { .. } => {
                Some("copy it again: a key has neither blanks nor control characters in it".to_owned())
            }
            Self::NoAnswer { reason, .. } if reason.contains("clock") => {
                Some("set this machine's clock right before you try again".to_owned())
            }
            Self::NoAnswer { code_sent: true, .. } => {
                Some("wait until the device shows the next code, and try again".to_owned())
            }
            Self::NoAnswer { .. } => Some("try again in a moment".to_owned()),
            Self::NoIntegration { shell } => {
                Some(format!("a session comes into it by {}", shell.one_liner("awsmfa env -p PROFILE")))
            }
            Self::NoKeys { other: None, .. } => {
                Some("add `aws_access_key_id = …` and `aws_secret_access_key = …` to it, or `role_arn` and `source_profile`".to_owned())
            }
            Self::NoTerminal(_) => {
                Some("give the code with `--token-code CODE`, with `--token-code -` on standard input, or in AWSMFA_TOKEN_CODE".to_owned())
            }
            Self::ProfileUnknown { profile, nearest, .. } if nearest.is_empty() && profile == "default" => {
                Some("name a profile with `--profile`, or in AWS_PROFILE".to_owned())
            }
            Self::ProfileUnknown { nearest, .. } | Self::SourceUnknown { nearest, .. } => did_you_mean(nearest),
            Self::Refused { code, message, profile, signer, device, attempted } => {
                refusal(code, message, attempted, profile, signer, device)
            }
            Self::RefusedKeys { code, .. } => refused_keys(code).map(str::to_owned),
            Self::SectionDropped { right, .. } => Some(format!("write `{right}`")),
            Self::SetxTooLong { .. } => {
                Some("`--no-setx` sets the values for this window alone".to_owned())
            }
            Self::SourceMissing { .. } => Some("add a line `source_profile = …`".to_owned()),
            Self::TemporaryKeys { .. } => Some("name a profile with long-term keys (`AKIA…`)".to_owned()),
            Self::Unreachable { reason, .. } => Some(unreachable(reason).to_owned()),
            _ => None,
        }
    }

    /// 127 and 126 as `env(1)` has them for a command that isn't there or can't be run; 1 for everything else.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::CommandNotFound { .. } => 127,
            Self::Command { .. } => 126,
            Self::Interrupted(signal) => 128 + u8::try_from(*signal).unwrap_or_default(),
            _ => 1,
        }
    }
}

fn did_you_mean(nearest: &[(String, String)]) -> Option<String> {
    let names: Vec<_> = nearest.iter().map(|(name, file)| format!("`{name}` (in {file})")).collect();
    (!names.is_empty()).then(|| format!("did you mean {}?", names.join(" or ")))
}

/// What keeps a request from its server. The words are those of rustls, whose types the SDK doesn't show.
fn unreachable(reason: &str) -> &'static str {
    if !reason.contains("certificate") {
        "check the network, the region and the proxy variables"
    } else if reason.contains("expired") || reason.contains("not valid yet") {
        "the server's certificate is out of date, or this machine's clock is wrong"
    } else if reason.contains("not valid for name") {
        "the server that answers is another one: check the endpoint and the proxy variables"
    } else {
        "the server's certificate is not signed by anybody this system trusts; SSL_CERT_FILE names a file of others to trust"
    }
}

/// What a refusal of the environment's keys asks for.
fn refused_keys(code: &str) -> Option<&'static str> {
    match code {
        "ExpiredToken" => Some("the session has expired: `awsmfa env` gets a new one"),
        "InvalidClientTokenId" => Some(
            "AWS does not know these keys: an AWS_SESSION_TOKEN or AWS_SECURITY_TOKEN beside them may belong to others",
        ),
        "SignatureDoesNotMatch" => {
            Some("AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID, or this machine's clock is wrong")
        }
        _ => None,
    }
}

/// What AWS's refusal asks for.
fn refusal(code: &str, message: &str, attempted: &str, profile: &str, signer: &str, device: &Device) -> Option<String> {
    let hint = match code {
        "InvalidClientTokenId" => {
            format!("AWS does not know the access key of profile `{signer}`, or it is deactivated")
        }
        "SignatureDoesNotMatch" if message.starts_with("Signature") => {
            "this machine's clock differs from AWS's by more than five minutes".to_owned()
        }
        "SignatureDoesNotMatch" => format!(
            "the secret access key of profile `{signer}` does not belong to its access key id: is it whole, without quotes around it?"
        ),
        "ExpiredToken" => format!("the temporary keys of profile `{signer}` have expired: put new ones in their place"),
        "AccessDenied" if message.contains("unable to validate MFA code") && *device == Device::Derived => format!(
            "the device was derived from the user's name; name the right one with `--serial-number`, or in a line \
             `mfa_serial = …` of profile `{profile}`"
        ),
        "AccessDenied" if message.contains("unable to validate MFA code") => {
            format!(
                "the MFA device of profile `{profile}` has to be one of the user's own, as the IAM console lists it"
            )
        }
        "AccessDenied" if message.contains("root accounts") => {
            "give the keys of an IAM user: root can't assume a role".to_owned()
        }
        "AccessDenied" if attempted.starts_with("AssumeRole") => {
            // The user whom AWS names in its message has the device; the role may be in another account.
            let user = message.split(' ').find_map(SerialNumber::derive).filter(|_| *device == Device::None);
            let device = user.map_or(String::new(), |device| {
                format!(
                    "if the role wants MFA, add a line `mfa_serial = {device}` to profile `{profile}`, or use \
                     `--serial-number`; otherwise "
                )
            });
            format!(
                "{device}check the role's name, whom its trust policy lets in, and whether it asks for an `external_id`"
            )
        }
        "ValidationError" if message.contains("DurationSeconds") => {
            "ask for less with `--duration-seconds`, or have the role's maximum session duration raised".to_owned()
        }
        "Throttling" | "ThrottlingException" => "AWS gets too many requests: try again in a moment".to_owned(),
        _ => return None,
    };
    Some(hint)
}
