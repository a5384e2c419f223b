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
    let wanted_region = request.region.as_ref().map(|(origin, text)| region(text, &format!("`{origin}`"))).transpose()?;

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
    } else if let Some(option) = session_name_option
        .and(Some("--role-session-name"))
        .or(external_id_option.and(Some("--external-id")))
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
        invalid(text, origin, "is no length of time: seconds (900 to 129600 for a user, to 43200 for a role) or `12h`, `90m`")
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
