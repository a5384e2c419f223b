//! `awsmfa status`: what this shell holds and for how long, from the environment alone.
//!
//! Prompts run it before each line that a person types: nothing is read or started that the answer doesn't need.

use std::process::ExitCode;

use aws_runtime::env_config::section::EnvConfigSections;
use aws_smithy_json::serialize::JsonObjectWriter;
use aws_smithy_types::Number;

use crate::ambient::{self, Ambient};
use crate::cli::{StatusFormat, StatusOptions};
use crate::credentials::{AccessKey, Secret};
use crate::environment::{
    self, AWS_ACCESS_KEY_ID, AWS_DEFAULT_REGION, AWS_REGION, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWSMFA_SESSION,
    IN_THE_WAY,
};
use crate::error::Error;
use crate::held::{Found, Held, Kind, Marker};
use crate::session::{IDENTIFY, explained, until_signal};
use crate::sts::{Sts, home_region};
use crate::terminal::printable;

/// Says what the environment holds: status 0 for a session that still lasts, 1 for anything else.
///
/// # Errors
/// `--check` failed, or standard output is closed. Then nothing is printed.
pub(crate) fn run(options: &StatusOptions, ambient: &Ambient) -> Result<ExitCode, Error> {
    let mut status = Status::of(ambient, ambient::now());
    if options.check {
        status.caller = status.check(ambient)?;
    }
    super::print(&match options.format {
        StatusFormat::Text => status.text(),
        StatusFormat::Json => status.json(),
        StatusFormat::Prompt => status.prompt(),
    })?;
    Ok(if status.state() == "held" { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The environment's keys and what is known of them.
struct Status<'a> {
    found: Found,
    key: Option<&'a str>,
    region: Option<&'a str>,
    /// The variables that keep programs from the keys, and why they do.
    in_the_way: Vec<(&'static str, &'static str)>,
    /// Whose the keys are, as AWS says.
    caller: Option<String>,
    /// Seconds since the epoch.
    now: i64,
}

impl<'a> Status<'a> {
    fn of(ambient: &'a Ambient, now: i64) -> Self {
        let found = Found::in_the(ambient);
        let in_the_way = if matches!(found, Found::Nothing) { Vec::new() } else { in_the_way(&found, ambient) };
        Self {
            found,
            key: ambient.variable(AWS_ACCESS_KEY_ID),
            region: ambient.variable(AWS_REGION).or_else(|| ambient.variable(AWS_DEFAULT_REGION)),
            in_the_way,
            caller: None,
            now,
        }
    }

    fn state(&self) -> &'static str {
        match &self.found {
            Found::Nothing => "none",
            Found::ForeignKeys => "foreign",
            Found::Incomplete(_) => "incomplete",
            Found::Session(held) if held.expiration.seconds_left(self.now) == 0 => "expired",
            Found::Session(_) => "held",
        }
    }

    fn held(&self) -> Option<&Held> {
        match &self.found {
            Found::Session(held) => Some(held),
            Found::Nothing | Found::ForeignKeys | Found::Incomplete(_) => None,
        }
    }

    /// Asks AWS whose the keys are. Without a whole key there is nothing to ask with.
    fn check(&self, ambient: &Ambient) -> Result<Option<String>, Error> {
        let secret = |name| ambient.variable(name).map(|value| Secret::new(value.to_owned()));
        let (Some(id), Some(key)) = (self.key, secret(AWS_SECRET_ACCESS_KEY)) else {
            return Ok(None);
        };
        let key = AccessKey { id: id.to_owned(), secret: key, session_token: secret(AWS_SESSION_TOKEN) };
        let marker = self.held().map(|held| &held.marker);
        let arn = marker.and_then(|marker| marker.role.as_ref().or(marker.device.as_ref()));
        let region = self.region.unwrap_or_else(|| home_region(arn.map_or("", String::as_str)));
        let sts = Sts::new(ambient, &EnvConfigSections::default(), region)?;
        let refused = |code, message| Error::RefusedKeys { code, message };
        let failed = |failure| explained(IDENTIFY, failure, &sts, false, refused);
        until_signal(async { sts.caller(&key).await.map_err(failed) }).map(Some)
    }

    /// Lines for people.
    fn text(&self) -> String {
        let mut lines: Vec<(&str, String)> = Vec::new();
        let keys = match (self.key, &self.found) {
            (None, _) => "none".to_owned(),
            (Some(key), Found::ForeignKeys) => format!("{key}, not awsmfa's"),
            (Some(key), Found::Incomplete(missing)) => {
                format!("{key}, awsmfa's, but incomplete: without a usable {}", missing.join(", "))
            }
            (Some(key), _) => format!("{key}, awsmfa's"),
        };
        lines.push(("keys", keys));
        lines.extend(self.caller.clone().map(|caller| ("caller", caller)));
        if let Some(Held { profile, marker, expiration }) = self.held() {
            lines.push(("profile", profile.clone()));
            lines.extend(marker.account.clone().map(|account| ("account", account)));
            match (&marker.role, marker.kind) {
                (Some(role), _) => lines.push(("role", role.clone())),
                (None, Kind::Role) => lines.push(("role", format!("the one of profile {profile}"))),
                (None, Kind::User) => {}
            }
            lines.extend(marker.device.clone().map(|device| ("MFA device", device)));
            lines.push(match expiration.seconds_left(self.now) {
                0 => ("expired", expiration.to_string()),
                seconds => ("expires", format!("{expiration}, in {}", span(seconds))),
            });
        }
        lines.extend(self.region.map(|region| ("region", region.to_owned())));
        lines.extend(self.in_the_way.iter().map(|(name, reason)| ("in the way", format!("{name}: {reason}"))));
        lines.iter().fold(String::new(), |text, (label, value)| text + &format!("{label:<10}  {}\n", printable(value)))
    }

    /// One object, on a line of its own. Every field is always there.
    fn json(&self) -> String {
        let held = self.held();
        let marker = held.map(|held| &held.marker);
        let kind = marker.map(|marker| match marker.kind {
            Kind::User => "user",
            Kind::Role => "role",
        });
        let expiration = held.map(|held| held.expiration.to_string());
        let fields = [
            ("state", Some(self.state())),
            ("access_key_id", self.key),
            ("profile", held.map(|held| held.profile.as_str())),
            ("account", marker.and_then(|marker| marker.account.as_deref())),
            ("kind", kind),
            ("role", marker.and_then(|marker| marker.role.as_deref())),
            ("region", self.region),
            ("mfa_device", marker.and_then(|marker| marker.device.as_deref())),
            ("expiration", expiration.as_deref()),
            ("caller", self.caller.as_deref()),
        ];
        let mut json = String::new();
        let mut object = JsonObjectWriter::new(&mut json);
        for (name, value) in fields {
            match value {
                Some(value) => object.key(name).string(value),
                None => object.key(name).null(),
            }
        }
        match held {
            Some(held) => {
                object.key("seconds_left").number(Number::PosInt(held.expiration.seconds_left(self.now)));
            }
            None => object.key("seconds_left").null(),
        }
        let missing = if let Found::Incomplete(missing) = &self.found { missing.as_slice() } else { &[] };
        let in_the_way: Vec<_> = self.in_the_way.iter().map(|(name, _)| *name).collect();
        for (name, variables) in [("missing", missing), ("in_the_way", &in_the_way)] {
            let mut array = object.key(name).start_array();
            for variable in variables {
                array.value().string(variable);
            }
            array.finish();
        }
        object.finish();
        json + "\n"
    }

    /// A few words for a prompt; nothing where no session is held.
    fn prompt(&self) -> String {
        let Some(Held { profile, expiration, .. }) = self.held() else {
            return String::new();
        };
        // No prompt's own language (bash's `\` and `$`, zsh's and tcsh's `%`, quotes, escape sequences) gets through.
        let plain = |letter: char| if letter.is_alphanumeric() || "_-/.@:+".contains(letter) { letter } else { '_' };
        let profile: String = profile.chars().map(plain).collect();
        match expiration.seconds_left(self.now) {
            0 => format!("{profile} expired\n"),
            seconds => format!("{profile} {}\n", span(seconds)),
        }
    }
}

/// What stands beside the keys and keeps programs from them.
fn in_the_way(found: &Found, ambient: &Ambient) -> Vec<(&'static str, &'static str)> {
    let marker = match found {
        Found::ForeignKeys if ambient.variable(AWSMFA_SESSION).is_some() => Some(match Marker::of(ambient) {
            Some(_) => "it belongs to other keys than these",
            None => "another version of awsmfa wrote it",
        }),
        _ => None,
    };
    let marker = marker.map(|reason| (AWSMFA_SESSION, reason));
    let others = IN_THE_WAY.into_iter().filter(|name| ambient.is_set(name)).map(|name| (name, environment::harm(name)));
    marker.into_iter().chain(others).collect()
}

/// `11h42m`, `42m` or `42s`: as short as it can be, and never more than is left.
fn span(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m"),
        (hours, minutes) => format!("{hours}h{minutes:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the prompt shows of a session of `profile` that has `seconds` left.
    fn prompt(profile: &str, seconds: i64) -> String {
        let marker =
            Marker { key: "ASIA1".to_owned(), source_key: "AKIA1".to_owned(), ..Marker::default() }.to_string();
        let variables = [
            ("AWS_ACCESS_KEY_ID", "ASIA1"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", "token"),
            ("AWS_CREDENTIAL_EXPIRATION", "1970-01-02T00:00:00Z"),
            ("AWSMFA_PROFILE", profile),
            ("AWSMFA_SESSION", &marker),
        ];
        let ambient = Ambient::from_variables(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
        Status::of(&ambient, 86_400 - seconds).prompt()
    }

    #[test]
    fn a_prompt_shows_the_profile_and_never_more_than_is_left() {
        for (seconds, shown) in [
            (42_179, "msgcxp 11h42m\n"),
            (129_600, "msgcxp 36h00m\n"),
            (3_600, "msgcxp 1h00m\n"),
            (3_599, "msgcxp 59m\n"),
            (60, "msgcxp 1m\n"),
            (59, "msgcxp 59s\n"),
            (0, "msgcxp expired\n"),
            (-1, "msgcxp expired\n"),
        ] {
            assert_eq!(prompt("msgcxp", seconds), shown);
        }
    }

    #[test]
    fn a_prompt_shows_no_letter_that_a_shell_could_act_on() {
        for (profile, shown) in [
            ("team/blue@work:a.b+c-d_e", "team/blue@work:a.b+c-d_e 1m\n"),
            ("größe", "größe 1m\n"),
            ("$(id)`id`\\w%n!", "__id__id__w_n_ 1m\n"),
            ("a\x1b[2Jb\nc\u{202e}d'\"", "a__2Jb_c_d__ 1m\n"),
        ] {
            assert_eq!(prompt(profile, 60), shown);
        }
    }
}
