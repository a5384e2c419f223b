//! The session that this shell holds: what `AWSMFA_SESSION` says of it, and whether that is still true.
//!
//! The marker carries no secret. It tells a session of awsmfa's from keys that somebody else put into the environment,
//! and the region that awsmfa set from the one that the person chose.

use std::collections::BTreeMap;
use std::fmt;

use crate::ambient::Ambient;
use crate::credentials::Expiration;
use crate::environment::{
    AWS_ACCESS_KEY_ID, AWS_CREDENTIAL_EXPIRATION, AWS_DEFAULT_REGION, AWS_PROFILE, AWS_REGION, AWS_SECRET_ACCESS_KEY,
    AWS_SESSION_TOKEN, AWSMFA_PROFILE, AWSMFA_SESSION,
};

/// The version of the marker's form; one of another version is not understood, and so nothing counts as held.
const VERSION: &str = "1";

/// The variables of the person's that `use` may take away and `off` gives back, each with its field of the marker.
const TAKEN: [(&str, &str); 3] =
    [(AWS_PROFILE, "was-profile"), (AWS_REGION, "was-region"), (AWS_DEFAULT_REGION, "was-default-region")];

/// What a session was bought with: `AWSMFA_SESSION`, a line of `name=value` fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marker {
    /// The access key id of the session that this marker belongs to.
    pub(crate) key: String,
    /// Whose rights the session has.
    pub(crate) kind: Kind,
    /// The long-term access key id that it was bought with.
    pub(crate) source_key: String,
    /// The serial number of the MFA device; `None` where no code was needed.
    pub(crate) device: Option<String>,
    /// The account that the session acts in, where it is known.
    pub(crate) account: Option<String>,
    /// The role that `--role-arn` named. A session of it is not the profile's own.
    pub(crate) role: Option<String>,
    /// What awsmfa set `AWS_REGION` to, if it did.
    pub(crate) region: Option<String>,
    /// What awsmfa set `AWS_DEFAULT_REGION` to, if it did.
    pub(crate) default_region: Option<String>,
    /// The profile before this one, for `use -`.
    pub(crate) previous: Option<String>,
    /// What `use` took from the person: the variables and their values.
    pub(crate) taken: BTreeMap<&'static str, String>,
}

/// Whose rights a session has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The user's own, by GetSessionToken.
    #[default]
    User,
    /// A role's, by AssumeRole.
    Role,
}

impl Marker {
    /// Reads a marker; `None` where it isn't one or is of another version. Fields that it doesn't know are passed over.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut marker = Self::default();
        let mut fields = text.split(' ');
        if fields.next()? != format!("v={VERSION}") {
            return None;
        }
        for field in fields {
            let (name, value) = field.split_once('=')?;
            let value = value.to_owned();
            match name {
                "key" => marker.key = value,
                "kind" if value == "user" => marker.kind = Kind::User,
                "kind" if value == "role" => marker.kind = Kind::Role,
                "kind" => return None,
                "source-key" => marker.source_key = value,
                "device" => marker.device = Some(value),
                "account" => marker.account = Some(value),
                "role" => marker.role = Some(value),
                "region" => marker.region = Some(value),
                "default-region" => marker.default_region = Some(value),
                "previous" => marker.previous = Some(decoded(&value)),
                _ => {
                    if let Some((variable, _)) = TAKEN.iter().find(|(_, field)| *field == name) {
                        marker.taken.insert(variable, decoded(&value));
                    }
                }
            }
        }
        (!marker.key.is_empty()).then_some(marker)
    }

    /// The marker of the environment, whatever has become of the keys beside it.
    pub(crate) fn of(ambient: &Ambient) -> Option<Self> {
        Self::parse(ambient.variable(AWSMFA_SESSION)?)
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::User => "user",
            Kind::Role => "role",
        };
        write!(f, "v={VERSION} key={} kind={kind} source-key={}", self.key, self.source_key)?;
        let optional = [
            ("device", &self.device),
            ("account", &self.account),
            ("role", &self.role),
            ("region", &self.region),
            ("default-region", &self.default_region),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                write!(f, " {name}={value}")?;
            }
        }
        if let Some(previous) = &self.previous {
            write!(f, " previous={}", encoded(previous))?;
        }
        for (variable, field) in TAKEN {
            if let Some(value) = self.taken.get(variable) {
                write!(f, " {field}={}", encoded(value))?;
            }
        }
        Ok(())
    }
}

/// A value that somebody else chose, without blanks, which part the fields; and without the usual `%`, which cmd can't
/// quote.
fn encoded(value: &str) -> String {
    value.replace('~', "~7E").replace(' ', "~20")
}

fn decoded(field: &str) -> String {
    field.replace("~20", " ").replace("~7E", "~")
}

/// What of the person's own variables a session of `use` left behind.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Traces {
    /// What it took, and what nobody changed since: to be set again.
    pub(crate) taken: BTreeMap<&'static str, String>,
    /// The region variables that it set where there were none: to be cleared.
    pub(crate) set: Vec<&'static str>,
}

impl Traces {
    /// The traces of the session that the marker in this environment tells of.
    pub(crate) fn of(ambient: &Ambient) -> Self {
        let Some(marker) = Marker::of(ambient) else { return Self::default() };
        let set = region_variables(ambient, Some(&marker)).into_iter();
        let set: Vec<_> = set.filter(|(_, set_by)| *set_by == SetBy::Awsmfa).map(|(name, _)| name).collect();
        // A variable stands as the session left it: set to the session's region, or cleared.
        let left = |name| match name {
            AWS_REGION => marker.region.as_deref(),
            AWS_DEFAULT_REGION => marker.default_region.as_deref(),
            _ => None,
        };
        let mut taken = marker.taken.clone();
        taken.retain(|name, _| ambient.variable(name) == left(name));
        let set = set.into_iter().filter(|name| !taken.contains_key(name)).collect();
        Self { taken, set }
    }
}

/// A session of awsmfa's in the environment: the marker belongs to the keys that stand there.
pub(crate) struct Held {
    /// The profile it was bought for.
    pub(crate) profile: String,
    /// What it was bought with.
    pub(crate) marker: Marker,
    /// When it ends.
    pub(crate) expiration: Expiration,
}

impl Held {
    /// The session that this shell holds, expired or not; `None` where the keys are not awsmfa's or are incomplete.
    pub(crate) fn of(ambient: &Ambient) -> Option<Self> {
        match Found::in_the(ambient) {
            Found::Session(held) => Some(held),
            Found::Nothing | Found::ForeignKeys | Found::Incomplete(_) => None,
        }
    }
}

/// What the environment holds.
#[expect(clippy::large_enum_variant, reason = "it is made once in the life of the process")]
pub(crate) enum Found {
    /// No access key id.
    Nothing,
    /// Keys that no marker says to be awsmfa's.
    ForeignKeys,
    /// A session of awsmfa's of which these variables are gone, or can't be read.
    Incomplete(Vec<&'static str>),
    /// A session of awsmfa's, expired or not.
    Session(Held),
}

impl Found {
    /// What the variables and the marker among them say.
    pub(crate) fn in_the(ambient: &Ambient) -> Self {
        let Some(key) = ambient.variable(AWS_ACCESS_KEY_ID) else {
            return Self::Nothing;
        };
        let Some(marker) = Marker::of(ambient).filter(|marker| marker.key == key) else {
            return Self::ForeignKeys;
        };
        let profile = ambient.variable(AWSMFA_PROFILE);
        let expiration = ambient.variable(AWS_CREDENTIAL_EXPIRATION).and_then(Expiration::parse);
        let missing: Vec<_> = [
            (AWS_SECRET_ACCESS_KEY, ambient.variable(AWS_SECRET_ACCESS_KEY).is_none()),
            (AWS_SESSION_TOKEN, ambient.variable(AWS_SESSION_TOKEN).is_none()),
            (AWS_CREDENTIAL_EXPIRATION, expiration.is_none()),
            (AWSMFA_PROFILE, profile.is_none()),
        ]
        .into_iter()
        .filter_map(|(name, missing)| missing.then_some(name))
        .collect();
        match (profile, expiration) {
            (Some(profile), Some(expiration)) if missing.is_empty() => {
                Self::Session(Held { profile: profile.to_owned(), marker, expiration })
            }
            _ => Self::Incomplete(missing),
        }
    }
}

/// Who gave a region variable its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetBy {
    /// It has none.
    Nobody,
    /// An earlier session of awsmfa's: it goes when that session goes.
    Awsmfa,
    /// The person, and it is theirs to change.
    Person,
}

/// Who set `AWS_REGION` and who `AWS_DEFAULT_REGION`, by the marker that stands beside them.
pub(crate) fn region_variables(ambient: &Ambient, marker: Option<&Marker>) -> [(&'static str, SetBy); 2] {
    let set_by = |name, by_marker: Option<&String>| match ambient.variable(name) {
        None => SetBy::Nobody,
        value if value == by_marker.map(String::as_str) => SetBy::Awsmfa,
        Some(_) => SetBy::Person,
    };
    [
        (AWS_REGION, set_by(AWS_REGION, marker.and_then(|marker| marker.region.as_ref()))),
        (AWS_DEFAULT_REGION, set_by(AWS_DEFAULT_REGION, marker.and_then(|marker| marker.default_region.as_ref()))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Marker {
        Marker {
            key: "ASIAEXAMPLE".to_owned(),
            kind: Kind::Role,
            source_key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            device: Some("arn:aws:iam::123456789012:mfa/a=b,c".to_owned()),
            account: Some("123456789012".to_owned()),
            role: Some("arn:aws:iam::123456789012:role/admin".to_owned()),
            region: Some("eu-central-1".to_owned()),
            default_region: Some("eu-central-1".to_owned()),
            previous: Some("deploy".to_owned()),
            taken: BTreeMap::from([(AWS_PROFILE, "~20 % of it".to_owned()), (AWS_REGION, "us-west-2".to_owned())]),
        }
    }

    fn ambient<const N: usize>(variables: [(&str, &str); N]) -> Ambient {
        Ambient::from_variables(variables.map(|(name, value)| (name.to_owned(), value.to_owned())))
    }

    #[test]
    fn a_marker_reads_back_as_it_was_written() {
        let bare = Marker { key: "ASIA1".to_owned(), source_key: "AKIA1".to_owned(), ..Marker::default() };
        assert_eq!(bare.to_string(), "v=1 key=ASIA1 kind=user source-key=AKIA1");
        for marker in [bare, full()] {
            assert_eq!(Marker::parse(&marker.to_string()), Some(marker));
        }
    }

    #[test]
    fn what_is_no_marker_of_this_version_is_not_understood() {
        for text in ["", "v=1", "v=2 key=ASIA1 kind=user", "key=ASIA1", "v=1 key=ASIA1 kind=pope", "v=1 junk key=ASIA1"]
        {
            assert_eq!(Marker::parse(text), None, "{text}");
        }
        assert!(Marker::parse("v=1 key=ASIA1 kind=user colour=green").is_some());
    }

    #[test]
    fn a_session_is_held_only_while_the_marker_belongs_to_the_keys() {
        let marker = full().to_string();
        let held = |key, secret, token, expiration| {
            Held::of(&ambient([
                (AWSMFA_PROFILE, "msgcxp"),
                (AWSMFA_SESSION, &marker),
                (AWS_ACCESS_KEY_ID, key),
                (AWS_SECRET_ACCESS_KEY, secret),
                (AWS_SESSION_TOKEN, token),
                (AWS_CREDENTIAL_EXPIRATION, expiration),
            ]))
            .is_some()
        };
        assert!(held("ASIAEXAMPLE", "s", "t", "2026-11-21T18:40:00Z"));
        assert!(!held("ASIAOTHER", "s", "t", "2026-11-21T18:40:00Z"));
        assert!(!held("ASIAEXAMPLE", "", "t", "2026-11-21T18:40:00Z"));
        assert!(!held("ASIAEXAMPLE", "s", "", "2026-11-21T18:40:00Z"));
        assert!(!held("ASIAEXAMPLE", "s", "t", "soon"));
    }

    #[test]
    fn a_region_that_awsmfa_set_is_not_the_persons_own() {
        use SetBy::{Awsmfa, Nobody, Person};
        for (region, default_region, set_by) in [
            ("", "", [Nobody, Nobody]),
            ("eu-central-1", "eu-central-1", [Awsmfa, Awsmfa]),
            ("us-east-1", "eu-central-1", [Person, Awsmfa]),
            ("eu-central-1", "us-east-1", [Awsmfa, Person]),
            ("", "us-west-2", [Nobody, Person]),
        ] {
            let ambient = ambient([(AWS_REGION, region), (AWS_DEFAULT_REGION, default_region)]);
            assert_eq!(
                region_variables(&ambient, Some(&full())).map(|(_, by)| by),
                set_by,
                "{region} {default_region}"
            );
        }
        let ambient = ambient([(AWS_REGION, "eu-central-1")]);
        assert_eq!(region_variables(&ambient, None).map(|(_, by)| by), [Person, Nobody]);
    }

    #[test]
    fn what_use_took_is_given_back_where_nobody_changed_it_since() {
        let marker = full().to_string();
        let taken = |profile, region| {
            let traces = Traces::of(&ambient([
                (AWSMFA_SESSION, &marker),
                (AWS_PROFILE, profile),
                (AWS_REGION, region),
                (AWS_DEFAULT_REGION, "eu-central-1"),
            ]));
            assert_eq!(traces.set, [AWS_DEFAULT_REGION]);
            traces.taken.into_keys().collect::<Vec<_>>()
        };
        assert_eq!(taken("", "eu-central-1"), [AWS_PROFILE, AWS_REGION]);
        assert_eq!(taken("mine", "eu-central-1"), [AWS_REGION]);
        assert_eq!(taken("", "eu-north-1"), [AWS_PROFILE]);
        // To clear a variable is to change it.
        assert_eq!(taken("", ""), [AWS_PROFILE]);
        assert_eq!(Traces::of(&ambient([(AWS_PROFILE, "mine")])), Traces::default());
    }
}
