//! What is going to be asked of STS: profiles and a request become a plan, before anything is asked of anybody.
//!
//! Pure: no environment, no clock, no terminal, no network, and no secret in what comes out. Every refusal that can be
//! known beforehand is given here.

use std::fmt;
use std::ops::RangeInclusive;

use crate::error::Error;
use crate::mfa::SerialNumber;
use crate::profile::{Place, Profile, Profiles, Setting};

/// GetSessionToken's range for an IAM user, in seconds.
/// Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html>
const SESSION_SECONDS: RangeInclusive<u32> = 900..=129_600;
/// What GetSessionToken gives when nothing is said.
const SESSION_SECONDS_DEFAULT: u32 = 43_200;
/// AssumeRole's range, in seconds; a role's own maximum may be lower.
/// Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
const ROLE_SECONDS: RangeInclusive<u32> = 900..=43_200;
/// What AssumeRole gives when nothing is said, and the most that it gives to temporary keys (role chaining).
const ROLE_SECONDS_DEFAULT: u32 = 3_600;
/// Shown in the ARN of the role's session, and in CloudTrail, where neither option nor profile says otherwise.
const ROLE_SESSION_NAME: &str = "awsmfa";

/// What the person asked for, by options and variables. Unset means: as the profile has it.
#[derive(Default)]
pub(crate) struct Request {
    /// The profile's name.
    pub(crate) profile: String,
    /// `--serial-number`.
    pub(crate) serial_number: Option<String>,
    /// `AWS_MFA_SERIAL`: the device of user sessions, where no option names one.
    pub(crate) user_serial_number: Option<String>,
    /// `--duration-seconds`.
    pub(crate) duration: Option<String>,
    /// `AWSMFA_DURATION_SECONDS`: for user sessions only, since half a day would break every role whose maximum is an
    /// hour.
    pub(crate) user_duration: Option<String>,
    /// `--role-arn`: a role that the profile's keys assume.
    pub(crate) role_arn: Option<String>,
    /// `--role-session-name`.
    pub(crate) role_session_name: Option<String>,
    /// `--external-id`.
    pub(crate) external_id: Option<String>,
    /// `--region`, or the person's own `AWS_REGION` or `AWS_DEFAULT_REGION`; with the name of which it is.
    pub(crate) region: Option<(&'static str, String)>,
    /// Whether a token code came with the command line: then it has to have a use.
    pub(crate) code_given: bool,
}

/// The calls to make, in order. The first one carries the token code, if there is one: a code works once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The profile that was asked for.
    pub(crate) profile: String,
    /// The profile whose keys sign the first call.
    pub(crate) signer: String,
    /// The identifier of these keys.
    pub(crate) access_key_id: String,
    /// The device whose code goes with the first call.
    pub(crate) device: Device,
    /// The first call, signed with the signer's keys.
    pub(crate) first: Call,
    /// Roles assumed one after the other, each with what the call before it gave.
    pub(crate) chain: Vec<Role>,
    /// The region that the session is for, and whose STS is asked.
    pub(crate) region: Option<String>,
}

/// Which MFA device is asked for a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Device {
    /// None: the role's trust policy decides whether that will do.
    None,
    /// This one.
    Known(SerialNumber),
    /// The one named like the user whose keys these are, as GetCallerIdentity tells.
    Derived,
}

/// A call to STS that gives temporary credentials.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// The user's own rights, with MFA.
    GetSessionToken {
        /// How long, in seconds.
        seconds: u32,
    },
    /// A role's rights.
    AssumeRole(Role),
}

/// A role and how it is to be assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Role {
    /// `arn:aws:iam::…:role/…`.
    pub(crate) arn: String,
    /// The name of the role's session.
    pub(crate) session_name: String,
    /// What the role's owner wants to hear, if anything.
    pub(crate) external_id: Option<String>,
    /// How long, in seconds.
    pub(crate) seconds: u32,
}

impl Role {
    /// The role of this ARN, assumed as STS does when nothing else is said.
    fn named(arn: String) -> Self {
        Self { arn, session_name: ROLE_SESSION_NAME.to_owned(), external_id: None, seconds: ROLE_SECONDS_DEFAULT }
    }
}

impl Plan {
    /// The role whose rights the session has; `None` for a user's own.
    pub(crate) fn role(&self) -> Option<&Role> {
        match (&self.first, self.chain.last()) {
            (_, Some(last)) => Some(last),
            (Call::AssumeRole(role), None) => Some(role),
            (Call::GetSessionToken { .. }, None) => None,
        }
    }
}

impl fmt::Display for Plan {
    /// The plan for a person to read, a line a call.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "profile  {}", self.profile)?;
        writeln!(f, "keys     {} of profile {}", self.access_key_id, self.signer)?;
        match &self.device {
            Device::None => writeln!(f, "device   none: no MFA setting on the role or its source profile")?,
            Device::Known(serial) => writeln!(f, "device   {serial}")?,
            Device::Derived => writeln!(f, "device   derived from the user's name, which GetCallerIdentity tells")?,
        }
        writeln!(f, "region   {}", self.region.as_deref().unwrap_or("none"))?;
        let code = if self.device == Device::None { "" } else { ", with a token code" };
        match &self.first {
            Call::GetSessionToken { seconds } => write!(f, "call     GetSessionToken for {}{code}", span(*seconds))?,
            Call::AssumeRole(role) => write!(f, "call     {role}{code}")?,
        }
        self.chain.iter().try_for_each(|role| write!(f, "\nthen     {role}"))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AssumeRole {} as {}", self.arn, self.session_name)?;
        if let Some(id) = &self.external_id {
            write!(f, " with external ID {id}")?;
        }
        write!(f, " for {}", span(self.seconds))
    }
}

/// Seconds for a person to read: `12h`, `1h 30m`.
pub(crate) fn span(seconds: impl Into<u64>) -> String {
    humantime::format_duration(std::time::Duration::from_secs(seconds.into())).to_string()
}

/// Makes the plan.
///
/// # Errors
/// Everything that is wrong with the request or with the profile's settings, with the file and line where it stands.
pub(crate) fn resolve(profiles: &Profiles, request: &Request) -> Result<Plan, Error> {
    let option = |value: &Option<String>, name: &str, check: Check| {
        value.as_deref().map(|value| check(value, &format!("`{name}`"))).transpose()
    };
    let serial_option = request.serial_number.as_deref().map(|text| SerialNumber::parse(text, "`--serial-number`"));
    let serial_option = serial_option.transpose()?;
    let seconds_option = request.duration.as_deref().map(|text| seconds(text, "`--duration-seconds`")).transpose()?;
    let role_option = option(&request.role_arn, "--role-arn", role_arn)?;
    let session_name_option = option(&request.role_session_name, "--role-session-name", role_session_name)?;
    let external_id_option = option(&request.external_id, "--external-id", external_id)?;
    let wanted_region =
        request.region.as_ref().map(|(origin, text)| region(text, &format!("`{origin}`"))).transpose()?;

    let profile = profiles.get(&request.profile)?;
    let mut links = Vec::new();
    let signer = chain(profiles, profile, &mut links)?;
    let key = Key::of(signer)?;
    let device_setting = links.iter().map(|link| link.profile).chain([signer]).find_map(device_setting).transpose()?;
    let mut roles = links.iter().rev().map(Link::role).collect::<Result<Vec<_>, _>>()?;
    roles.extend(role_option.map(Role::named));

    if let Some(role) = roles.last_mut() {
        role.session_name = session_name_option.unwrap_or_else(|| std::mem::take(&mut role.session_name));
        role.external_id = external_id_option.or(role.external_id.take());
        role.seconds = seconds_option.unwrap_or(role.seconds);
    } else if let Some(option) =
        session_name_option.and(Some("--role-session-name")).or(external_id_option.and(Some("--external-id")))
    {
        return Err(Error::OptionWithoutRole { option, profile: request.profile.clone() });
    }

    let (first, device) = if roles.is_empty() {
        if let Some(place) = key.session_token {
            return Err(Error::TemporaryKeys { profile: signer.name().to_owned(), place });
        }
        let variable = request.user_serial_number.as_deref().map(|text| SerialNumber::parse(text, "`AWS_MFA_SERIAL`"));
        let device = serial_option.or(variable.transpose()?).or(device_setting);
        let call = Call::GetSessionToken { seconds: user_seconds(signer, seconds_option, request)? };
        (call, device.map_or(Device::Derived, Device::Known))
    } else {
        for (number, role) in roles.iter().enumerate() {
            let chained = number > 0 || key.session_token.is_some();
            check_range("AssumeRole", role.seconds, ROLE_SECONDS)?;
            if chained && role.seconds > ROLE_SECONDS_DEFAULT {
                return Err(Error::ChainedTooLong { role: role.arn.clone(), asked: role.seconds });
            }
        }
        // Temporary keys carry the MFA that they were bought with, or none: STS takes no code beside them.
        let device = serial_option.or(device_setting).filter(|_| key.session_token.is_none());
        (Call::AssumeRole(roles.remove(0)), device.map_or(Device::None, Device::Known))
    };
    if device == Device::None && request.code_given {
        return Err(Error::CodeWithoutDevice { profile: request.profile.clone() });
    }
    let region = match wanted_region {
        Some(region) => Some(region),
        None => profile.get("region").map(|setting| region(setting.value, &setting.origin())).transpose()?,
    };
    Ok(Plan {
        profile: request.profile.clone(),
        signer: signer.name().to_owned(),
        access_key_id: key.id,
        device,
        first,
        chain: roles,
        region,
    })
}

/// How long a user's session is to be: option, variable, the profile's own setting, STS's default.
fn user_seconds(profile: Profile, option: Option<u32>, request: &Request) -> Result<u32, Error> {
    let asked = match (option, &request.user_duration, profile.get("duration_seconds")) {
        (Some(option), _, _) => option,
        (None, Some(variable), _) => seconds(variable, "`AWSMFA_DURATION_SECONDS`")?,
        (None, None, Some(setting)) => seconds(setting.value, &setting.origin())?,
        (None, None, None) => SESSION_SECONDS_DEFAULT,
    };
    check_range("GetSessionToken", asked, SESSION_SECONDS)?;
    Ok(asked)
}

/// A role profile on the way from the profile asked for to the one with keys.
struct Link<'a> {
    profile: Profile<'a>,
    role_arn: Setting<'a>,
}

impl Link<'_> {
    fn role(&self) -> Result<Role, Error> {
        let setting = |key, check: Check| {
            self.profile.get(key).map(|setting| check(setting.value, &setting.origin())).transpose()
        };
        let asked = self.profile.get("duration_seconds").map(|setting| seconds(setting.value, &setting.origin()));
        Ok(Role {
            session_name: setting("role_session_name", role_session_name)?.unwrap_or(ROLE_SESSION_NAME.to_owned()),
            external_id: setting("external_id", external_id)?,
            seconds: asked.transpose()?.unwrap_or(ROLE_SECONDS_DEFAULT),
            ..Role::named(role_arn(self.role_arn.value, &self.role_arn.origin())?)
        })
    }
}

/// Follows `source_profile` from `profile` to the profile with keys, noting the roles on the way, the wanted one first.
fn chain<'a>(profiles: &'a Profiles, profile: Profile<'a>, links: &mut Vec<Link<'a>>) -> Result<Profile<'a>, Error> {
    let mut profile = profile;
    loop {
        let Some(role_arn) = profile.get("role_arn") else { return Ok(profile) };
        // Keys beside the role end the chain, except in the profile asked for: there the role is what is wanted.
        if !links.is_empty() && profile.get("aws_access_key_id").is_some() {
            return Ok(profile);
        }
        let Some(source) = profile.get("source_profile") else {
            return Err(Error::SourceMissing { profile: profile.name().to_owned(), place: role_arn.place() });
        };
        let (from, name, place) = (profile.name(), source.value, source.place());
        links.push(Link { profile, role_arn });
        if name == from {
            return Ok(profile);
        }
        if links.iter().any(|link| link.profile.name() == name) {
            let names = links.iter().map(|link| link.profile.name()).chain([name]).map(str::to_owned).collect();
            return Err(Error::SourceLoop { names, place });
        }
        profile = profiles.get(name).map_err(|error| match error {
            Error::ProfileUnknown { profile: source_profile, nearest, .. } => {
                Error::SourceUnknown { profile: from.to_owned(), source_profile, place, nearest }
            }
            other => other,
        })?;
    }
}

/// The identifier of a profile's keys, and where their session token stands if they are temporary.
struct Key {
    id: String,
    session_token: Option<Place>,
}

impl Key {
    fn of(profile: Profile) -> Result<Self, Error> {
        let name = profile.name().to_owned();
        for part in ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"] {
            let setting = profile.get(part);
            if let Some(setting) = setting.filter(|part| !part.value.chars().all(|letter| letter.is_ascii_graphic())) {
                // Not shown: what stands in the wrong line may be a secret.
                return Err(Error::KeyMalformed { origin: setting.origin() });
            }
        }
        match (profile.get("aws_access_key_id"), profile.get("aws_secret_access_key")) {
            (Some(id), Some(_)) => {
                let session_token = profile.get("aws_session_token").map(|token| token.place());
                Ok(Self { id: id.value.to_owned(), session_token })
            }
            (Some(id), None) => {
                Err(Error::HalfKey { profile: name, missing: "aws_secret_access_key", place: id.place() })
            }
            (None, Some(secret)) => {
                Err(Error::HalfKey { profile: name, missing: "aws_access_key_id", place: secret.place() })
            }
            (None, None) => {
                let other = OTHER_SOURCES.into_iter().find(|key| profile.get(key).is_some());
                Err(Error::NoKeys { profile: name, place: profile.place(), other })
            }
        }
    }
}

/// The settings by which AWS's tools get keys that awsmfa can't get.
const OTHER_SOURCES: [&str; 5] =
    ["credential_process", "sso_session", "sso_start_url", "web_identity_token_file", "login_session"];

/// The MFA device that a profile names: by the AWS CLI's name for it, or by the one that a widespread guide has.
fn device_setting(profile: Profile) -> Option<Result<SerialNumber, Error>> {
    let setting = profile.get("mfa_serial").or_else(|| profile.get("mfa_arn"))?;
    Some(SerialNumber::parse(setting.value, &setting.origin()))
}

/// Checks the form of a value; the second argument says where it came from.
type Check = fn(&str, &str) -> Result<String, Error>;

/// Seconds from plain seconds (`43200`) or a time with units (`12h`, `1h 30m`).
pub(crate) fn seconds(text: &str, origin: &str) -> Result<u32, Error> {
    let plain = text.trim().parse::<u64>().ok();
    let seconds = plain.or_else(|| humantime::parse_duration(text.trim()).ok().map(|time| time.as_secs()));
    seconds.and_then(|seconds| seconds.try_into().ok()).ok_or_else(|| {
        invalid(
            text,
            origin,
            "is no length of time: seconds (900 to 129600 for a user, to 43200 for a role) or `12h`, `90m`",
        )
    })
}

fn check_range(call: &'static str, asked: u32, range: RangeInclusive<u32>) -> Result<(), Error> {
    if range.contains(&asked) { Ok(()) } else { Err(Error::DurationOutOfRange { call, asked, range }) }
}

fn role_arn(text: &str, origin: &str) -> Result<String, Error> {
    let good = text.starts_with("arn:") && text.contains(":role/") && (20..=2048).contains(&text.len());
    check(good, text, origin, "is no ARN of a role (`arn:aws:iam::123456789012:role/name`)")
}

fn role_session_name(text: &str, origin: &str) -> Result<String, Error> {
    let good = (2..=64).contains(&text.len()) && consists_of(text, "_+=,.@-");
    check(good, text, origin, "is no role session name: 2 to 64 letters, digits and `_+=,.@-`")
}

fn external_id(text: &str, origin: &str) -> Result<String, Error> {
    let good = (2..=1224).contains(&text.len()) && consists_of(text, "_+=,.@:/-");
    check(good, text, origin, "is no external ID: 2 to 1224 letters, digits and `_+=,.@:/-`")
}

/// A region's name becomes part of a host name.
fn region(text: &str, origin: &str) -> Result<String, Error> {
    let good = (1..=63).contains(&text.len()) && consists_of(text, "-");
    check(good, text, origin, "is no region (`eu-central-1`)")
}

fn consists_of(text: &str, others: &str) -> bool {
    text.chars().all(|letter| letter.is_ascii_alphanumeric() || others.contains(letter))
}

fn check(good: bool, text: &str, origin: &str, reason: &'static str) -> Result<String, Error> {
    if good { Ok(text.to_owned()) } else { Err(invalid(text, origin, reason)) }
}

fn invalid(text: &str, origin: &str, reason: &'static str) -> Error {
    Error::Invalid { origin: origin.to_owned(), value: text.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::tests::profiles;

    const KEYS: &str = "aws_access_key_id = AKIA1\naws_secret_access_key = s\n";
    const DEVICE: &str = "arn:aws:iam::123456789012:mfa/miket92";
    const OTHER: &str = "arn:aws:iam::123456789012:mfa/other";
    const DEPLOY: &str = "arn:aws:iam::123456789012:role/deploy";
    const ADMIN: &str = "arn:aws:iam::123456789012:role/admin";

    fn request(profile: &str) -> Request {
        Request { profile: profile.to_owned(), ..Request::default() }
    }

    /// An option's value.
    #[expect(clippy::unnecessary_wraps, reason = "the fields of a request are optional")]
    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    /// The plan for `config`, the keys of profile `u` standing in the credentials file; as text, without the line that
    /// repeats the profile's name.
    fn plan(config: &str, request: &Request) -> Result<String, String> {
        let profiles = profiles(config, &format!("[u]\n{KEYS}"));
        let plan = profiles.and_then(|profiles| resolve(&profiles, request)).map_err(|error| error.to_string())?;
        Ok(plan.to_string().lines().skip(1).map(|line| line[9..].to_owned()).collect::<Vec<_>>().join("; "))
    }

    #[track_caller]
    fn assert_plan(config: &str, request: &Request, expected: &str) {
        assert_eq!(plan(config, request).as_deref(), Ok(expected), "{config}");
    }

    #[track_caller]
    fn assert_refused(config: &str, request: &Request, expected: &str) {
        assert_eq!(plan(config, request).as_deref().map_err(String::as_str), Err(expected), "{config}");
    }

    const DERIVED: &str = "derived from the user's name, which GetCallerIdentity tells";
    const NO_DEVICE: &str = "none: no MFA setting on the role or its source profile";

    #[test]
    fn a_user_profile_asks_for_a_session_token() {
        let u = request("u");
        assert_plan(
            "",
            &u,
            &format!("AKIA1 of profile u; {DERIVED}; none; GetSessionToken for 12h, with a token code"),
        );
        let config = format!("[profile u]\nregion = eu-central-1\nmfa_serial = {DEVICE}\n");
        assert_plan(
            &config,
            &u,
            &format!("AKIA1 of profile u; {DEVICE}; eu-central-1; GetSessionToken for 12h, with a token code"),
        );
    }

    #[test]
    fn the_device_of_a_user_is_the_options_then_the_variables_then_the_profiles() {
        let option = || text("GAHT00000001");
        let variable = || text("GAHT00000002");
        for (config, serial_number, user_serial_number, expected) in [
            ("mfa_serial = GAHT00000003\nmfa_arn = GAHT00000004\n", option(), variable(), "GAHT00000001"),
            ("mfa_serial = GAHT00000003\nmfa_arn = GAHT00000004\n", None, variable(), "GAHT00000002"),
            ("mfa_serial = GAHT00000003\nmfa_arn = GAHT00000004\n", None, None, "GAHT00000003"),
            ("mfa_arn = GAHT00000004\n", None, None, "GAHT00000004"),
            ("", None, None, DERIVED),
        ] {
            let request = Request { serial_number, user_serial_number, ..request("u") };
            let expected = format!("AKIA1 of profile u; {expected}; none; GetSessionToken for 12h, with a token code");
            assert_plan(&format!("[profile u]\n{config}"), &request, &expected);
        }
    }

    #[test]
    fn a_role_is_assumed_with_the_device_of_the_role_or_of_its_source_and_of_nobody_else() {
        let default = format!("[default]\nmfa_serial = {OTHER}\n");
        for (role, source, device, code) in [
            (format!("mfa_serial = {DEVICE}"), String::new(), DEVICE, ", with a token code"),
            (format!("mfa_arn = {DEVICE}"), String::new(), DEVICE, ", with a token code"),
            (format!("mfa_serial = {DEVICE}"), format!("mfa_serial = {OTHER}"), DEVICE, ", with a token code"),
            (String::new(), format!("mfa_serial = {DEVICE}"), DEVICE, ", with a token code"),
            (String::new(), String::new(), NO_DEVICE, ""),
        ] {
            let config = format!(
                "{default}[profile r]\nrole_arn = {DEPLOY}\nsource_profile = u\n{role}\n[profile u]\n{source}\n"
            );
            let request = Request { user_serial_number: text("GAHT00000002"), ..request("r") };
            let expected = format!("AKIA1 of profile u; {device}; none; AssumeRole {DEPLOY} as awsmfa for 1h{code}");
            assert_plan(&config, &request, &expected);
        }
    }

    #[test]
    fn a_roles_settings_are_honoured_and_the_options_win() {
        let config = format!(
            "[profile r]\nrole_arn = {DEPLOY}\nsource_profile = u\nrole_session_name = mike\nexternal_id = abc\n\
             duration_seconds = 7200\nregion = eu-west-1\n"
        );
        assert_plan(
            &config,
            &request("r"),
            &format!(
                "AKIA1 of profile u; {NO_DEVICE}; eu-west-1; AssumeRole {DEPLOY} as mike with external ID abc for 2h"
            ),
        );
        let options = Request {
            duration: text("90m"),
            role_session_name: text("jo"),
            external_id: text("xyz"),
            region: Some(("--region", "us-east-1".to_owned())),
            serial_number: text(DEVICE),
            ..request("r")
        };
        assert_plan(
            &config,
            &options,
            &format!(
                "AKIA1 of profile u; {DEVICE}; us-east-1; AssumeRole {DEPLOY} as jo with external ID xyz for 1h 30m, with a token code"
            ),
        );
    }

    #[test]
    fn a_role_of_the_command_line_is_assumed_with_the_profiles_keys() {
        let request = Request { role_arn: text(ADMIN), serial_number: text(DEVICE), ..request("u") };
        assert_plan(
            "",
            &request,
            &format!("AKIA1 of profile u; {DEVICE}; none; AssumeRole {ADMIN} as awsmfa for 1h, with a token code"),
        );
    }

    #[test]
    fn roles_in_a_chain_are_assumed_one_after_the_other() {
        let config = format!(
            "[profile a]\nrole_arn = {ADMIN}\nsource_profile = r\n\
             [profile r]\nrole_arn = {DEPLOY}\nsource_profile = u\nmfa_serial = {DEVICE}\n"
        );
        assert_plan(
            &config,
            &request("a"),
            &format!(
                "AKIA1 of profile u; {DEVICE}; none; AssumeRole {DEPLOY} as awsmfa for 1h, with a token code; \
             AssumeRole {ADMIN} as awsmfa for 1h"
            ),
        );
        let long = Request { duration: text("2h"), ..request("a") };
        assert_refused(
            &config,
            &long,
            &format!("{ADMIN} is assumed with temporary keys, which AWS allows for an hour at most, not for 2h"),
        );
    }

    #[test]
    fn keys_beside_a_role_assume_it_when_the_profile_is_its_own_source_and_end_a_chain() {
        let own = format!("[profile o]\n{KEYS}role_arn = {DEPLOY}\nsource_profile = o\n");
        assert_plan(
            &own,
            &request("o"),
            &format!("AKIA1 of profile o; {NO_DEVICE}; none; AssumeRole {DEPLOY} as awsmfa for 1h"),
        );
        let end = format!("{own}[profile r]\nrole_arn = {ADMIN}\nsource_profile = o\n");
        assert_plan(
            &end,
            &request("r"),
            &format!("AKIA1 of profile o; {NO_DEVICE}; none; AssumeRole {ADMIN} as awsmfa for 1h"),
        );
    }

    #[test]
    fn temporary_keys_buy_no_session_and_assume_a_role_without_a_code_for_an_hour() {
        let config = format!(
            "[profile t]\n{KEYS}aws_session_token = t\n\
             [profile r]\nrole_arn = {DEPLOY}\nsource_profile = t\nmfa_serial = {DEVICE}\n"
        );
        assert_refused(
            &config,
            &request("t"),
            "the keys of profile `t` are temporary (config:4): AWS gives a session only for long-term keys",
        );
        assert_plan(
            &config,
            &request("r"),
            &format!("AKIA1 of profile t; {NO_DEVICE}; none; AssumeRole {DEPLOY} as awsmfa for 1h"),
        );
        let long = Request { duration: text("43200"), ..request("r") };
        assert_refused(
            &config,
            &long,
            &format!("{DEPLOY} is assumed with temporary keys, which AWS allows for an hour at most, not for 12h"),
        );
    }

    #[test]
    fn a_duration_is_taken_whole_or_refused() {
        let role = format!("[profile r]\nrole_arn = {DEPLOY}\nsource_profile = u\n");
        let user = |duration: &str| plan("", &Request { duration: text(duration), ..request("u") });
        let of_role = |duration: &str| plan(&role, &Request { duration: text(duration), ..request("r") });
        for (good, said) in [
            ("900", "15m"),
            ("15m", "15m"),
            ("43200", "12h"),
            ("12h", "12h"),
            ("1h30m", "1h 30m"),
            ("36h", "1day 12h"),
            (" 3600 ", "1h"),
        ] {
            assert!(user(good).is_ok_and(|plan| plan.contains(&format!("for {said},"))), "{good}");
        }
        for (bad, seconds) in [("899", 899), ("129601", 129_601), ("0", 0), ("1s", 1), ("2days", 172_800)] {
            assert_eq!(user(bad).unwrap_err(), format!("GetSessionToken takes 900 to 129600 seconds, not {seconds}"));
        }
        for (bad, seconds) in [("899", 899), ("43201", 43_201), ("13h", 46_800)] {
            assert_eq!(of_role(bad).unwrap_err(), format!("AssumeRole takes 900 to 43200 seconds, not {seconds}"));
        }
        for junk in ["", "abc", "-900", "12 parsecs", "1e4", "99999999999999999999", "5000000000", "0x384"] {
            let error = user(junk).unwrap_err();
            assert!(
                error.starts_with(&format!("`--duration-seconds` is `{junk}`, which is no length of time")),
                "{error}"
            );
        }
    }

    #[test]
    fn the_durations_variable_is_for_users_and_the_option_and_the_roles_own_setting_for_everybody() {
        let role = format!("[profile r]\nrole_arn = {DEPLOY}\nsource_profile = u\n");
        let variable = |profile| Request { user_duration: text("43200"), ..request(profile) };
        assert!(plan(&role, &variable("r")).unwrap().ends_with("for 1h"));
        assert!(plan(&role, &Request { user_duration: text("junk"), ..request("r") }).is_ok());
        assert!(plan("[profile u]\nduration_seconds = 900\n", &request("u")).unwrap().contains("for 15m,"));
        assert!(plan("[profile u]\nduration_seconds = 900\n", &variable("u")).unwrap().contains("for 12h,"));
        let both = Request { duration: text("1h"), ..variable("u") };
        assert!(plan("", &both).unwrap().contains("for 1h,"));
    }

    #[test]
    fn what_is_wrong_with_a_profile_is_said_with_file_and_line() {
        let role = format!("role_arn = {DEPLOY}\n");
        let cases = [
            (format!("[profile x]\n{role}"), "profile `x` names a role (config:2) and no `source_profile` whose keys may assume it".to_owned()),
            (format!("[profile x]\n{role}source_profile = y\n"), "profile `x` names source profile `y` (config:3), which does not exist".to_owned()),
            (
                format!("[profile x]\n{role}source_profile = y\n[profile y]\n{role}source_profile = x\n"),
                "the source profiles go round in a circle (config:6): x → y → x".to_owned(),
            ),
            ("[profile x]\naws_access_key_id = A\n".to_owned(), "profile `x` has half a key pair: `aws_secret_access_key` is missing beside config:2".to_owned()),
            ("[profile x]\naws_secret_access_key = A\n".to_owned(), "profile `x` has half a key pair: `aws_access_key_id` is missing beside config:2".to_owned()),
            ("[profile x]\nregion = a\n".to_owned(), "profile `x` (config:1) has no access key".to_owned()),
            (
                "[profile x]\nsso_session = a\n".to_owned(),
                "profile `x` (config:1) has no access key but `sso_session`, which awsmfa does not know how to use".to_owned(),
            ),
            (
                "[profile x]\nrole_arn = admin\nsource_profile = u\n".to_owned(),
                "`role_arn` (config:2) is `admin`, which is no ARN of a role (`arn:aws:iam::123456789012:role/name`)".to_owned(),
            ),
            (
                format!("[profile x]\n{role}source_profile = u\nduration_seconds = long\n"),
                "`duration_seconds` (config:4) is `long`, which is no length of time: seconds (900 to 129600 for a user, to 43200 for a role) or `12h`, `90m`".to_owned(),
            ),
            (
                format!("[profile x]\n{role}source_profile = u\nrole_session_name = a b\n"),
                "`role_session_name` (config:4) is `a b`, which is no role session name: 2 to 64 letters, digits and `_+=,.@-`".to_owned(),
            ),
            (
                format!("[profile x]\n{role}source_profile = u\nexternal_id = a\n"),
                "`external_id` (config:4) is `a`, which is no external ID: 2 to 1224 letters, digits and `_+=,.@:/-`".to_owned(),
            ),
            (
                format!("[profile x]\n{role}source_profile = u\nregion = a/b\n"),
                "`region` (config:4) is `a/b`, which is no region (`eu-central-1`)".to_owned(),
            ),
            (
                format!("[profile x]\n{KEYS}mfa_serial = arn:aws:iam::123456789012:user/miket92\n"),
                "`mfa_serial` (config:4) is `arn:aws:iam::123456789012:user/miket92`, which is the ARN of a user, not of an MFA device (`…:mfa/…`)".to_owned(),
            ),
        ];
        for (config, error) in cases {
            assert_refused(&config, &request("x"), &error);
        }
    }

    #[test]
    fn options_that_have_no_use_are_refused() {
        let role = format!("[profile r]\nrole_arn = {DEPLOY}\nsource_profile = u\n");
        let code = Request { code_given: true, ..request("r") };
        assert_refused(&role, &code, "a token code was given, but no MFA device is set for the role of profile `r`");
        let name = Request { role_session_name: text("mike"), ..request("u") };
        assert_refused("", &name, "`--role-session-name` is for roles, and profile `u` is a user's");
        let id = Request { external_id: text("abc"), ..request("u") };
        assert_refused("", &id, "`--external-id` is for roles, and profile `u` is a user's");
    }
}
