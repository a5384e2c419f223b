//! Every error in its exact words, with its hint and its status, as a person sees it.
//!
//! Each is provoked in `env`, whose output a shell evaluates, and in `exec`, whose status is not the command's.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;

use crate::run::{AWSMFA, DEVICE, Home, Ran};
use crate::server::{Role, Sandbox, User, World};

const KEYS: &str =
    "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n";
const DEPLOY: &str = "arn:aws:iam::123456789012:role/deploy";
const NO_CODE: &str = "\
awsmfa: error: a token code is needed, and there is no terminal to ask for it
  caused by: No such device or address (os error 6)
hint: give the code with `--token-code CODE`, with `--token-code -` on standard input, or in AWSMFA_TOKEN_CODE
";

/// Makes a file that can't be read.
type Spoil = fn(&Home);

/// Asserts that both commands fail with these words, set nothing and run nothing.
#[track_caller]
fn fails(home: &Home, arguments: &[&str], stderr: &str) {
    let env = ["env", "-s", "sh"].into_iter().chain(arguments.iter().copied());
    home.awsmfa(env).status(1).stdout("false\n").stderr(stderr);
    let exec = ["exec"].into_iter().chain(arguments.iter().copied()).chain(["--", "echo", "ran"]);
    home.awsmfa(exec).status(125).stdout("").stderr(stderr);
}

/// The same for a table of arguments, separated by blanks, and what stands after `awsmfa: error: `.
#[track_caller]
fn all_fail(home: &Home, cases: &[(&str, &str)]) {
    for (arguments, error) in cases {
        fails(home, &arguments.split(' ').collect::<Vec<_>>(), &format!("awsmfa: error: {error}\n"));
    }
}

/// The profile that a plan is made for, and the first lines of that plan.
#[track_caller]
fn plan(home: &Home, arguments: &[&str]) -> String {
    let ran = home.awsmfa(["env", "--dry-run"].into_iter().chain(arguments.iter().copied()));
    ran.status(0).stdout("").stderr.clone()
}

#[test]
fn a_profile_that_is_not_there_is_told_with_the_nearest_names() {
    let sandbox = Sandbox::start(World::default());
    let config = format!("[profile deploy]\nrole_arn = {DEPLOY}\nsource_profile = msgx\n");
    let home = Home::with_files(&sandbox, &config, &format!("[msgcxp]\n{KEYS}"));
    all_fail(
        &home,
        &[
            ("-p nobody", "there is no profile `nobody` in ~/.aws/credentials or ~/.aws/config"),
            (
                "-p depoly",
                "there is no profile `depoly` in ~/.aws/credentials or ~/.aws/config\n\
                 hint: did you mean `deploy` (in ~/.aws/config)?",
            ),
            (
                "-p deploy",
                "profile `deploy` names source profile `msgx` (~/.aws/config:3), which does not exist\n\
                 hint: did you mean `msgcxp` (in ~/.aws/credentials)?",
            ),
            (
                "-q",
                "there is no profile `default` in ~/.aws/credentials or ~/.aws/config\n\
                 hint: name a profile with `--profile`, or in AWS_PROFILE",
            ),
        ],
    );
    assert_eq!(sandbox.connections(), 0);
}

#[test]
fn what_a_profile_lacks_is_told_with_file_and_line() {
    let sandbox = Sandbox::start(World::default());
    let config = format!(
        "[msgx]
[profile no-secret]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
[profile no-id]
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
[profile empty]
region = eu-central-1
[profile sso]
sso_session = work
[profile no-source]
role_arn = {DEPLOY}
[profile a]
role_arn = {DEPLOY}
source_profile = b
[profile b]
role_arn = {DEPLOY}
source_profile = a
[profile bare]
role_arn = {DEPLOY}
source_profile = msgcxp
[profile chained]
role_arn = {DEPLOY}
source_profile = bare
"
    );
    let keys = format!("[profile msgcxp]\n[msgcxp]\n{KEYS}[temporary]\n{KEYS}aws_session_token = token\n");
    let home = Home::with_files(&sandbox, &config, &keys);
    let add_keys =
        "add `aws_access_key_id = …` and `aws_secret_access_key = …` to it, or `role_arn` and `source_profile`";
    all_fail(
        &home,
        &[
            (
                "-p msgx",
                "~/.aws/config:1 begins with `[msgx]`, which AWS's SDKs pass over\nhint: write `[profile msgx]`",
            ),
            (
                "-p no-secret",
                "profile `no-secret` has half a key pair: `aws_secret_access_key` is missing beside ~/.aws/config:3\n\
                 hint: add a line `aws_secret_access_key = …`",
            ),
            (
                "-p no-id",
                "profile `no-id` has half a key pair: `aws_access_key_id` is missing beside ~/.aws/config:5\n\
                 hint: add a line `aws_access_key_id = …`",
            ),
            ("-p empty", &format!("profile `empty` (~/.aws/config:6) has no access key\nhint: {add_keys}")),
            (
                "-p sso",
                "profile `sso` (~/.aws/config:8) has no access key but `sso_session`, which awsmfa does not know how to use",
            ),
            (
                "-p no-source",
                "profile `no-source` names a role (~/.aws/config:11) and no `source_profile` whose keys may assume it\n\
                 hint: add a line `source_profile = …`",
            ),
            ("-p a", "the source profiles go round in a circle (~/.aws/config:17): a → b → a"),
            (
                "-p temporary",
                "the keys of profile `temporary` are temporary (~/.aws/credentials:8): AWS gives a session only for \
                 long-term keys\nhint: name a profile with long-term keys (`AKIA…`)",
            ),
            (
                "-p chained -d 2h",
                "arn:aws:iam::123456789012:role/deploy is assumed with temporary keys, which AWS allows for an hour at \
                 most, not for 2h\nhint: leave out the duration, or ask for `1h`",
            ),
            (
                "-p bare -t 123456",
                "a token code was given, but no MFA device is set for the role of profile `bare`\n\
                 hint: name the device with `--serial-number`",
            ),
            (
                "-p msgcxp --role-session-name mike",
                "`--role-session-name` is for roles, and profile `msgcxp` is a user's",
            ),
            ("-p msgcxp --external-id abc", "`--external-id` is for roles, and profile `msgcxp` is a user's"),
        ],
    );
    assert_eq!(sandbox.connections(), 0);
}

#[test]
fn a_value_of_the_wrong_form_is_told_with_the_option_that_it_came_from() {
    let sandbox = Sandbox::start(World::default());
    all_fail(
        &Home::new(&sandbox),
        &[
            (
                "-p msgcxp --serial-number phone",
                "`--serial-number` is `phone`, which is no serial number: 9 to 256 letters, digits and `_+=/:,.@-`",
            ),
            (
                "-p dave --serial-number arn:aws:iam::123456789012:u2f/user/dave/key",
                "`--serial-number` is `arn:aws:iam::123456789012:u2f/user/dave/key`, which is a FIDO security key, which STS \
                 can't use: it needs a virtual or hardware device that shows codes",
            ),
            (
                "-p bob --serial-number arn:aws:iam::123456789012:user/bob",
                "`--serial-number` is `arn:aws:iam::123456789012:user/bob`, which is the ARN of a user, not of an MFA device \
                 (`…:mfa/…`)",
            ),
            (
                "-p msgcxp --role-arn admin",
                "`--role-arn` is `admin`, which is no ARN of a role (`arn:aws:iam::123456789012:role/name`)",
            ),
            (
                "-p deploy --role-session-name a",
                "`--role-session-name` is `a`, which is no role session name: 2 to 64 letters, digits and `_+=,.@-`",
            ),
            (
                "-p deploy --external-id #",
                "`--external-id` is `#`, which is no external ID: 2 to 1224 letters, digits and `_+=,.@:/-`",
            ),
            ("-p deploy --region eu_central", "`--region` is `eu_central`, which is no region (`eu-central-1`)"),
            (
                "-p msgcxp -d long",
                "`--duration-seconds` is `long`, which is no length of time: seconds (900 to 129600 for a user, to 43200 for a \
                 role) or `12h`, `90m`",
            ),
            ("-p msgcxp -d 10", "GetSessionToken takes 900 to 129600 seconds, not 10"),
            ("-p deploy -d 13h", "AssumeRole takes 900 to 43200 seconds, not 46800"),
            (
                "-p msgcxp -t 12345",
                "the token code from `--token-code` is not six digits\nhint: give the six digits that the MFA device shows",
            ),
            (
                "-p msgcxp -t -",
                "the token code from standard input is not six digits\nhint: give the six digits that the MFA device shows",
            ),
        ],
    );
    assert_eq!(sandbox.connections(), 0);
}

#[test]
fn a_value_of_the_wrong_form_is_told_with_the_variable_that_it_came_from() {
    let sandbox = Sandbox::start(World::default());
    for (name, value, error) in [
        (
            "AWSMFA_TOKEN_CODE",
            "secret",
            "the token code from `AWSMFA_TOKEN_CODE` is not six digits\nhint: give the six digits that the MFA device shows",
        ),
        (
            "AWS_MFA_SERIAL",
            "phone",
            "`AWS_MFA_SERIAL` is `phone`, which is no serial number: 9 to 256 letters, digits and `_+=/:,.@-`",
        ),
        (
            "AWSMFA_DURATION_SECONDS",
            "day",
            "`AWSMFA_DURATION_SECONDS` is `day`, which is no length of time: seconds (900 to 129600 for a user, to 43200 for a \
             role) or `12h`, `90m`",
        ),
        ("AWSMFA_DURATION_SECONDS", "37h", "GetSessionToken takes 900 to 129600 seconds, not 133200"),
        ("AWS_REGION", "eu/west", "`AWS_REGION` is `eu/west`, which is no region (`eu-central-1`)"),
        ("AWS_DEFAULT_REGION", "eu west", "`AWS_DEFAULT_REGION` is `eu west`, which is no region (`eu-central-1`)"),
        (
            "AWS_ENDPOINT_URL",
            "localhost",
            "the endpoint of STS is `localhost`, which is no URL (`https://sts.eu-central-1.amazonaws.com`)",
        ),
        (
            "AWS_ENDPOINT_URL_STS",
            "ftp://a",
            "the endpoint of STS is `ftp://a`, which is no URL (`https://sts.eu-central-1.amazonaws.com`)",
        ),
    ] {
        all_fail(&Home::new(&sandbox).env(name, value), &[("-p msgcxp", error)]);
    }
    let home = Home::new(&sandbox);
    home.awsmfa(["exec", "--min-ttl", "soon", "--", "true"]).status(125).stderr(
        "awsmfa: error: `--min-ttl` is `soon`, which is no length of time: seconds (900 to 129600 for a user, to 43200 for a \
         role) or `12h`, `90m`\n",
    );
    assert_eq!(sandbox.connections(), 0);
}

#[test]
fn a_setting_of_the_wrong_form_is_told_with_file_and_line() {
    let sandbox = Sandbox::start(World::default());
    let config = "[profile fido]\nmfa_serial = arn:aws:iam::123456789012:u2f/user/dave/key\n[profile msgcxp]\nendpoint_url = sts\n";
    let home = Home::with_files(&sandbox, config, &format!("[fido]\n{KEYS}[msgcxp]\n{KEYS}"));
    all_fail(
        &home,
        &[(
            "-p fido",
            "`mfa_serial` (~/.aws/config:2) is `arn:aws:iam::123456789012:u2f/user/dave/key`, which is a FIDO security key, \
             which STS can't use: it needs a virtual or hardware device that shows codes",
        )],
    );
    all_fail(
        &home.env("AWS_ENDPOINT_URL", ""),
        &[("-p msgcxp", "the endpoint of STS is `sts`, which is no URL (`https://sts.eu-central-1.amazonaws.com`)")],
    );
}

#[test]
fn a_code_that_nobody_can_be_asked_for_is_told_before_the_network_is_used() {
    let sandbox = Sandbox::start(World::default());
    fails(&Home::new(&sandbox), &["-p", "msgcxp"], NO_CODE);
    assert_eq!(sandbox.connections(), 0);
}

#[test]
fn a_code_comes_from_the_first_line_of_standard_input_which_need_not_end() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let mut command = home.command(AWSMFA);
    command.args(["env", "-q", "-s", "sh", "-p", "msgcxp", "-t", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("awsmfa");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(format!("{}\n", sandbox.code(DEVICE)).as_bytes()).expect("a reader");
    let mut block = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut block).expect("text");
    assert!(block.contains("export AWS_SESSION_TOKEN="), "{block}");
    assert!(child.wait().expect("its status").success());
    drop(input);
    // What can't be read is told as such.
    let ran = home.shell("sh", "awsmfa env -s sh -p msgcxp -t - </");
    ran.status(1).stdout("false\n").stderr(
        "awsmfa: error: the token code can't be read from standard input\n  caused by: Is a directory (os error 21)\n",
    );
}

#[test]
fn a_code_that_aws_rejects_is_told_in_one_line_and_one_request() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let rejected = "\
awsmfa: error: AWS rejects the token code: it is wrong, expired, or used already (each code works once)
hint: wait until the device shows the next code, and give that one
";
    fails(&home, &["-p", "alice", "-t", &sandbox.wrong_code("arn:aws:iam::123456789012:mfa/alice")], rejected);
    assert_eq!(sandbox.calls().len(), 2);
    let code = sandbox.code(DEVICE);
    home.awsmfa(["env", "-q", "-p", "deploy", "-t", &code]).status(0);
    fails(&home, &["-p", "deploy", "-t", &code], rejected);
}

#[test]
fn keys_that_aws_does_not_take_are_told_by_the_profile_that_has_them() {
    let mut world = World::default();
    world.user_mut("erin").active = false;
    let sandbox = Sandbox::start(world);
    let device = "mfa_serial = arn:aws:iam::123456789012:mfa/miket92\n";
    let keys = format!(
        "[unknown]\naws_access_key_id = AKIAUNKNOWN7EXAMPLE\naws_secret_access_key = s\n\
         [inactive]\naws_access_key_id = AKIAERIN234XXEXAMPLE\naws_secret_access_key = erin/2Erin+3UtnFEMI/K7MDENGbPxEXAMPLEKEY\n\
         [wrong]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\"\n\
         {device}"
    );
    let config = format!("[profile role]\nrole_arn = {DEPLOY}\nsource_profile = unknown\n{device}");
    let home = Home::with_files(&sandbox, &config, &keys);
    let unknown = "was refused by AWS: InvalidClientTokenId: The security token included in the request is invalid.";
    all_fail(
        &home,
        &[
            (
                "-p unknown -t 123456",
                &format!(
                    "GetCallerIdentity {unknown}\nhint: AWS does not know the access key of profile `unknown`, or it is \
                     deactivated"
                ),
            ),
            (
                "-p inactive -t 123456",
                &format!(
                    "GetCallerIdentity {unknown}\nhint: AWS does not know the access key of profile `inactive`, or it is \
                     deactivated"
                ),
            ),
            (
                "-p role -t 123456",
                &format!(
                    "AssumeRole {DEPLOY} {unknown}\nhint: AWS does not know the access key of profile `unknown`, or it is \
                     deactivated"
                ),
            ),
            (
                "-p wrong -t 123456",
                "GetSessionToken was refused by AWS: SignatureDoesNotMatch: The request signature we calculated does not match \
                 the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service \
                 documentation for details.\nhint: the secret access key of profile `wrong` does not belong to its access key \
                 id: is it whole, without quotes around it?",
            ),
        ],
    );
}

#[test]
fn temporary_keys_in_a_profile_that_have_expired_are_told_as_expired() {
    let sandbox = Sandbox::start(World::default());
    let ran = Home::new(&sandbox).awsmfa([
        "exec",
        "-q",
        "-d",
        "15m",
        "-p",
        "msgcxp",
        "-t",
        &sandbox.code(DEVICE),
        "--",
        "env",
    ]);
    let value = |name: &str| {
        let line = ran.stdout.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.expect("a variable").to_owned()
    };
    let keys = format!(
        "[old]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {}\n",
        value("AWS_ACCESS_KEY_ID"),
        value("AWS_SECRET_ACCESS_KEY"),
        value("AWS_SESSION_TOKEN")
    );
    let home =
        Home::with_files(&sandbox, &format!("[profile role]\nrole_arn = {DEPLOY}\nsource_profile = old\n"), &keys);
    home.awsmfa(["env", "-q", "-p", "role"]).status(0);
    sandbox.set_clock_offset(901);
    all_fail(
        &home,
        &[(
            "-p role",
            "AssumeRole arn:aws:iam::123456789012:role/deploy was refused by AWS: ExpiredToken: The security token included \
             in the request is expired\nhint: the temporary keys of profile `old` have expired: put new ones in their place",
        )],
    );
}

#[test]
fn a_device_that_is_not_the_users_is_told_with_the_way_to_name_the_right_one() {
    let sandbox = Sandbox::start(World::default());
    let refused = "GetSessionToken was refused by AWS: AccessDenied: MultiFactorAuthentication failed, unable to validate \
                   MFA code.  Please verify your MFA serial number is valid and associated with this user.";
    all_fail(
        &Home::new(&sandbox),
        &[
            (
                "-p bob -t 123456",
                &format!(
                    "{refused}\nhint: the device was derived from the user's name; name the right one with `--serial-number`, \
                     or in a line `mfa_serial = …` of profile `bob`"
                ),
            ),
            (
                "-p bob -t 123456 --serial-number arn:aws:iam::123456789012:mfa/alice",
                &format!(
                    "{refused}\nhint: the MFA device of profile `bob` has to be one of the user's own, as the IAM console lists it"
                ),
            ),
        ],
    );
}

#[test]
fn keys_of_nobody_who_could_have_a_device_are_told_as_such() {
    let sandbox = Sandbox::start(World::default());
    let keys = "[root]\naws_access_key_id = AKIAROOT234XXEXAMPLE\naws_secret_access_key = root+2Root/3UtnFEMI/K7MDENGbPxEXAMPLEKEY\n";
    let config = "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/readonly\nsource_profile = root\n";
    let home = Home::with_files(&sandbox, config, keys);
    all_fail(
        &home,
        &[
            (
                "-p root -t 123456",
                "the keys of profile `root` belong to arn:aws:iam::210987654321:root, which is no user: no MFA device can be \
                 derived from it\nhint: name the device with `--serial-number`",
            ),
            (
                "-p role",
                "AssumeRole arn:aws:iam::123456789012:role/readonly was refused by AWS: AccessDenied: Roles may not be \
                 assumed by root accounts.\nhint: give the keys of an IAM user: root can't assume a role",
            ),
        ],
    );
}

#[test]
fn a_role_that_may_not_be_assumed_is_told_with_what_could_be_missing() {
    let mut world = World::default();
    // Assumed without a code, and a session of it can't show one to the next role.
    world
        .roles
        .push(Role::new("arn:aws:iam::123456789012:role/last", "arn:aws:iam::123456789012:role/readonly").with_mfa());
    let sandbox = Sandbox::start(world);
    let device = format!("mfa_serial = {DEVICE}\n");
    let role = |name: &str, arn: &str, rest: &str| format!("[profile {name}]\nrole_arn = arn:aws:iam::{arn}\n{rest}");
    let config = [
        role("bare", "210987654321:role/partner", "source_profile = msgcxp\nexternal_id = partner-4711\n"),
        role(
            "wrong-id",
            "210987654321:role/partner",
            &format!("source_profile = msgcxp\nexternal_id = other\n{device}"),
        ),
        role("absent", "123456789012:role/absent", &format!("source_profile = msgcxp\n{device}")),
        role("readonly", "123456789012:role/readonly", "source_profile = msgcxp\n"),
        role("last", "123456789012:role/last", "source_profile = readonly\n"),
    ]
    .concat();
    let home = Home::with_files(&sandbox, &config, &format!("[msgcxp]\n{KEYS}"));
    let user = "AccessDenied: User: arn:aws:iam::123456789012:user/miket92 is not authorized to perform: sts:AssumeRole on \
                resource: arn:aws:iam::";
    let check = "check the role's name, whom its trust policy lets in, and whether it asks for an `external_id`";
    all_fail(
        &home,
        &[
            // The device is in the user's account, not in the role's.
            (
                "-p bare",
                &format!(
                    "AssumeRole arn:aws:iam::210987654321:role/partner was refused by AWS: {user}210987654321:role/partner\n\
                     hint: if the role wants MFA, add a line `mfa_serial = {DEVICE}` to profile `bare`, or use \
                     `--serial-number`; otherwise {check}"
                ),
            ),
            (
                "-p last",
                &format!(
                    "AssumeRole arn:aws:iam::123456789012:role/last was refused by AWS: AccessDenied: User: \
                     arn:aws:sts::123456789012:assumed-role/readonly/awsmfa is not authorized to perform: sts:AssumeRole on \
                     resource: arn:aws:iam::123456789012:role/last\nhint: {check}"
                ),
            ),
        ],
    );
    for (profile, arn) in [("wrong-id", "210987654321:role/partner"), ("absent", "123456789012:role/absent")] {
        let ran = home.awsmfa(["env", "-s", "sh", "-p", profile, "-t", &sandbox.code(DEVICE)]);
        ran.status(1).stdout("false\n").stderr(&format!(
            "awsmfa: error: AssumeRole arn:aws:iam::{arn} was refused by AWS: {user}{arn}\nhint: {check}\n"
        ));
    }
}

#[test]
fn a_session_longer_than_the_role_allows_is_told_with_what_to_do() {
    let sandbox = Sandbox::start(World::default());
    let ran = Home::new(&sandbox).awsmfa(["env", "-s", "sh", "-p", "deploy", "-d", "2h", "-t", &sandbox.code(DEVICE)]);
    ran.status(1).stdout("false\n").stderr(
        "awsmfa: error: AssumeRole arn:aws:iam::123456789012:role/deploy was refused by AWS: ValidationError: The requested \
         DurationSeconds exceeds the MaxSessionDuration set for this role.\n\
         hint: ask for less with `--duration-seconds`, or have the role's maximum session duration raised\n",
    );
}

#[test]
fn a_region_that_does_not_know_the_keys_is_told_in_awss_words() {
    let sandbox = Sandbox::start(World::default());
    all_fail(
        &Home::new(&sandbox),
        &[(
            "-p readonly --region cn-north-1",
            "AssumeRole arn:aws:iam::123456789012:role/readonly was refused by AWS: InvalidClientTokenId: The security token \
             included in the request is invalid.\nhint: AWS does not know the access key of profile `msgcxp`, or it is \
             deactivated",
        )],
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_is_not_taken_for_empty() {
    let sandbox = Sandbox::start(World::default());
    let cases: [(Spoil, &str); 7] = [
        (|home| fs::create_dir(home.aws_file("x")).expect("a directory"), "it is no regular file"),
        (
            |home| {
                home.command("mkfifo").arg(home.aws_file("x")).status().expect("mkfifo");
            },
            "it is no regular file",
        ),
        (|home| symlink("/dev/zero", home.aws_file("x")).expect("a link"), "it is no regular file"),
        (
            |home| fs::File::create(home.aws_file("x")).expect("a file").set_len((16 << 20) + 1).expect("a size"),
            "it is larger than 16 MiB",
        ),
        (|home| fs::write(home.aws_file("x"), b"[a]\nregion = \xff\n").expect("a file"), "it is not UTF-8 text"),
        (|home| symlink("x", home.aws_file("x")).expect("a link"), "Too many levels of symbolic links (os error 40)"),
        (
            |home| {
                fs::rename(home.aws_file("config"), home.aws_file("c")).expect("another name");
                symlink(home.aws_file("c").join("x"), home.aws_file("x")).expect("a link");
            },
            "Not a directory (os error 20)",
        ),
    ];
    for (spoil, cause) in cases {
        for variable in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
            let home = Home::new(&sandbox).env(variable, "~/.aws/x");
            spoil(&home);
            fails(&home, &["-p", "msgcxp"], &format!("awsmfa: error: ~/.aws/x can't be read\n  caused by: {cause}\n"));
        }
    }
}

#[test]
fn a_file_that_the_user_may_not_read_is_told_as_such() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    fs::set_permissions(home.aws_file("credentials"), fs::Permissions::from_mode(0o000)).expect("its owner");
    // Permissions are no obstacle for root, unless the capability that sees to that is taken away.
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = home.command("setpriv");
        command.args(["--bounding-set", "-dac_override,-dac_read_search", AWSMFA]);
        command
    } else {
        home.command(AWSMFA)
    };
    command.args(["env", "-s", "sh", "-p", "msgcxp"]);
    Ran::of(command, "").status(1).stdout("false\n").stderr(
        "awsmfa: error: ~/.aws/credentials can't be read\n  caused by: Permission denied (os error 13)\n\
         hint: the file has to be readable by you\n",
    );
}

#[test]
fn a_line_that_cannot_be_understood_is_named_and_not_quoted() {
    let sandbox = Sandbox::start(World::default());
    for (credentials, place) in [
        (
            "[msgcxp]\naws_secret_access_key wJalrXUtnFEMI\n",
            "~/.aws/credentials:2 can't be understood: expected an '=' sign defining a property",
        ),
        ("[msgcxp\n", "~/.aws/credentials:1 can't be understood: profile definition must end with ']'"),
        ("region = x\n", "~/.aws/credentials:1 can't be understood: expected a profile definition"),
        ("[a]\n = x\n", "~/.aws/credentials:2 can't be understood: expected a property definition, found continuation"),
    ] {
        all_fail(&Home::with_files(&sandbox, "", credentials), &[("-p msgcxp", place)]);
    }
}

#[test]
fn files_as_windows_editors_write_them_are_read() {
    let sandbox = Sandbox::start(World::default());
    let config = "\u{feff}[profile r]\r\nrole_arn = arn:aws:iam::123456789012:role/readonly\r\nsource_profile = u\r\n";
    let keys = format!("\u{feff}[u]\n{KEYS}").replace('\n', "\r\n");
    Home::with_files(&sandbox, config, &keys).awsmfa(["env", "-q", "-s", "sh", "-p", "r"]).status(0).stderr("");
}

#[test]
fn the_variables_name_other_files_and_the_null_device_none() {
    let sandbox = Sandbox::start(World::default());
    let home = || {
        let home = Home::with_files(&sandbox, "", "");
        fs::write(home.path().join("keys"), format!("[u]\n{KEYS}")).expect("a file");
        fs::write(home.path().join("conf"), "[profile u]\nregion = eu-west-1\n").expect("a file");
        home.env("AWS_CONFIG_FILE", "~/conf").env("AWS_SHARED_CREDENTIALS_FILE", "~/keys")
    };
    let read = plan(&home(), &["-p", "u"]);
    assert!(read.contains("AKIAIOSFODNN7EXAMPLE of profile u") && read.contains("region   eu-west-1"), "{read}");
    let read = plan(&home().env("AWS_CONFIG_FILE", "/dev/null"), &["-p", "u"]);
    assert!(read.contains("region   none"), "{read}");
    all_fail(
        &home().env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        &[(
            "-p u",
            "profile `u` (~/conf:1) has no access key\nhint: add `aws_access_key_id = …` and `aws_secret_access_key = …` to \
             it, or `role_arn` and `source_profile`",
        )],
    );
    // A file that isn't there counts as empty, as for AWS's tools.
    all_fail(
        &home().env("AWS_CONFIG_FILE", "/nowhere/config").env("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials"),
        &[("-p u", "there is no profile `u` in /nowhere/credentials or /nowhere/config")],
    );
}

#[test]
fn the_profile_is_the_options_then_the_variables_then_the_held_sessions_then_the_default() {
    let sandbox = Sandbox::start(World::default());
    let keys = ["option", "variable", "held", "fallback", "default"].map(|name| format!("[{name}]\n{KEYS}")).concat();
    let variables = [
        ("AWS_PROFILE", "variable"),
        ("AWSMFA_PROFILE", "held"),
        ("AWS_DEFAULT_PROFILE", "fallback"),
        ("AWS_PROFILE", "unused"),
    ];
    let selected = |variables: &[(&str, &str)], arguments: &[&str]| {
        let home = Home::with_files(&sandbox, "", &keys)
            .env("AWS_ACCESS_KEY_ID", "ASIAHELD")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_SESSION_TOKEN", "token")
            .env("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z")
            .env("AWSMFA_SESSION", "v=1 key=ASIAHELD kind=user source-key=AKIAIOSFODNN7EXAMPLE");
        let home = variables.iter().fold(home, |home, (name, value)| home.env(name, value));
        plan(&home, arguments).lines().next().expect("a line").to_owned()
    };
    assert_eq!(selected(&variables[..3], &["-p", "option"]), "profile  option");
    assert_eq!(selected(&variables[..3], &[]), "profile  variable");
    assert_eq!(selected(&variables[1..3], &[]), "profile  held");
    assert_eq!(selected(&variables[2..3], &[]), "profile  fallback");
    assert_eq!(selected(&[], &[]), "profile  default");
    // Empty is as good as unset.
    assert_eq!(selected(&[("AWS_PROFILE", ""), ("AWS_DEFAULT_PROFILE", "")], &[]), "profile  default");
}

#[test]
fn variables_stand_in_for_options_where_the_help_says_so_and_nowhere_else() {
    let sandbox = Sandbox::start(World::default());
    let home = || {
        Home::new(&sandbox)
            .env("AWS_MFA_SERIAL", "GAHT87654321")
            .env("AWSMFA_DURATION_SECONDS", "90m")
            .env("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/admin")
            .env("AWS_ROLE_SESSION_NAME", "somebody")
    };
    let user = plan(&home(), &["-p", "alice"]);
    assert!(user.contains("\ndevice   GAHT87654321\n"), "{user}");
    assert!(user.ends_with("\ncall     GetSessionToken for 1h 30m, with a token code\n"), "{user}");
    let options = plan(&home(), &["-p", "alice", "-d", "1h", "--serial-number", "GAHT00000000"]);
    assert!(options.contains("\ndevice   GAHT00000000\n"), "{options}");
    assert!(options.ends_with("\ncall     GetSessionToken for 1h, with a token code\n"), "{options}");
    // A role has its own device, and mostly a maximum of an hour.
    assert_eq!(plan(&home(), &["-p", "deploy"]), plan(&Home::new(&sandbox), &["-p", "deploy"]));
    // A code in the variable needs no terminal; where no code is needed, it goes nowhere.
    let home = Home::new(&sandbox).env("AWSMFA_TOKEN_CODE", &sandbox.code(DEVICE));
    home.awsmfa(["env", "-q", "-p", "readonly"]).status(0).stderr("");
    home.awsmfa(["env", "-q", "-p", "msgcxp"]).status(0).stderr("");
}

/// Characters that would colour, move, hide or turn what a terminal shows: 7-bit and 8-bit escapes, a bell, a backspace,
/// and the overrides of the direction of writing.
const HOSTILE: &str = "\u{1b}[31m\u{9b}2J\u{7}\u{8}\r\u{202e}\u{2066}\u{200f}";

/// Asserts that a terminal would show nothing but text, and that the rest of the text is there.
#[track_caller]
fn assert_harmless(ran: &Ran, text: &str) {
    let harmful = |letter: &char| {
        *letter != '\n' && (letter.is_control() || HOSTILE.contains(*letter) && !"[31m2J".contains(*letter))
    };
    assert_eq!(ran.stderr.chars().find(harmful), None, "{:?}", ran.stderr);
    assert!(ran.stderr.contains(text), "{text}: {}", ran.stderr);
}

#[test]
fn nothing_on_the_command_line_controls_the_terminal() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let name = format!("a{HOSTILE}b");
    for arguments in [
        &["-p", &name][..],
        &["-p", "msgcxp", "-d", &name],
        &["-p", "msgcxp", "--serial-number", &name],
        &["-p", "msgcxp", "--role-arn", &name],
        &["-p", "deploy", "--region", &name],
        &["-p", "deploy", "--external-id", &name],
        &["-p", "deploy", "--role-session-name", &name],
    ] {
        let ran = home.awsmfa(["env", "-s", "sh"].into_iter().chain(arguments.iter().copied()));
        assert_harmless(ran.status(1).stdout("false\n"), "`a[31m2Jb`");
    }
    for arguments in [&["env", "-s", &name][..], &["env", &name], &["env", &format!("--{name}")], &[&name]] {
        assert_harmless(home.awsmfa(arguments.iter().copied()).status(2).stdout("false\n"), "a2Jb");
    }
    let exec = home.awsmfa(["exec", "-p", "readonly", "--", &name]);
    assert_harmless(exec.status(127).stdout(""), "there is no command `a[31m2Jb`");
}

#[test]
fn nothing_in_a_file_or_a_variable_controls_the_terminal() {
    let sandbox = Sandbox::start(World::default());
    let config = format!(
        "[{HOSTILE}x]\n[profile serial]\nmfa_serial = a{HOSTILE}b\n[profile role]\nrole_arn = a{HOSTILE}b\nsource_profile = u\n\
         [profile source]\nrole_arn = {DEPLOY}\nsource_profile = a{HOSTILE}b\n\
         [profile arn]\nrole_arn = arn:aws:iam::123456789012:role/a{HOSTILE}b\nsource_profile = u\n\
         mfa_serial = GAHT12345678\n"
    )
    .replace('\r', "");
    let home = || Home::with_files(&sandbox, &config, &format!("[u]\n{KEYS}[serial]\n{KEYS}"));
    for profile in ["serial", "role", "source", "arn"] {
        let ran = home().awsmfa(["env", "-s", "sh", "-p", profile, "-t", "123456"]);
        assert_harmless(ran.status(1).stdout("false\n"), "a[31m2Jb");
        assert_harmless(&home().awsmfa(["env", "--dry-run", "-p", profile]), "");
    }
    for variable in ["AWS_PROFILE", "AWS_REGION", "AWS_MFA_SERIAL", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE"] {
        let ran = home().env(variable, &format!("a{HOSTILE}b")).awsmfa(["env", "-s", "sh", "-t", "123456"]);
        assert_harmless(ran.status(1).stdout("false\n"), "");
    }
}

#[test]
fn keys_that_no_request_could_carry_are_refused_and_not_shown() {
    let sandbox = Sandbox::start(World::default());
    for (name, value) in [
        ("aws_access_key_id", format!("AKIA{HOSTILE}1").replace('\r', "")),
        ("aws_access_key_id", "AKIA 1".to_owned()),
        ("aws_secret_access_key", "hidden hidden".to_owned()),
        ("aws_session_token", "hidden\u{1b}".to_owned()),
    ] {
        let others = "aws_access_key_id = AKIA1\naws_secret_access_key = hidden\naws_session_token = hidden\n";
        let others: String = others.split_inclusive('\n').filter(|line| !line.starts_with(name)).collect();
        let home = Home::with_files(&sandbox, "", &format!("[u]\n{name} = {value}\n{others}"));
        let error = format!(
            "`{name}` (~/.aws/credentials:2) has characters that no key has\n\
             hint: copy it again: a key has neither blanks nor control characters in it"
        );
        all_fail(&home, &[("-p u --role-arn arn:aws:iam::123456789012:role/readonly", &error)]);
    }
    assert_eq!(sandbox.connections(), 0);
}

#[test]
fn nothing_that_aws_says_controls_the_terminal() {
    let arn = format!("arn:aws:iam::123456789012:user/a{HOSTILE}b").replace(['\u{1b}', '\u{7}', '\u{8}'], "");
    let mut world = World::default();
    world.users.push(User::new(&arn, "AKIAHOSTILE7EXAMPLE", "s"));
    let sandbox = Sandbox::start(world);
    let keys = "[u]\naws_access_key_id = AKIAHOSTILE7EXAMPLE\naws_secret_access_key = s\n";
    let config = "[profile r]\nrole_arn = arn:aws:iam::123456789012:role/absent\nsource_profile = u\n";
    let home = Home::with_files(&sandbox, config, keys);
    let ran = home.awsmfa(["env", "-s", "sh", "-p", "r"]);
    assert_harmless(ran.status(1).stdout("false\n"), "User: arn:aws:iam::123456789012:user/a[31m2Jb is not authorized");
    // The device that is derived from such a name is one that AWS knows nothing of.
    let ran = home.awsmfa(["env", "-s", "sh", "-p", "u", "-t", "123456"]);
    assert_harmless(ran.status(1).stdout("false\n"), "ValidationError");
}

#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let sandbox = Sandbox::start(World::default());
    let ran = Home::new(&sandbox).shell("sh", "awsmfa env --unset -s sh >/dev/full");
    ran.status(1)
        .stderr("awsmfa: error: the output can't be written\n  caused by: No space left on device (os error 28)\n");
}

#[test]
fn a_value_that_the_shell_cannot_carry_is_refused_by_its_variable() {
    let sandbox = Sandbox::start(World::default());
    let config = "[profile 50%]\nrole_arn = arn:aws:iam::123456789012:role/readonly\nsource_profile = u\n";
    let home = Home::with_files(&sandbox, config, &format!("[u]\n{KEYS}"));
    home.awsmfa(["env", "-q", "-s", "cmd", "-p", "50%"])
        .status(1)
        .stdout("cmd /c exit 1\n")
        .stderr("awsmfa: error: `AWSMFA_PROFILE` has a `\"`, `%` or `!`, which cmd can't carry\n");
    assert_eq!(sandbox.connections(), 0);
}

#[test]
fn a_system_that_gives_no_more_files_is_told_as_such() {
    let sandbox = Sandbox::start(World::default());
    let ran = Home::new(&sandbox).shell("sh", "ulimit -n 4; exec awsmfa env -s sh -p readonly");
    ran.status(1).stdout("false\n").stderr(
        "awsmfa: error: the system refuses what awsmfa needs to wait for AWS and for signals\n  \
         caused by: Too many open files (os error 24)\n",
    );
}

#[test]
fn wrong_usage_is_told_with_the_usage_and_a_status_of_its_own() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let more = "\n\nFor more information, try '--help'.\n";
    for (arguments, status, stdout, stderr) in [
        (
            &["env", "-s", "sh", "--profil", "x"][..],
            2,
            "false\n",
            format!("awsmfa: error: unexpected argument '--profil' found\n\n  tip: a similar argument exists: '--profile'\n\nUsage: awsmfa env --shell <SHELL> --profile <NAME>{more}"),
        ),
        (&["exec", "--profil", "x"], 125, "", format!("awsmfa: error: unexpected argument '--profil' found\n\n  tip: a similar argument exists: '--profile'\n  tip: to pass '--profil' as a value, use '-- --profil'\n\nUsage: awsmfa exec [OPTIONS] [-- COMMAND [ARGUMENT]...]{more}")),
        (
            &["env", "-s", "csh"],
            2,
            "false\n",
            "awsmfa: error: invalid value 'csh' for '--shell <SHELL>'\n  [possible values: bash, zsh, sh, fish, powershell, cmd, nushell, elvish, tcsh, xonsh]\n\n  tip: a similar value exists: 'tcsh'\n\nFor more information, try '--help'.\n".to_owned(),
        ),
        (&["env", "-s", "sh", "-p"], 2, "false\n", "awsmfa: error: a value is required for '--profile <NAME>' but none was supplied\n\nFor more information, try '--help'.\n".to_owned()),
        (&["env", "-s", "cmd", "-p"], 2, "cmd /c exit 1\n", "awsmfa: error: a value is required for '--profile <NAME>' but none was supplied\n\nFor more information, try '--help'.\n".to_owned()),
        (&["en"], 2, "false\n", format!("awsmfa: error: unrecognized subcommand 'en'\n\n  tip: a similar subcommand exists: 'env'\n\nUsage: awsmfa <COMMAND>{more}")),
    ] {
        home.awsmfa(arguments.iter().copied()).status(status).stdout(stdout).stderr(&stderr);
    }
    assert!(home.awsmfa([]).status(2).stderr.starts_with("Temporary AWS credentials"));
    let mut command = home.command(AWSMFA);
    command.args(["env", "-s", "sh", "-p"]).arg(OsStr::from_bytes(b"\xff"));
    let ran = Ran::of(command, "");
    ran.status(2).stdout("false\n");
    assert!(ran.stderr.starts_with("awsmfa: error: invalid UTF-8 was detected"), "{}", ran.stderr);
}
