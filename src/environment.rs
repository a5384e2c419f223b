//! What a session changes in an environment: an ordered list of variables to set and to clear.
//!
//! Pure. `env` renders the list for a shell, `exec` applies it to a child. The names of variables stand here and nowhere
//! else.

use crate::credentials::{Secret, Session};
use crate::held::Marker;

pub(crate) const AWS_ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
pub(crate) const AWS_SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
pub(crate) const AWS_SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";
/// botocore renews against it, and prompts count down to it: a stale one beside new keys breaks both.
pub(crate) const AWS_CREDENTIAL_EXPIRATION: &str = "AWS_CREDENTIAL_EXPIRATION";
/// botocore reads it beside the keys, so one of another account must not stay.
pub(crate) const AWS_ACCOUNT_ID: &str = "AWS_ACCOUNT_ID";
pub(crate) const AWS_REGION: &str = "AWS_REGION";
pub(crate) const AWS_DEFAULT_REGION: &str = "AWS_DEFAULT_REGION";
/// The profile that the session in the environment was bought for.
pub(crate) const AWSMFA_PROFILE: &str = "AWSMFA_PROFILE";
/// What the session in the environment was bought with: see [`Marker`].
pub(crate) const AWSMFA_SESSION: &str = "AWSMFA_SESSION";
/// A token code, for scripts. No child process gets to see it.
pub(crate) const AWSMFA_TOKEN_CODE: &str = "AWSMFA_TOKEN_CODE";
pub(crate) const AWS_PROFILE: &str = "AWS_PROFILE";
pub(crate) const AWS_DEFAULT_PROFILE: &str = "AWS_DEFAULT_PROFILE";

/// Variables that outrank or poison the keys: the JavaScript SDK ignores keys beside a profile, even an empty
/// `AWS_PROFILE` breaks the AWS CLI, and botocore reads `AWS_SECURITY_TOKEN` before `AWS_SESSION_TOKEN`.
pub(crate) const IN_THE_WAY: [&str; 3] = [AWS_PROFILE, AWS_DEFAULT_PROFILE, "AWS_SECURITY_TOKEN"];

/// What a variable of [`IN_THE_WAY`] does to keys beside it, in words for a person.
pub(crate) fn harm(name: &str) -> &'static str {
    match name {
        AWS_PROFILE => "the JavaScript SDK takes the profile and not the keys, and an empty one breaks the AWS CLI",
        AWS_DEFAULT_PROFILE => "the AWS CLI and boto3 take their settings from that profile",
        _ => "the AWS CLI and boto3 take it before AWS_SESSION_TOKEN",
    }
}

/// One variable and what becomes of it.
pub(crate) struct Change {
    /// The variable's name, one of the constants above.
    pub(crate) name: &'static str,
    /// The value to set, or `None` to clear the variable.
    pub(crate) value: Option<Secret>,
}

impl Change {
    pub(crate) fn set(name: &'static str, value: String) -> Self {
        Self { name, value: Some(Secret::new(value)) }
    }

    fn clear(name: &'static str) -> Self {
        Self { name, value: None }
    }
}

/// The session's variables. A region variable that an earlier session set (`stale`) and this one doesn't is cleared.
pub(crate) fn of_session(session: Session, profile: &str, marker: &Marker, stale: &[&'static str]) -> Vec<Change> {
    let mut changes = vec![
        Change::set(AWS_ACCESS_KEY_ID, session.key.id),
        Change { name: AWS_SECRET_ACCESS_KEY, value: Some(session.key.secret) },
        Change { name: AWS_SESSION_TOKEN, value: session.key.session_token },
        Change::set(AWS_CREDENTIAL_EXPIRATION, session.expiration.to_string()),
        Change { name: AWS_ACCOUNT_ID, value: marker.account.clone().map(Secret::new) },
    ];
    for (name, region) in [(AWS_REGION, &marker.region), (AWS_DEFAULT_REGION, &marker.default_region)] {
        match region {
            Some(region) => changes.push(Change::set(name, region.clone())),
            None if stale.contains(&name) => changes.push(Change::clear(name)),
            None => {}
        }
    }
    changes.push(Change::set(AWSMFA_PROFILE, profile.to_owned()));
    changes.push(Change::set(AWSMFA_SESSION, marker.to_string()));
    changes.extend(IN_THE_WAY.map(Change::clear));
    changes
}

/// What takes a session away again: everything that [`of_session`] sets, and of the region variables those in `stale`.
pub(crate) fn of_nothing(stale: &[&'static str]) -> Vec<Change> {
    let always = [
        AWS_ACCESS_KEY_ID,
        AWS_SECRET_ACCESS_KEY,
        AWS_SESSION_TOKEN,
        AWS_CREDENTIAL_EXPIRATION,
        AWS_ACCOUNT_ID,
        AWSMFA_PROFILE,
        AWSMFA_SESSION,
    ];
    always.into_iter().chain(stale.iter().copied()).map(Change::clear).collect()
}

/// What lets a held session work in a child: what outranks it goes, and `region` comes where one was asked for.
pub(crate) fn of_held(region: Option<&str>) -> Vec<Change> {
    let region = region
        .into_iter()
        .flat_map(|region| [AWS_REGION, AWS_DEFAULT_REGION].map(|name| Change::set(name, region.to_owned())));
    region.chain(IN_THE_WAY.map(Change::clear)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::{AccessKey, Expiration};

    fn session() -> Session {
        let secret = Secret::new("secret".to_owned());
        let session_token = Some(Secret::new("token".to_owned()));
        let key = AccessKey { id: "ASIA1".to_owned(), secret, session_token };
        Session { key, expiration: Expiration::from_epoch(0) }
    }

    /// `NAME=value` for what is set, `NAME` for what is cleared.
    fn written(changes: &[Change]) -> Vec<String> {
        let line = |change: &Change| match &change.value {
            Some(value) => format!("{}={}", change.name, value.expose()),
            None => change.name.to_owned(),
        };
        changes.iter().map(line).collect()
    }

    #[test]
    fn a_session_sets_its_own_variables_and_clears_what_outranks_them() {
        let marker = Marker {
            key: "ASIA1".to_owned(),
            source_key: "AKIA1".to_owned(),
            account: Some("123456789012".to_owned()),
            region: Some("eu-central-1".to_owned()),
            default_region: Some("eu-central-1".to_owned()),
            ..Marker::default()
        };
        let expected = [
            "AWS_ACCESS_KEY_ID=ASIA1",
            "AWS_SECRET_ACCESS_KEY=secret",
            "AWS_SESSION_TOKEN=token",
            "AWS_CREDENTIAL_EXPIRATION=1970-01-01T00:00:00Z",
            "AWS_ACCOUNT_ID=123456789012",
            "AWS_REGION=eu-central-1",
            "AWS_DEFAULT_REGION=eu-central-1",
            "AWSMFA_PROFILE=msgcxp",
            "AWSMFA_SESSION=v=1 key=ASIA1 kind=user source-key=AKIA1 account=123456789012 region=eu-central-1 \
             default-region=eu-central-1",
            "AWS_PROFILE",
            "AWS_DEFAULT_PROFILE",
            "AWS_SECURITY_TOKEN",
        ];
        assert_eq!(written(&of_session(session(), "msgcxp", &marker, &[AWS_REGION])), expected);
    }

    #[test]
    fn an_unknown_account_and_an_earlier_sessions_region_are_cleared_and_the_persons_own_region_is_left_alone() {
        let marker = Marker { key: "ASIA1".to_owned(), source_key: "AKIA1".to_owned(), ..Marker::default() };
        let lines = written(&of_session(session(), "msgcxp", &marker, &[AWS_REGION]));
        assert!(lines.contains(&"AWS_ACCOUNT_ID".to_owned()));
        assert!(lines.contains(&"AWS_REGION".to_owned()));
        assert!(!lines.iter().any(|line| line.starts_with("AWS_DEFAULT_REGION")));
    }

    #[test]
    fn clearing_names_every_variable_that_a_session_sets() {
        let regions = Some("eu-central-1".to_owned());
        let marker = Marker { region: regions.clone(), default_region: regions, ..Marker::default() };
        let cleared = written(&of_nothing(&[AWS_REGION, AWS_DEFAULT_REGION]));
        for change in of_session(session(), "msgcxp", &marker, &[]).iter().filter(|change| change.value.is_some()) {
            assert!(cleared.contains(&change.name.to_owned()), "{}", change.name);
        }
        assert!(!written(&of_nothing(&[])).iter().any(|line| line.contains("REGION")));
    }
}
