//! The actions: (request, state, clock) → result or refusal, in AWS's words. No sockets and no clock of its own.
//!
//! The rules are those of the STS API reference (<https://docs.aws.amazon.com/STS/latest/APIReference/>) and of the
//! IAM user guide on MFA-protected API access and role chaining.

use std::collections::HashMap;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};

use super::constraints::{self, Constraints};
use super::http::{Parameters, Request};
use super::refusal::Refusal;
use super::sigv4::Authorization;
use super::totp;
use super::world::{self, Role, User, World};
use super::xml::element;

const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Which of the two services a request is for; they share the endpoint, and the `Version` tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// The Security Token Service.
    Sts,
    /// Identity and Access Management.
    Iam,
}

impl Service {
    /// The service that the parameters are meant for.
    pub(crate) fn of(parameters: &Parameters) -> Self {
        if parameters.get("Version").is_some_and(|version| version == "2010-05-08") { Self::Iam } else { Self::Sts }
    }

    /// The XML namespace of its answers.
    pub(crate) fn namespace(self) -> &'static str {
        match self {
            Self::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Self::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
        }
    }

    /// Its name in a credential scope.
    fn signing_name(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::Iam => "iam",
        }
    }
}

/// What the server can do.
#[derive(Clone, Copy, Debug)]
enum Operation {
    GetCallerIdentity,
    GetSessionToken,
    AssumeRole,
    ListMfaDevices,
}

impl Operation {
    fn of(parameters: &Parameters) -> Result<Self, Refusal> {
        let parameter = |name, default| parameters.get(name).map_or(default, String::as_str);
        let action = parameter("Action", "null");
        let version = parameter("Version", "NO_VERSION_SPECIFIED");
        match (action, version) {
            ("GetCallerIdentity", "2011-06-15") => Ok(Self::GetCallerIdentity),
            ("GetSessionToken", "2011-06-15") => Ok(Self::GetSessionToken),
            ("AssumeRole", "2011-06-15") => Ok(Self::AssumeRole),
            ("ListMFADevices", "2010-05-08") => Ok(Self::ListMfaDevices),
            _ => {
                let message = format!("Could not find operation {action} for version {version}");
                Err(Refusal::new(400, "InvalidAction", message))
            }
        }
    }
}

/// The world, and what has happened in it.
#[derive(Debug)]
pub(crate) struct State {
    world: World,
    /// Temporary keys by access key ID. Expired ones stay, to be told from unknown ones.
    issued: HashMap<String, Issued>,
    /// The window of the last accepted code of each device.
    spent: HashMap<String, i64>,
}

/// Temporary keys.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) secret: String,
    pub(crate) session_token: String,
    /// Unix seconds.
    pub(crate) expires: i64,
    caller: Caller,
}

/// Who signed a request.
#[derive(Clone, Debug)]
struct Caller {
    /// The ARN that `GetCallerIdentity` shows and refusals name.
    arn: String,
    /// The ARN that a trust policy names: the user's, or the role's (not the session's).
    principal: String,
    user_id: String,
    keys: Keys,
}

/// What kind of keys a caller signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    LongTerm,
    /// Of `GetSessionToken`, with or without MFA.
    Session {
        mfa: bool,
    },
    /// Of `AssumeRole`. They carry no MFA, whatever the role was assumed with.
    Role,
}

impl State {
    /// The world at its beginning.
    pub(crate) fn new(world: World) -> Self {
        Self { world, issued: HashMap::new(), spent: HashMap::new() }
    }

    /// The world as it was given.
    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// The temporary keys that were issued under that access key id.
    pub(crate) fn issued(&self, access_key_id: &str) -> Option<&Issued> {
        self.issued.get(access_key_id)
    }

    /// The window of the last code of that device that was accepted.
    pub(crate) fn last_spent(&self, serial: &str) -> Option<i64> {
        self.spent.get(serial).copied()
    }

    /// Answers a call at the time `now` (Unix seconds): the XML inside the result element, or a refusal.
    pub(crate) fn answer(&mut self, request: &Request, parameters: &Parameters, now: i64) -> Result<String, Refusal> {
        if request.path != "/" {
            return Err(Refusal::new(404, "UnknownOperationException", "Unknown path"));
        }
        let operation = Operation::of(parameters)?;
        let caller = self.authenticate(request, Service::of(parameters), now)?;
        match operation {
            Operation::GetCallerIdentity => Ok(get_caller_identity(&caller)),
            Operation::GetSessionToken => self.get_session_token(&caller, parameters, now),
            Operation::AssumeRole => self.assume_role(&caller, parameters, now),
            Operation::ListMfaDevices => self.list_mfa_devices(&caller, parameters),
        }
    }

    /// Finds out whose keys signed the request, and that they did.
    fn authenticate(&self, request: &Request, service: Service, now: i64) -> Result<Caller, Refusal> {
        let authorization = Authorization::of(request)?;
        let session_token = request.header("x-amz-security-token");
        let id = authorization.access_key_id;
        let (secret, caller) = if let Some(issued) = self.issued.get(id) {
            if session_token != Some(&issued.session_token) {
                return Err(Refusal::unknown_keys());
            }
            // AWS finds the secret inside the session token, so it sees the expiry before the signature.
            if issued.expires <= now {
                let message = "The security token included in the request is expired";
                return Err(Refusal::new(403, "ExpiredToken", message));
            }
            (&issued.secret, issued.caller.clone())
        } else {
            let user = self.world.users.iter().find(|user| user.access_key_id == id && user.active);
            let user = user.filter(|_| session_token.is_none()).ok_or_else(Refusal::unknown_keys)?;
            (&user.secret, Caller::of_user(user, Keys::LongTerm))
        };
        let partition = world::partition(&caller.arn);
        check_region(service, partition, authorization.region)?;
        authorization.verify(request, secret, service.signing_name(), now)?;
        if service == Service::Iam && caller.keys == (Keys::Session { mfa: false }) {
            // "You cannot call any IAM API operations unless MFA authentication information is included in the request."
            return Err(Refusal::unknown_keys());
        }
        Ok(caller)
    }

    fn get_session_token(&mut self, caller: &Caller, parameters: &Parameters, now: i64) -> Result<String, Refusal> {
        let mut constraints = Constraints::of(parameters);
        let duration = constraints.number("DurationSeconds", 900..=129_600)?.unwrap_or(43_200);
        let mfa = MfaParameters::read(&mut constraints);
        constraints.finish()?;
        if caller.keys != Keys::LongTerm {
            return Err(Refusal::denied("Cannot call GetSessionToken with session credentials"));
        }
        let duration = if world::is_root(&caller.arn) { duration.min(3600) } else { duration };
        let mfa = self.check_mfa(caller, &mfa, now)?;
        Ok(self.issue(Caller { keys: Keys::Session { mfa }, ..caller.clone() }, now + duration))
    }

    fn assume_role(&mut self, caller: &Caller, parameters: &Parameters, now: i64) -> Result<String, Refusal> {
        let mut constraints = Constraints::of(parameters);
        let role_arn = constraints.required("RoleArn", 20..=2048, &constraints::ARN);
        let session_name = constraints.required("RoleSessionName", 2..=64, &constraints::NAME);
        let external_id = constraints.optional("ExternalId", 2..=1224, &constraints::EXTERNAL_ID);
        let duration = constraints.number("DurationSeconds", 900..=43_200)?.unwrap_or(3600);
        let mfa = MfaParameters::read(&mut constraints);
        constraints.finish()?;
        if !role_arn.starts_with("arn:") {
            return Err(Refusal::validation(format!("{role_arn} is invalid")));
        }
        if world::is_root(&caller.principal) {
            return Err(Refusal::denied("Roles may not be assumed by root accounts."));
        }
        let with_mfa = self.check_mfa(caller, &mfa, now)? || caller.keys == Keys::Session { mfa: true };
        let role = self.world.roles.iter().find(|role| role.arn == role_arn);
        let role = role.filter(|role| trusts(role, caller, with_mfa, external_id)).ok_or_else(|| {
            Refusal::denied(format!(
                "User: {} is not authorized to perform: sts:AssumeRole on resource: {role_arn}",
                caller.arn
            ))
        })?;
        if caller.keys != Keys::LongTerm && duration > 3600 {
            return Err(Refusal::validation(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
            ));
        }
        if duration > role.max_session_duration {
            return Err(Refusal::validation(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            ));
        }
        let assumed = Caller::of_role(role, session_name);
        let user = [element("AssumedRoleId", &assumed.user_id), element("Arn", &assumed.arn)].concat();
        Ok(format!("<AssumedRoleUser>{user}</AssumedRoleUser>{}", self.issue(assumed, now + duration)))
    }

    fn list_mfa_devices(&self, caller: &Caller, parameters: &Parameters) -> Result<String, Refusal> {
        let user_name = match parameters.get("UserName") {
            Some(user_name) => user_name,
            None if caller.keys == Keys::Role => {
                return Err(Refusal::validation("Must specify userName when calling with non-User credentials"));
            }
            None => world::name(&caller.principal),
        };
        let user = self
            .world
            .users
            .iter()
            .find(|user| user.arn == caller.principal && world::name(&user.arn) == user_name && user.may_list_mfa);
        let user = user.ok_or_else(|| {
            Refusal::denied(format!(
                "User: {} is not authorized to perform: iam:ListMFADevices on resource: user {user_name} because no \
                 identity-based policy allows the iam:ListMFADevices action",
                caller.arn
            ))
        })?;
        let member = |serial: &str| {
            [
                element("UserName", user_name),
                element("SerialNumber", serial),
                element("EnableDate", "2024-05-06T07:08:09Z"),
            ]
            .concat()
        };
        let members = user.devices.iter().map(|device| format!("<member>{}</member>", member(&device.serial)));
        Ok(format!("<MFADevices>{}</MFADevices>{}", members.collect::<String>(), element("IsTruncated", "false")))
    }

    /// Whether the call proves MFA. A code that does is spent, and with it all older codes of its device.
    fn check_mfa(&mut self, caller: &Caller, parameters: &MfaParameters, now: i64) -> Result<bool, Refusal> {
        let (serial, code) = match (parameters.serial, parameters.code) {
            (None, None) => return Ok(false),
            (Some(serial), Some(code)) => (serial, code),
            _ => {
                return Err(Refusal::denied(
                    "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.",
                ));
            }
        };
        let user = self.world.users.iter().find(|user| user.arn == caller.principal && caller.keys == Keys::LongTerm);
        let device = user.and_then(|user| user.devices.iter().find(|device| device.serial == serial));
        let Some(secret) = device.and_then(|device| device.secret.as_ref()) else {
            return Err(Refusal::denied(
                "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number \
                 is valid and associated with this user.",
            ));
        };
        let current = totp::window(now);
        let oldest = self.last_spent(serial).map_or(current - 1, |spent| (spent + 1).max(current - 1));
        let Some(window) = (oldest..=current + 1).find(|window| totp::code(secret, *window) == code) else {
            return Err(Refusal::denied("MultiFactorAuthentication failed with invalid MFA one time pass code. "));
        };
        self.spent.insert(serial.to_owned(), window);
        Ok(true)
    }

    /// Draws temporary keys for `caller`, valid until `expires`, and writes them down as XML.
    fn issue(&mut self, caller: Caller, expires: i64) -> String {
        // Both hold the characters that break careless quoting, not just by chance.
        let secret = format!("{}/{}+{}", random(BASE64, 12), random(BASE64, 12), random(BASE64, 14));
        let rest = self.world.session_token_length.saturating_sub("IQoJb3JpZ2luX2Vj/+==".len());
        let session_token = format!("IQoJb3JpZ2luX2Vj/+{}==", random(BASE64, rest));
        let access_key_id = format!("ASIA{}", random(BASE32, 16));
        let fields = [
            element("AccessKeyId", &access_key_id),
            element("SecretAccessKey", &secret),
            element("SessionToken", &session_token),
            element(
                "Expiration",
                &DateTime::from_secs(expires).fmt(Format::DateTime).expect("a date of this millennium"),
            ),
        ];
        self.issued.insert(access_key_id, Issued { secret, session_token, expires, caller });
        format!("<Credentials>{}</Credentials>", fields.concat())
    }
}

impl Caller {
    fn of_user(user: &User, keys: Keys) -> Self {
        let user_id =
            if world::is_root(&user.arn) { world::account(&user.arn).to_owned() } else { unique_id("AIDA", &user.arn) };
        Self { arn: user.arn.clone(), principal: user.arn.clone(), user_id, keys }
    }

    fn of_role(role: &Role, session_name: &str) -> Self {
        let (partition, account, name) =
            (world::partition(&role.arn), world::account(&role.arn), world::name(&role.arn));
        Self {
            arn: format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session_name}"),
            principal: role.arn.clone(),
            user_id: format!("{}:{session_name}", unique_id("AROA", &role.arn)),
            keys: Keys::Role,
        }
    }
}

/// The parameters by which both STS actions take a code.
struct MfaParameters<'p> {
    serial: Option<&'p str>,
    code: Option<&'p str>,
}

impl<'p> MfaParameters<'p> {
    fn read(constraints: &mut Constraints<'p>) -> Self {
        Self {
            serial: constraints.optional("SerialNumber", 9..=256, &constraints::SERIAL),
            code: constraints.optional("TokenCode", 6..=6, &constraints::DIGITS),
        }
    }
}

/// Needs no permission, so it can't be denied.
fn get_caller_identity(caller: &Caller) -> String {
    let account = world::account(&caller.arn);
    [element("Arn", &caller.arn), element("UserId", &caller.user_id), element("Account", account)].concat()
}

/// Whether the role's trust policy lets the caller in.
fn trusts(role: &Role, caller: &Caller, with_mfa: bool, external_id: Option<&str>) -> bool {
    let names = |trusted: &String| {
        *trusted == caller.principal
            || world::is_root(trusted) && world::account(trusted) == world::account(&caller.principal)
    };
    role.trusts.iter().any(names)
        && (with_mfa || !role.requires_mfa)
        && role.external_id.as_deref().is_none_or(|wanted| external_id == Some(wanted))
}

/// Keys are known in the regions of their own partition only, and IAM has a single region in each partition.
fn check_region(service: Service, partition: &str, region: &str) -> Result<(), Refusal> {
    let (prefix, home) = match partition {
        "aws-cn" => ("cn-", "cn-north-1"),
        "aws-us-gov" => ("us-gov-", "us-gov-west-1"),
        _ => ("", "us-east-1"),
    };
    let is_region = region.rsplit_once('-').is_some_and(|(_, number)| number.parse::<u8>().is_ok());
    if !is_region || (service == Service::Iam && region != home) {
        return Err(Refusal::signature("Credential should be scoped to a valid region. "));
    }
    let foreign = ["cn-", "us-gov-"].iter().any(|other| *other != prefix && region.starts_with(other));
    if foreign || !region.starts_with(prefix) {
        return Err(Refusal::unknown_keys());
    }
    Ok(())
}

/// The unique ID of a user or role: the same for the same ARN.
fn unique_id(prefix: &str, arn: &str) -> String {
    let hash = digest::digest(&digest::SHA256, arn.as_bytes());
    let letters = hash.as_ref().iter().take(17).map(|byte| char::from(BASE32[usize::from(byte % 32)]));
    format!("{prefix}{}", letters.collect::<String>())
}

/// So many random characters of an alphabet, the size of which divides 256.
fn random(alphabet: &[u8], length: usize) -> String {
    let mut bytes = vec![0; length];
    SystemRandom::new().fill(&mut bytes).expect("the system's random numbers");
    bytes.iter().map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()])).collect()
}

/// A request ID in the form of those of STS.
pub(crate) fn request_id() -> String {
    let part = |length| random(b"0123456789abcdef", length);
    format!("{}-{}-4{}-8{}-{}", part(8), part(4), part(3), part(3), part(12))
}
