//! What completion offers that clap doesn't know: the names of the person's own profiles.

use std::ffi::OsStr;

use clap_complete::engine::CompletionCandidate;

use crate::ambient::Ambient;
use crate::mfa;
use crate::profile::{Profile, Profiles};

/// The profiles whose names begin with `word`, each with whose rights it stands for. None where a file can't be read:
/// this is no place for an error.
pub(crate) fn profiles(word: &OsStr) -> Vec<CompletionCandidate> {
    let (Some(word), Ok(profiles)) = (word.to_str(), Profiles::load(&Ambient::read(), "default")) else {
        return vec![];
    };
    let matching = profiles.names().into_iter().filter(|name| name.starts_with(word));
    let candidate = |name| {
        let help = profiles.get(name).ok().and_then(description);
        // Without a tag of ours the engine would make one for each.
        CompletionCandidate::new(name).help(help.map(Into::into)).tag(Some("profiles".into()))
    };
    matching.map(candidate).collect()
}

/// The role and its account; for a user the account, where the device tells it.
fn description(profile: Profile<'_>) -> Option<String> {
    let account = |arn| mfa::account(arn).map_or(String::new(), |account| format!("account {account}"));
    if let Some(role) = profile.get("role_arn") {
        let name = role.value.rsplit('/').next()?;
        return Some(format!("role {name}, {}", account(role.value)));
    }
    profile.get("mfa_serial").map(|serial| account(serial.value))
}
