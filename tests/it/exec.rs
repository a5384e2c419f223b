//! `awsmfa exec`: what the child gets, and what its caller gets of the child.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;

use crate::run::{DEVICE, Home, Ran};
use crate::server::{Sandbox, World};

fn variables(ran: &Ran) -> BTreeMap<String, String> {
    let pairs = ran.stdout.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A home whose environment holds a session of `msgcxp`, as after `eval "$(awsmfa env -p msgcxp)"`.
pub(crate) fn home_with_session(sandbox: &Sandbox) -> Home {
    let home = Home::new(sandbox);
    let ran = home.awsmfa(["exec", "-q", "-p", "msgcxp", "-t", &sandbox.code(DEVICE), "--", "env"]);
    ran.status(0);
    variables(&ran)
        .iter()
        .filter(|(name, _)| name.starts_with("AWS"))
        .fold(home, |home, (name, value)| home.env(name, value))
}

#[test]
fn a_child_gets_the_session_and_nothing_that_outranks_it_and_no_code() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox)
        .env("AWS_PROFILE", "msgcxp")
        .env("AWS_DEFAULT_PROFILE", "deploy")
        .env("AWS_SECURITY_TOKEN", "stale")
        .env("AWSMFA_TOKEN_CODE", &sandbox.code(DEVICE))
        .env("MINE", "kept");
    let ran = home.awsmfa(["exec", "--", "env"]);
    let seen = variables(ran.status(0));
    let issued = sandbox.issued(&seen["AWS_ACCESS_KEY_ID"]).expect("issued keys");
    assert_eq!(seen["AWS_SECRET_ACCESS_KEY"], issued.secret);
    assert_eq!(seen["AWS_SESSION_TOKEN"], issued.session_token);
    assert_eq!(seen["AWS_REGION"], "eu-central-1");
    assert_eq!(seen["AWSMFA_PROFILE"], "msgcxp");
    assert_eq!(seen["MINE"], "kept");
    for name in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN", "AWSMFA_TOKEN_CODE"] {
        assert_eq!(seen.get(name), None, "{name}");
    }
}

#[test]
fn a_role_is_bought_for_one_command() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let code = sandbox.code(DEVICE);
    let ran =
        home.awsmfa(["exec", "-p", "admin", "-t", &code, "--", "sh", "-c", "echo $AWS_ACCOUNT_ID $AWSMFA_PROFILE"]);
    ran.status(0).stdout("123456789012 admin\n");
    let calls = sandbox.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].action, "AssumeRole");
    let sent = |name: &str| calls[0].parameters[name].clone();
    assert_eq!(sent("RoleArn"), "arn:aws:iam::123456789012:role/admin");
    assert_eq!(sent("DurationSeconds"), "43200");
    assert_eq!(sent("SerialNumber"), DEVICE);
    assert_eq!(sent("TokenCode"), code);
}

#[test]
fn a_chain_of_roles_spends_the_code_on_the_first() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    home.awsmfa(["exec", "-p", "release", "-t", &sandbox.code(DEVICE), "--", "true"]).status(0);
    let calls: Vec<_> =
        sandbox.calls().into_iter().map(|call| (call.action, call.parameters.contains_key("TokenCode"))).collect();
    assert_eq!(calls, [("AssumeRole".to_owned(), true), ("AssumeRole".to_owned(), false)]);
}

#[test]
fn the_status_is_the_commands_own_and_awsmfas_failures_have_their_own() {
    let sandbox = Sandbox::start(World::default());
    let home = home_with_session(&sandbox);
    home.awsmfa(["exec", "--", "sh", "-c", "exit 3"]).status(3).stderr("");
    home.awsmfa(["exec", "--", "true"]).status(0).stdout("").stderr("");
    home.awsmfa(["exec", "--", "no-such-command"])
        .status(127)
        .stdout("")
        .stderr("awsmfa: error: there is no command `no-such-command`\n");
    home.awsmfa(["exec", "--", "/etc/passwd"])
        .status(126)
        .stderr("awsmfa: error: `/etc/passwd` can't be run\n  caused by: permission denied\n");
    home.awsmfa(["exec", "-p", "nobody", "--", "true"]).status(125).stdout("");
    home.awsmfa(["exec", "--no-such-option", "--", "true"]).status(125).stdout("");
    home.awsmfa(["exec", "--min-ttl", "soon", "--", "true"]).status(125).stdout("");
}

#[test]
fn a_mistyped_command_is_found_before_a_code_is_asked_for() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let ran = home.awsmfa(["exec", "-p", "msgcxp", "--", "terrafrom", "plan"]);
    ran.status(127).stdout("").stderr("awsmfa: error: there is no command `terrafrom`\n");
    assert_eq!(sandbox.connections(), 0);
}

#[test]
fn a_child_that_dies_of_a_signal_is_seen_to_die_of_it() {
    let sandbox = Sandbox::start(World::default());
    let home = home_with_session(&sandbox);
    let mut command = home.command(crate::run::AWSMFA);
    command.args(["exec", "--", "sh", "-c", "kill -TERM $$"]);
    let status = command.status().expect("awsmfa");
    assert_eq!(status.signal(), Some(15));
}

#[test]
fn the_command_takes_the_place_of_awsmfa() {
    let sandbox = Sandbox::start(World::default());
    let home = home_with_session(&sandbox);
    let mut command = home.command(crate::run::AWSMFA);
    command.args(["exec", "--", "sh", "-c", "echo $$"]).stdout(std::process::Stdio::piped());
    let child = command.spawn().expect("awsmfa");
    let id = child.id();
    let output = child.wait_with_output().expect("its output");
    assert_eq!(String::from_utf8(output.stdout).expect("a number"), format!("{id}\n"));
}

#[test]
fn arguments_reach_the_command_untouched() {
    let sandbox = Sandbox::start(World::default());
    let home = home_with_session(&sandbox);
    let arguments = ["exec", "--", "printf", "%s|", "-p", "a b", "", "--", "'\"$x", "-t"];
    home.awsmfa(arguments).status(0).stdout("-p|a b||--|'\"$x|-t|");
    // Without `--` too: the first word that is no option begins the command.
    home.awsmfa(["exec", "-q", "printf", "%s|", "-p", "x"]).status(0).stdout("-p|x|");
}

#[test]
fn without_a_command_the_users_shell_is_started() {
    let sandbox = Sandbox::start(World::default());
    let home = home_with_session(&sandbox).env("SHELL", "/bin/bash");
    let ran = home.awsmfa_with_input("echo $0 $AWSMFA_PROFILE\n", ["exec"]);
    ran.status(0).stdout("/bin/bash msgcxp\n");
}

#[test]
fn a_held_session_is_used_as_it_is_and_nobody_is_asked() {
    let sandbox = Sandbox::start(World::default());
    let home = home_with_session(&sandbox);
    let connections = sandbox.connections();
    for arguments in [&["exec"][..], &["exec", "-p", "msgcxp"], &["exec", "--min-ttl", "11h"]] {
        let ran = home.awsmfa(arguments.iter().copied().chain(["--", "env"]));
        ran.status(0).stderr("");
        let seen = variables(&ran);
        assert!(sandbox.issued(&seen["AWS_ACCESS_KEY_ID"]).is_some());
        assert_eq!(seen["AWS_REGION"], "eu-central-1");
    }
    let ran = home.awsmfa(["exec", "--region", "us-east-1", "--", "sh", "-c", "echo $AWS_REGION $AWS_DEFAULT_REGION"]);
    ran.status(0).stdout("us-east-1 us-east-1\n");
    assert_eq!(sandbox.connections(), connections);
}

#[test]
fn a_variable_that_outranks_a_held_session_does_not_reach_the_child() {
    let sandbox = Sandbox::start(World::default());
    let home = home_with_session(&sandbox).env("AWS_PROFILE", "deploy").env("AWS_SECURITY_TOKEN", "stale");
    let ran =
        home.awsmfa(["exec", "-p", "msgcxp", "--", "sh", "-c", "echo ${AWS_PROFILE-none} ${AWS_SECURITY_TOKEN-none}"]);
    ran.status(0).stdout("none none\n");
}

#[test]
fn a_session_that_is_not_what_is_asked_for_is_not_used() {
    let sandbox = Sandbox::start(World::default());
    let home = home_with_session(&sandbox);
    // Each of these needs a code, and there is none.
    for arguments in [
        &["-p", "deploy"][..],
        &["--min-ttl", "13h"],
        &["-d", "1h"],
        &["--serial-number", DEVICE],
        &["--role-arn", "arn:aws:iam::123456789012:role/admin", "--serial-number", DEVICE],
    ] {
        let ran = home.awsmfa(["exec"].into_iter().chain(arguments.iter().copied()).chain(["--", "true"]));
        assert!(ran.status(125).stderr.contains("a token code is needed"), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn a_session_that_is_not_awsmfas_or_has_too_little_left_is_not_used() {
    let sandbox = Sandbox::start(World::default());
    let needs_code = |home: &Home| {
        let ran = home.awsmfa(["exec", "--", "true"]);
        assert!(ran.status(125).stderr.contains("a token code is needed"), "{}", ran.stderr);
    };
    // Other keys beside the marker: the profile is not taken from it either.
    let other = home_with_session(&sandbox).env("AWS_ACCESS_KEY_ID", "AKIAOTHER");
    let ran = other.awsmfa(["exec", "--", "true"]);
    assert!(ran.status(125).stderr.contains("there is no profile `default`"), "{}", ran.stderr);
    needs_code(&home_with_session(&sandbox).env("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z"));
}

#[test]
fn after_expiry_the_profiles_keys_sign_and_not_the_stale_session() {
    let sandbox = Sandbox::start(World::default());
    let home = home_with_session(&sandbox).env("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z");
    home.awsmfa(["exec", "-q", "-t", &sandbox.code(DEVICE), "--", "true"]).status(0).stderr("");
    let calls = sandbox.calls();
    assert!(calls.iter().all(|call| call.access_key_id.as_deref() == Some("AKIAIOSFODNN7EXAMPLE")), "{calls:?}");
}

#[test]
fn a_role_of_the_command_line_is_held_apart_from_the_profiles_own_session() {
    let sandbox = Sandbox::start(World::default());
    let role = "arn:aws:iam::123456789012:role/admin";
    let home = Home::new(&sandbox);
    let code = sandbox.code(DEVICE);
    let ran = home.awsmfa([
        "exec",
        "-q",
        "-p",
        "msgcxp",
        "--role-arn",
        role,
        "--serial-number",
        DEVICE,
        "-t",
        &code,
        "--",
        "env",
    ]);
    let session = variables(ran.status(0));
    let home = session
        .iter()
        .filter(|(name, _)| name.starts_with("AWS"))
        .fold(home, |home, (name, value)| home.env(name, value));
    // The session in this shell, and the one of that role: held.
    home.awsmfa(["exec", "--", "true"]).status(0).stderr("");
    home.awsmfa(["exec", "-p", "msgcxp", "--role-arn", role, "--", "true"]).status(0).stderr("");
    // The profile's own rights are another matter.
    let ran = home.awsmfa(["exec", "-p", "msgcxp", "--", "true"]);
    assert!(ran.status(125).stderr.contains("a token code is needed"), "{}", ran.stderr);
}

#[test]
fn a_dry_run_says_that_a_held_session_would_be_used() {
    let sandbox = Sandbox::start(World::default());
    let home = home_with_session(&sandbox).env("AWS_CREDENTIAL_EXPIRATION", "2099-01-01T00:00:00Z");
    home.awsmfa(["exec", "--dry-run", "--", "true"])
        .status(0)
        .stdout("")
        .stderr("profile  msgcxp\nsession  the one in this environment, until 2099-01-01T00:00:00Z\n");
}
