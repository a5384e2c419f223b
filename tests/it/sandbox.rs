//! The sandbox is as strict as AWS: told by `curl`, whose signatures and HTTP are not this project's.
//!
//! The wording of refusals is AWS's. Nothing here waits for a time to come; where time matters, the sandbox's clock
//! is set.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::server::{At, Fault, Leaf, Sandbox, World};

const MIKET92: &str = "arn:aws:iam::123456789012:mfa/miket92";
const DEPLOY: &str = "arn:aws:iam::123456789012:role/deploy";
const ADMIN: &str = "arn:aws:iam::123456789012:role/admin";
const READONLY: &str = "arn:aws:iam::123456789012:role/readonly";
const RELEASE: &str = "arn:aws:iam::123456789012:role/release";
const PARTNER: &str = "arn:aws:iam::210987654321:role/partner";

const WRONG_SIGNATURE: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
const UNKNOWN_KEYS: &str = "The security token included in the request is invalid.";
const WRONG_CODE: &str = "MultiFactorAuthentication failed with invalid MFA one time pass code. ";
const WRONG_SERIAL: &str = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.";
const HALF_MFA: &str = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.";
const CHAINING: &str =
    "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining";

/// Exit codes of curl, from its manual.
mod exit {
    pub(super) const PARTIAL_FILE: i32 = 18;
    pub(super) const TIMEOUT: i32 = 28;
    pub(super) const EMPTY_REPLY: i32 = 52;
    pub(super) const RECEIVE_ERROR: i32 = 56;
    pub(super) const BAD_CERTIFICATE: i32 = 60;
}

/// Whose keys curl signs with, and where.
#[derive(Clone)]
struct Keys {
    id: String,
    secret: String,
    token: Option<String>,
    /// Region and service of the credential scope.
    scope: &'static str,
}

/// What curl got.
#[derive(Debug)]
struct Answer {
    exit: i32,
    status: u16,
    body: String,
}

impl Keys {
    /// The long-term keys of a user of the default world.
    fn of(name: &str) -> Self {
        let world = World::default();
        let user = world.user(name);
        Self {
            id: user.access_key_id.clone(),
            secret: user.secret.clone(),
            token: None,
            scope: if name == "wei" { "cn-north-1:sts" } else { "eu-central-1:sts" },
        }
    }

    /// The temporary keys in an answer.
    #[track_caller]
    fn in_answer(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.body);
        Self {
            id: answer.field("AccessKeyId").into(),
            secret: answer.field("SecretAccessKey").into(),
            token: Some(answer.field("SessionToken").into()),
            scope: "eu-central-1:sts",
        }
    }

    fn scoped(self, scope: &'static str) -> Self {
        Self { scope, ..self }
    }

    fn curl(&self, sandbox: &Sandbox, action: &str, parameters: &[(&str, &str)]) -> Command {
        let version = if action == "ListMFADevices" { "2010-05-08" } else { "2011-06-15" };
        let mut curl = curl();
        curl.args(["--aws-sigv4", &format!("aws:amz:{}", self.scope)]);
        curl.args(["--user", &format!("{}:{}", self.id, self.secret)]);
        if let Some(token) = &self.token {
            curl.args(["--header", &format!("x-amz-security-token: {token}")]);
        }
        for (name, value) in [("Action", action), ("Version", version)].iter().chain(parameters) {
            curl.args(["--data-urlencode", &format!("{name}={value}")]);
        }
        curl.arg(sandbox.endpoint());
        curl
    }

    fn call(&self, sandbox: &Sandbox, action: &str, parameters: &[(&str, &str)]) -> Answer {
        Answer::to(&mut self.curl(sandbox, action, parameters))
    }

    fn assume(&self, sandbox: &Sandbox, role: &str, parameters: &[(&str, &str)]) -> Answer {
        let parameters = [&[("RoleArn", role), ("RoleSessionName", "test")], parameters].concat();
        self.call(sandbox, "AssumeRole", &parameters)
    }
}

/// curl without the configuration and the proxies of whoever runs the tests.
fn curl() -> Command {
    let mut curl = Command::new("curl");
    curl.args(["--disable", "--silent", "--show-error", "--noproxy", "*", "--write-out", "\n%{http_code}"]);
    curl
}

impl Answer {
    fn to(curl: &mut Command) -> Self {
        let output = curl.output().expect("curl, which judges the sandbox");
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, status) = stdout.rsplit_once('\n').expect("the status that --write-out adds");
        Self {
            exit: output.status.code().expect("curl's own end"),
            status: status.parse().expect("a number"),
            body: body.to_owned(),
        }
    }

    /// The text of the first element of that name.
    #[track_caller]
    fn field(&self, name: &str) -> &str {
        let after = self.body.split_once(&format!("<{name}>")).expect("the element").1;
        after.split_once(&format!("</{name}>")).expect("the element's end").0
    }

    /// Asserts a refusal: `403 AccessDenied`, and its message.
    #[track_caller]
    fn is_refused(&self, status_and_code: &str, message: &str) {
        let actual = format!("{} {}", self.status, self.field("Code"));
        assert_eq!((actual.as_str(), self.field("Message")), (status_and_code, message));
    }

    #[track_caller]
    fn is_granted(&self) {
        assert_eq!((self.exit, self.status), (0, 200), "{}", self.body);
    }
}

fn sandbox() -> Sandbox {
    Sandbox::start(World::default())
}

/// A session of miket92's with MFA.
fn mfa_session(sandbox: &Sandbox) -> Keys {
    let parameters = [("SerialNumber", MIKET92), ("TokenCode", &sandbox.code(MIKET92))];
    Keys::in_answer(&Keys::of("miket92").call(sandbox, "GetSessionToken", &parameters))
}

#[test]
fn callers_are_told_who_they_are() {
    let sandbox = sandbox();
    for (name, arn, account) in [
        ("miket92", "arn:aws:iam::123456789012:user/miket92", "123456789012"),
        ("alice", "arn:aws:iam::123456789012:user/team/blue/alice", "123456789012"),
        ("root", "arn:aws:iam::210987654321:root", "210987654321"),
        ("wei", "arn:aws-cn:iam::111122223333:user/wei", "111122223333"),
    ] {
        let answer = Keys::of(name).call(&sandbox, "GetCallerIdentity", &[]);
        assert_eq!((answer.field("Arn"), answer.field("Account")), (arn, account));
    }
    let answer = Keys::of("root").call(&sandbox, "GetCallerIdentity", &[]);
    assert_eq!(answer.field("UserId"), "210987654321");

    let role = Keys::in_answer(&Keys::of("miket92").assume(&sandbox, READONLY, &[]));
    for (keys, arn, user_id) in [
        (mfa_session(&sandbox), "arn:aws:iam::123456789012:user/miket92", "AIDA"),
        (role, "arn:aws:sts::123456789012:assumed-role/readonly/test", "AROA"),
    ] {
        let answer = keys.call(&sandbox, "GetCallerIdentity", &[]);
        assert_eq!(answer.field("Arn"), arn);
        assert!(answer.field("UserId").starts_with(user_id), "{}", answer.body);
    }
}

#[test]
fn answers_have_the_form_of_the_query_protocol() {
    let sandbox = sandbox();
    let answer = Keys::of("root").call(&sandbox, "GetCallerIdentity", &[]);
    assert_eq!(
        answer.body.replace(answer.field("RequestId"), "ID"),
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  \
         <GetCallerIdentityResult><Arn>arn:aws:iam::210987654321:root</Arn><UserId>210987654321</UserId>\
         <Account>210987654321</Account></GetCallerIdentityResult>\n  \
         <ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata>\n</GetCallerIdentityResponse>\n"
    );
    let answer = Keys::of("miket92").call(&sandbox, "DeleteEverything", &[]);
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.body.replace(answer.field("RequestId"), "ID"),
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <Error>\n    <Type>Sender</Type>\n    \
         <Code>InvalidAction</Code>\n    \
         <Message>Could not find operation DeleteEverything for version 2011-06-15</Message>\n  </Error>\n  \
         <RequestId>ID</RequestId>\n</ErrorResponse>\n"
    );
    let answer = Answer::to(Keys::of("root").curl(&sandbox, "GetCallerIdentity", &[]).arg("--include"));
    for header in ["\r\nx-amzn-RequestId: ", "\r\nContent-Type: text/xml\r\n", "\r\nDate: "] {
        assert!(answer.body.contains(header), "{header}: {}", answer.body);
    }
}

#[test]
fn a_signed_query_string_is_as_good_as_a_form() {
    let answer = Answer::to(Keys::of("miket92").curl(&sandbox(), "GetCallerIdentity", &[]).arg("--get"));
    assert_eq!(answer.field("Arn"), "arn:aws:iam::123456789012:user/miket92");
}

#[test]
fn keys_and_signatures_are_checked() {
    let mut world = World::default();
    world.user_mut("bob").active = false;
    let sandbox = Sandbox::start(world);
    let miket92 = Keys::of("miket92");
    for (keys, code, message) in [
        (Keys { secret: "x".repeat(40), ..miket92.clone() }, "SignatureDoesNotMatch", WRONG_SIGNATURE),
        (Keys { id: "AKIAUNKNOWN3KEYS4DAY".into(), ..miket92.clone() }, "InvalidClientTokenId", UNKNOWN_KEYS),
        (Keys { token: Some("token".into()), ..miket92.clone() }, "InvalidClientTokenId", UNKNOWN_KEYS),
        (Keys::of("bob"), "InvalidClientTokenId", UNKNOWN_KEYS),
        (Keys::of("wei").scoped("eu-central-1:sts"), "InvalidClientTokenId", UNKNOWN_KEYS),
        (miket92.clone().scoped("cn-north-1:sts"), "InvalidClientTokenId", UNKNOWN_KEYS),
        (
            miket92.clone().scoped("us-east-1:iam"),
            "SignatureDoesNotMatch",
            "Credential should be scoped to correct service: 'sts'. ",
        ),
        (
            miket92.clone().scoped("aws-global:sts"),
            "SignatureDoesNotMatch",
            "Credential should be scoped to a valid region. ",
        ),
    ] {
        keys.call(&sandbox, "GetCallerIdentity", &[]).is_refused(&format!("403 {code}"), message);
    }
    let unsigned =
        Answer::to(curl().args(["--data", "Action=GetCallerIdentity&Version=2011-06-15", &sandbox.endpoint()]));
    unsigned.is_refused("403 MissingAuthenticationToken", "Request is missing Authentication Token");
}

#[test]
fn a_clock_more_than_five_minutes_off_is_refused() {
    let sandbox = sandbox();
    for (offset, refusal) in [(400, "Signature expired: "), (-400, "Signature not yet current: ")] {
        sandbox.set_clock_offset(offset);
        let answer = Keys::of("miket92").call(&sandbox, "GetCallerIdentity", &[]);
        assert_eq!((answer.status, answer.field("Code")), (403, "SignatureDoesNotMatch"));
        assert!(answer.field("Message").starts_with(refusal), "{}", answer.body);
    }
    sandbox.set_clock_offset(200);
    Keys::of("miket92").call(&sandbox, "GetCallerIdentity", &[]).is_granted();
}

#[test]
fn temporary_keys_need_their_own_session_token() {
    let sandbox = sandbox();
    let (one, other) = (mfa_session(&sandbox), mfa_session(&sandbox));
    one.call(&sandbox, "GetCallerIdentity", &[]).is_granted();
    for token in [None, other.token] {
        let keys = Keys { token, ..one.clone() };
        keys.call(&sandbox, "GetCallerIdentity", &[]).is_refused("403 InvalidClientTokenId", UNKNOWN_KEYS);
    }
}

#[test]
fn sessions_expire_when_they_should() {
    let sandbox = sandbox();
    let miket92 = Keys::of("miket92");
    let session = |keys: &Keys, parameters: &[_]| Keys::in_answer(&keys.call(&sandbox, "GetSessionToken", parameters));
    let role = |parameters: &[_]| Keys::in_answer(&miket92.assume(&sandbox, ADMIN, parameters));
    let code = sandbox.code(MIKET92);
    let cases = [
        (session(&miket92, &[]), 43_200),
        (session(&miket92, &[("DurationSeconds", "900")]), 900),
        (session(&miket92, &[("DurationSeconds", "129600")]), 129_600),
        (session(&Keys::of("root"), &[]), 3600),
        (session(&Keys::of("root"), &[("DurationSeconds", "129600")]), 3600),
        (session(&Keys::of("root"), &[("DurationSeconds", "900")]), 900),
        (Keys::in_answer(&miket92.assume(&sandbox, READONLY, &[])), 3600),
        (role(&[("DurationSeconds", "43200"), ("SerialNumber", MIKET92), ("TokenCode", &code)]), 43_200),
    ];
    for (keys, seconds) in cases {
        // By then curl's signature is too old as well, and only keys that still live get that far.
        sandbox.set_clock_offset(seconds - 300);
        let answer = keys.call(&sandbox, "GetCallerIdentity", &[]);
        assert!(!answer.body.contains("ExpiredToken"), "before {seconds}");
        sandbox.set_clock_offset(seconds + 1);
        let answer = keys.call(&sandbox, "GetCallerIdentity", &[]);
        answer.is_refused("403 ExpiredToken", "The security token included in the request is expired");
        sandbox.set_clock_offset(0);
    }
}

#[test]
fn parameters_are_held_to_their_constraints() {
    let sandbox = sandbox();
    let miket92 = Keys::of("miket92");
    let long = "x".repeat(257);
    for (parameters, value, constraint) in [
        (
            &[("DurationSeconds", "899")][..],
            "'899' at 'durationSeconds'",
            "Member must have value greater than or equal to 900",
        ),
        (
            &[("DurationSeconds", "129601")],
            "'129601' at 'durationSeconds'",
            "Member must have value less than or equal to 129600",
        ),
        (
            &[("SerialNumber", MIKET92), ("TokenCode", "12345")],
            "'12345' at 'tokenCode'",
            "Member must have length greater than or equal to 6",
        ),
        (
            &[("SerialNumber", MIKET92), ("TokenCode", "1234567")],
            "'1234567' at 'tokenCode'",
            "Member must have length less than or equal to 6",
        ),
        (
            &[("SerialNumber", MIKET92), ("TokenCode", "12345a")],
            "'12345a' at 'tokenCode'",
            r"Member must satisfy regular expression pattern: [\d]*",
        ),
        (
            &[("SerialNumber", "GAHT1234"), ("TokenCode", "123456")],
            "'GAHT1234' at 'serialNumber'",
            "Member must have length greater than or equal to 9",
        ),
        (
            &[("SerialNumber", &long), ("TokenCode", "123456")],
            &format!("'{long}' at 'serialNumber'"),
            "Member must have length less than or equal to 256",
        ),
    ] {
        let message = format!("1 validation error detected: Value {value} failed to satisfy constraint: {constraint}");
        miket92.call(&sandbox, "GetSessionToken", parameters).is_refused("400 ValidationError", &message);
    }
    let (long_name, long_id) = ("x".repeat(65), "x".repeat(1225));
    for (name, wrong, constraint) in [
        ("RoleArn", "arn:aws:iam::1:role", "Member must have length greater than or equal to 20"),
        ("RoleSessionName", "x", "Member must have length greater than or equal to 2"),
        ("RoleSessionName", &long_name, "Member must have length less than or equal to 64"),
        ("RoleSessionName", "a b", r"Member must satisfy regular expression pattern: [\w+=,.@-]*"),
        ("ExternalId", "x", "Member must have length greater than or equal to 2"),
        ("ExternalId", &long_id, "Member must have length less than or equal to 1224"),
        ("DurationSeconds", "899", "Member must have value greater than or equal to 900"),
        ("DurationSeconds", "43201", "Member must have value less than or equal to 43200"),
    ] {
        let member = [&name[..1].to_lowercase(), &name[1..]].concat();
        let message = format!(
            "1 validation error detected: Value '{wrong}' at '{member}' failed to satisfy constraint: {constraint}"
        );
        miket92.assume(&sandbox, READONLY, &[(name, wrong)]).is_refused("400 ValidationError", &message);
    }
    miket92.call(&sandbox, "AssumeRole", &[]).is_refused(
        "400 ValidationError",
        "2 validation errors detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null; \
         Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null",
    );
}

#[test]
fn a_code_proves_mfa_only_with_its_users_own_device() {
    let sandbox = sandbox();
    let fido = "arn:aws:iam::123456789012:u2f/user/dave/key-A1B2C3D4E5F6G7H8I9J0K1L2M3";
    let alice = "arn:aws:iam::123456789012:mfa/alice";
    let (right, wrong) = (sandbox.code(MIKET92), sandbox.wrong_code(MIKET92));
    for (user, parameters, message) in [
        ("miket92", &[("SerialNumber", MIKET92), ("TokenCode", wrong.as_str())][..], WRONG_CODE),
        ("miket92", &[("SerialNumber", "arn:aws:iam::123456789012:mfa/nobody"), ("TokenCode", &right)], WRONG_SERIAL),
        ("miket92", &[("SerialNumber", alice), ("TokenCode", &sandbox.code(alice))], WRONG_SERIAL),
        ("dave", &[("SerialNumber", fido), ("TokenCode", "123456")], WRONG_SERIAL),
        ("miket92", &[("SerialNumber", MIKET92)], HALF_MFA),
        ("miket92", &[("TokenCode", &right)], HALF_MFA),
    ] {
        let keys = Keys::of(user);
        keys.call(&sandbox, "GetSessionToken", parameters).is_refused("403 AccessDenied", message);
        keys.assume(&sandbox, READONLY, parameters).is_refused("403 AccessDenied", message);
    }
    // None of that has spent it.
    let parameters = [("SerialNumber", MIKET92), ("TokenCode", right.as_str())];
    Keys::of("miket92").call(&sandbox, "GetSessionToken", &parameters).is_granted();
}

#[test]
fn hardware_tokens_and_devices_with_other_names_work_too() {
    let sandbox = sandbox();
    for (user, serial) in [
        ("alice", "arn:aws:iam::123456789012:mfa/alice"),
        ("bob", "arn:aws:iam::123456789012:mfa/bobs-phone"),
        ("carol", "GAHT12345678"),
        ("dave", "arn:aws:iam::123456789012:mfa/dave-phone"),
        ("root", "arn:aws:iam::210987654321:mfa/root-account-mfa-device"),
        ("wei", "arn:aws-cn:iam::111122223333:mfa/wei"),
    ] {
        let parameters = [("SerialNumber", serial), ("TokenCode", &sandbox.current_code(serial))];
        Keys::of(user).call(&sandbox, "GetSessionToken", &parameters).is_granted();
    }
}

#[test]
fn a_code_works_once_and_spends_the_older_ones() {
    let sandbox = sandbox();
    let miket92 = Keys::of("miket92");
    let (first, second) = (sandbox.code(MIKET92), sandbox.code(MIKET92));
    let session =
        |code: &str| miket92.call(&sandbox, "GetSessionToken", &[("SerialNumber", MIKET92), ("TokenCode", code)]);
    let role = |code: &str| miket92.assume(&sandbox, DEPLOY, &[("SerialNumber", MIKET92), ("TokenCode", code)]);
    role(&second).is_granted();
    for spent in [&second, &first] {
        session(spent).is_refused("403 AccessDenied", WRONG_CODE);
        role(spent).is_refused("403 AccessDenied", WRONG_CODE);
    }
    session(&sandbox.code(MIKET92)).is_granted();
}

#[test]
fn two_codes_for_one_user_can_be_had_without_waiting() {
    let sandbox = sandbox();
    let (first, second) = (sandbox.code(MIKET92), sandbox.code(MIKET92));
    assert_ne!(first, second);
    for code in [first, second] {
        let parameters = [("SerialNumber", MIKET92), ("TokenCode", &code)];
        Keys::of("miket92").call(&sandbox, "GetSessionToken", &parameters).is_granted();
    }
}

#[test]
fn a_session_cannot_get_another_session() {
    let sandbox = sandbox();
    let role = Keys::in_answer(&Keys::of("miket92").assume(&sandbox, READONLY, &[]));
    for keys in [mfa_session(&sandbox), role] {
        let answer = keys.call(&sandbox, "GetSessionToken", &[]);
        answer.is_refused("403 AccessDenied", "Cannot call GetSessionToken with session credentials");
    }
}

#[test]
fn roles_ask_for_what_their_trust_policy_says() {
    let sandbox = sandbox();
    let miket92 = Keys::of("miket92");
    let without_mfa = Keys::in_answer(&miket92.call(&sandbox, "GetSessionToken", &[]));
    let with_mfa = mfa_session(&sandbox);
    let deploy = Keys::in_answer(&with_mfa.assume(&sandbox, DEPLOY, &[]));
    let external_id = [("ExternalId", "partner-4711")];

    for (keys, role, parameters) in [
        (&miket92, READONLY, &[][..]),
        (&without_mfa, READONLY, &[]),
        (&with_mfa, ADMIN, &[]),
        (&with_mfa, PARTNER, &external_id),
        (&deploy, RELEASE, &[]),
    ] {
        keys.assume(&sandbox, role, parameters).is_granted();
    }
    let user = "arn:aws:iam::123456789012:user/miket92";
    for (keys, caller, role, parameters) in [
        (&miket92, user, DEPLOY, &[][..]),
        (&without_mfa, user, DEPLOY, &[]),
        (&with_mfa, user, PARTNER, &[]),
        (&with_mfa, user, PARTNER, &[("ExternalId", "partner-0815")]),
        (&miket92, user, PARTNER, &external_id),
        (&with_mfa, user, RELEASE, &[]),
        (&with_mfa, user, "arn:aws:iam::123456789012:role/no-such-role", &[]),
        (&Keys::of("wei"), "arn:aws-cn:iam::111122223333:user/wei", READONLY, &[]),
        // The role was assumed with MFA, but its keys don't carry that on.
        (&deploy, "arn:aws:sts::123456789012:assumed-role/deploy/test", ADMIN, &[]),
    ] {
        let message = format!("User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role}");
        keys.assume(&sandbox, role, parameters).is_refused("403 AccessDenied", &message);
    }
    let root = Keys::of("root").assume(&sandbox, READONLY, &[]);
    root.is_refused("403 AccessDenied", "Roles may not be assumed by root accounts.");
    let malformed = miket92.assume(&sandbox, "readonly, or so I think", &[]);
    malformed.is_refused("400 ValidationError", "readonly, or so I think is invalid");
}

#[test]
fn a_role_lasts_no_longer_than_it_may() {
    let sandbox = sandbox();
    let miket92 = Keys::of("miket92");
    let session = mfa_session(&sandbox);
    let deploy = Keys::in_answer(&session.assume(&sandbox, DEPLOY, &[]));
    let longer = [("DurationSeconds", "3601")];
    miket92.assume(&sandbox, READONLY, &longer).is_refused(
        "400 ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    );
    session.assume(&sandbox, ADMIN, &longer).is_refused("400 ValidationError", CHAINING);
    deploy.assume(&sandbox, RELEASE, &longer).is_refused("400 ValidationError", CHAINING);
    session.assume(&sandbox, ADMIN, &[("DurationSeconds", "3600")]).is_granted();
}

#[test]
fn a_code_cannot_be_used_with_temporary_keys() {
    let sandbox = sandbox();
    let session = Keys::in_answer(&Keys::of("miket92").call(&sandbox, "GetSessionToken", &[]));
    let parameters = [("SerialNumber", MIKET92), ("TokenCode", &sandbox.code(MIKET92))];
    session.assume(&sandbox, DEPLOY, &parameters).is_refused("403 AccessDenied", WRONG_SERIAL);
}

#[test]
fn an_assumed_role_says_who_it_is() {
    let answer = Keys::of("miket92").assume(&sandbox(), READONLY, &[("RoleSessionName", "me@here")]);
    assert_eq!(answer.field("Arn"), "arn:aws:sts::123456789012:assumed-role/readonly/me@here");
    assert!(answer.field("AssumedRoleId").ends_with(":me@here"));
}

#[test]
fn issued_keys_look_like_those_of_aws() {
    let sandbox = Sandbox::start(World { session_token_length: 2000, ..World::default() });
    for (length, sandbox) in [(700, &self::sandbox()), (2000, &sandbox)] {
        let answer = Keys::of("miket92").call(sandbox, "GetSessionToken", &[]);
        let id = answer.field("AccessKeyId");
        let base32 = |c: char| c.is_ascii_uppercase() || ('2'..='7').contains(&c);
        assert!(id.strip_prefix("ASIA").is_some_and(|rest| rest.len() == 16 && rest.chars().all(base32)), "{id}");
        let (secret, token) = (answer.field("SecretAccessKey"), answer.field("SessionToken"));
        assert_eq!((secret.len(), token.len()), (40, length));
        assert!(['+', '/'].iter().all(|c| secret.contains(*c)), "{secret}");
        assert!(['+', '/', '='].iter().all(|c| token.contains(*c)), "{token}");
    }
}

#[test]
fn iam_lists_a_users_own_devices() {
    let sandbox = sandbox();
    let list = |keys: Keys, parameters: &[_]| keys.call(&sandbox, "ListMFADevices", parameters);
    let iam = |name| Keys::of(name).scoped("us-east-1:iam");
    let serials = |answer: &Answer| {
        let after: Vec<_> = answer.body.split("<SerialNumber>").skip(1).map(str::to_owned).collect();
        after.iter().map(|rest| rest.split('<').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(serials(&list(iam("bob"), &[])), ["arn:aws:iam::123456789012:mfa/bobs-phone"]);
    assert_eq!(serials(&list(iam("carol"), &[("UserName", "carol")])), ["GAHT12345678"]);
    assert_eq!(serials(&list(iam("alice"), &[])), ["arn:aws:iam::123456789012:mfa/alice"]);
    assert_eq!(serials(&list(iam("dave"), &[])).len(), 3);
    assert_eq!(serials(&list(Keys::of("wei").scoped("cn-north-1:iam"), &[])).len(), 1);
    assert_eq!(serials(&list(mfa_session(&sandbox).scoped("us-east-1:iam"), &[])), [MIKET92]);

    for (name, other) in [("erin", "erin"), ("miket92", "alice"), ("miket92", "nobody")] {
        let message = format!(
            "User: arn:aws:iam::123456789012:user/{name} is not authorized to perform: iam:ListMFADevices on \
             resource: user {other} because no identity-based policy allows the iam:ListMFADevices action"
        );
        list(iam(name), &[("UserName", other)]).is_refused("403 AccessDenied", &message);
    }
    let role = Keys::in_answer(&Keys::of("miket92").assume(&sandbox, READONLY, &[]));
    let message = "Must specify userName when calling with non-User credentials";
    list(role.scoped("us-east-1:iam"), &[]).is_refused("400 ValidationError", message);
    let session = Keys::in_answer(&Keys::of("miket92").call(&sandbox, "GetSessionToken", &[]));
    list(session.scoped("us-east-1:iam"), &[]).is_refused("403 InvalidClientTokenId", UNKNOWN_KEYS);

    for (scope, message) in [
        ("us-east-1:sts", "Credential should be scoped to correct service: 'iam'. "),
        ("eu-central-1:iam", "Credential should be scoped to a valid region. "),
    ] {
        list(Keys::of("bob").scoped(scope), &[]).is_refused("403 SignatureDoesNotMatch", message);
    }
}

#[test]
fn tls_clients_see_the_certificate_that_was_asked_for() {
    for (leaf, exit) in
        [(Leaf::Valid, 0), (Leaf::Expired, exit::BAD_CERTIFICATE), (Leaf::WrongHost, exit::BAD_CERTIFICATE)]
    {
        let sandbox = Sandbox::start_tls_with(World::default(), leaf);
        let mut ca = NamedTempFile::new().expect("a temporary file");
        ca.write_all(sandbox.ca_pem().as_bytes()).expect("the authority, written");
        let mut curl = Keys::of("miket92").curl(&sandbox, "GetCallerIdentity", &[]);
        let answer = Answer::to(curl.arg("--cacert").arg(ca.path()));
        assert_eq!(answer.exit, exit, "{leaf:?}: {}", answer.body);
    }
    let stranger = Keys::of("miket92").call(&Sandbox::start_tls(World::default()), "GetCallerIdentity", &[]);
    assert_eq!(stranger.exit, exit::BAD_CERTIFICATE);
}

#[test]
fn calls_and_connections_are_recorded() {
    let sandbox = sandbox();
    let session = mfa_session(&sandbox);
    let mut twice = session.curl(&sandbox, "GetSessionToken", &[]);
    Answer::to(twice.arg(sandbox.endpoint()));

    let calls = sandbox.calls();
    let summary = |index: usize| {
        let call = &calls[index];
        (call.connection, call.action.as_str(), call.has_session_token, call.status, call.error)
    };
    assert_eq!(summary(0), (1, "GetSessionToken", false, Some(200), None));
    assert_eq!(summary(1), (2, "GetSessionToken", true, Some(403), Some("AccessDenied")));
    assert_eq!(summary(2), summary(1), "the connection is kept");
    assert_eq!((calls.len(), sandbox.connections()), (3, 2));
    assert_eq!(calls[0].access_key_id.as_deref(), Some("AKIAIOSFODNN7EXAMPLE"));
    assert_eq!(calls[1].access_key_id, Some(session.id));
    assert_eq!(calls[0].parameters["SerialNumber"], MIKET92);
    assert_eq!(calls[0].parameters["TokenCode"].len(), 6);
}

#[test]
fn answers_can_be_spoilt() {
    let sandbox = sandbox();
    let miket92 = Keys::of("miket92");
    let answer = |fault| {
        sandbox.fail(fault);
        miket92.call(&sandbox, "GetSessionToken", &[])
    };
    answer(Fault::Status(503)).is_refused("503 ServiceUnavailable", "Service Unavailable");
    answer(Fault::Status(500)).is_refused("500 InternalFailure", "Internal Failure");
    answer(Fault::Throttling).is_refused("400 Throttling", "Rate exceeded");
    assert!(answer(Fault::Junk).body.contains('\u{fffd}'));
    assert!(answer(Fault::Html).body.starts_with("<!DOCTYPE html>"));
    assert_eq!(answer(Fault::Empty).body, "");
    let without_expiration = answer(Fault::MissingField("Expiration"));
    assert!(without_expiration.body.contains("</SessionToken></Credentials>"));
    assert_eq!(
        answer(Fault::Field("Expiration", "2001-02-03T04:05:06Z".into())).field("Expiration"),
        "2001-02-03T04:05:06Z"
    );
    assert_eq!(answer(Fault::Field("SecretAccessKey", "\x1b[2J".into())).field("SecretAccessKey"), "\x1b[2J");
    answer(Fault::Field("NoSuchField", String::new())).is_granted();
}

#[test]
fn connections_can_be_cut() {
    let sandbox = sandbox();
    for (fault, exit) in [
        (Fault::Close(At::Accept), exit::EMPTY_REPLY),
        (Fault::Close(At::Request), exit::EMPTY_REPLY),
        (Fault::Close(At::Answer), exit::PARTIAL_FILE),
        (Fault::Reset(At::Request), exit::RECEIVE_ERROR),
        (Fault::Reset(At::Answer), exit::RECEIVE_ERROR),
    ] {
        sandbox.fail(fault.clone());
        let answer = Keys::of("miket92").call(&sandbox, "GetSessionToken", &[]);
        assert_eq!(answer.exit, exit, "{fault:?}");
    }
    // Whether the reset meets curl connecting, sending or receiving is up to the scheduler.
    sandbox.fail(Fault::Reset(At::Accept));
    assert_ne!(Keys::of("miket92").call(&sandbox, "GetSessionToken", &[]).exit, 0);
    Keys::of("miket92").call(&sandbox, "GetSessionToken", &[]).is_granted();

    let statuses: Vec<_> = sandbox.calls().iter().map(|call| call.status).collect();
    assert_eq!(statuses, [None, Some(200), None, Some(200), Some(200)]);
}

#[test]
fn connections_can_fall_silent() {
    let sandbox = sandbox();
    for at in [At::Accept, At::Request, At::Answer] {
        sandbox.fail(Fault::Hang(at));
        let mut curl = Keys::of("miket92").curl(&sandbox, "GetCallerIdentity", &[]);
        assert_eq!(Answer::to(curl.args(["--max-time", "0.5"])).exit, exit::TIMEOUT, "{at:?}");
    }
}

#[test]
fn an_endless_answer_goes_on_until_the_client_has_enough() {
    let sandbox = sandbox();
    sandbox.fail(Fault::Oversized);
    let mut curl = Keys::of("miket92").curl(&sandbox, "GetSessionToken", &[]);
    let mut curl = curl.stdout(Stdio::piped()).spawn().expect("curl");
    let stdout = curl.stdout.take().expect("curl's output");
    let read = io::copy(&mut stdout.take(10_000_000), &mut io::sink());
    assert_eq!(read.expect("curl's output"), 10_000_000);
    curl.kill().expect("an end to curl");
    curl.wait().expect("curl's end");
}

#[test]
fn faults_wait_for_their_action_and_number() {
    let sandbox = sandbox();
    let miket92 = Keys::of("miket92");
    let status = |action| miket92.call(&sandbox, action, &[]).status;
    sandbox.fail_on("GetSessionToken", 2, Fault::Status(503));
    assert_eq!(status("GetCallerIdentity"), 200);
    assert_eq!([status("GetSessionToken"), status("GetSessionToken"), status("GetSessionToken")], [503, 503, 200]);
    sandbox.fail_always(Fault::Throttling);
    assert_eq!([status("GetCallerIdentity"), status("GetSessionToken")], [400, 400]);
}

#[test]
fn a_dropped_sandbox_lets_go_of_a_client_that_hangs() {
    let sandbox = sandbox();
    sandbox.fail(Fault::Hang(At::Request));
    let mut curl = Keys::of("miket92").curl(&sandbox, "GetCallerIdentity", &[]);
    let mut curl = curl.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("curl");
    while sandbox.calls().is_empty() {
        thread::sleep(Duration::from_millis(5));
    }
    drop(sandbox);
    assert_eq!(curl.wait().expect("curl's end").code(), Some(exit::EMPTY_REPLY));
}

#[test]
fn idle_connections_can_be_closed() {
    let sandbox = sandbox();
    let mut idle = TcpStream::connect(sandbox.endpoint().trim_start_matches("http://")).expect("a connection");
    while sandbox.connections() == 0 {
        thread::sleep(Duration::from_millis(5));
    }
    sandbox.close_connections();
    assert_eq!(idle.read(&mut [0]).expect("an end in good order"), 0);
    Keys::of("miket92").call(&sandbox, "GetCallerIdentity", &[]).is_granted();
}

#[test]
fn the_aws_files_of_the_demo_hold_the_keys_of_the_default_world() {
    let credentials = include_str!("../sandbox/credentials");
    let world = World::default();
    assert_eq!(credentials.matches("aws_access_key_id").count(), world.users.len());
    for user in &world.users {
        let pair = format!("aws_access_key_id = {}\naws_secret_access_key = {}\n", user.access_key_id, user.secret);
        assert!(credentials.contains(&pair), "{}", user.arn);
    }
    let config = include_str!("../sandbox/config");
    for role in &world.roles {
        assert!(config.contains(&format!("role_arn = {}\n", role.arn)), "{}", role.arn);
    }
}
