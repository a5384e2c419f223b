//! Keys, tokens and sessions: the types that hold secrets.
//!
//! A secret can't be printed, compared or copied, and is zeroed when it is dropped. Nothing here knows where a secret
//! came from or where it goes.

use std::fmt;

use aws_credential_types::Credentials;
use aws_smithy_types::date_time::{DateTime, Format};
use zeroize::Zeroizing;

/// Text that must not be seen: without `Debug`, `Display` or `Clone`, zeroed on drop.
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over. The caller sees to it that no other copy is left.
    pub(crate) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the moment in which it is handed over to AWS, a shell or a child process.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// An access key: the identifier may be shown, the rest may not.
pub(crate) struct AccessKey {
    /// `AKIA…` for long-term keys, `ASIA…` for temporary ones.
    pub(crate) id: String,
    /// The secret access key.
    pub(crate) secret: Secret,
    /// The session token that makes temporary keys complete; long-term keys have none.
    pub(crate) session_token: Option<Secret>,
}

impl From<&AccessKey> for Credentials {
    fn from(key: &AccessKey) -> Self {
        let token = key.session_token.as_ref().map(|token| token.expose().to_owned());
        Self::new(&key.id, key.secret.expose(), token, None, "awsmfa")
    }
}

/// Temporary credentials as STS hands them out.
pub(crate) struct Session {
    /// Keys with their session token.
    pub(crate) key: AccessKey,
    /// The moment after which AWS answers `ExpiredToken`.
    pub(crate) expiration: Expiration,
}

/// A moment to the second, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Expiration(i64);

impl Expiration {
    /// From seconds since the epoch.
    pub(crate) fn from_epoch(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Reads RFC 3339, with `Z` or an offset; `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        DateTime::from_str(text, Format::DateTimeWithOffset).ok().map(|moment| Self(moment.secs()))
    }

    /// How many seconds are left at `now` (seconds since the epoch); zero once it has passed.
    pub(crate) fn seconds_left(self, now: i64) -> u64 {
        self.0.saturating_sub(now).try_into().unwrap_or(0)
    }
}

impl fmt::Display for Expiration {
    /// RFC 3339 in UTC with `Z`, the form that botocore and prompts read from `AWS_CREDENTIAL_EXPIRATION`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = DateTime::from_secs(self.0).fmt(Format::DateTime).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiration_reads_offsets_and_writes_utc() {
        for text in ["2026-11-21T18:40:00Z", "2026-11-21T18:40:00+00:00", "2026-11-21T20:40:00+02:00"] {
            assert_eq!(
                Expiration::parse(text).map(|moment| moment.to_string()).as_deref(),
                Some("2026-11-21T18:40:00Z")
            );
        }
        for junk in ["", "tomorrow", "2026-11-21", "2026-11-21T18:40:00"] {
            assert_eq!(Expiration::parse(junk), None, "{junk}");
        }
    }

    #[test]
    fn an_expiration_in_the_past_leaves_no_seconds() {
        assert_eq!(Expiration::from_epoch(100).seconds_left(40), 60);
        assert_eq!(Expiration::from_epoch(100).seconds_left(100), 0);
        assert_eq!(Expiration::from_epoch(100).seconds_left(4000), 0);
    }
}
