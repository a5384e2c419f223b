//! `awsmfa status`: what it says of an environment, and how it stands in a prompt.

use std::fs;

use crate::exec::home_with_session;
use crate::readme::blocks;
use crate::run::{DEVICE, Home, Ran};
use crate::server::{Sandbox, World};

const ROLE: &str = "arn:aws:iam::123456789012:role/admin";

/// An environment that holds a session until this moment.
fn holding(sandbox: &Sandbox, until: &str) -> Home {
    let marker = format!(
        "v=1 key=ASIAEXAMPLE kind=user source-key=AKIAIOSFODNN7EXAMPLE device={DEVICE} account=123456789012 \
         region=eu-central-1"
    );
    Home::new(sandbox)
        .env("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_SESSION_TOKEN", "token")
        .env("AWS_CREDENTIAL_EXPIRATION", until)
        .env("AWS_REGION", "eu-central-1")
        .env("AWSMFA_PROFILE", "msgcxp")
        .env("AWSMFA_SESSION", &marker)
}

/// Standard output without the time that is left, which no test can know.
fn timeless(ran: &Ran) -> String {
    let lines = ran.stdout.lines().map(|line| match line.split_once("Z, in ") {
        Some((moment, _)) => format!("{moment}Z\n"),
        None => format!("{line}\n"),
    });
    lines.collect()
}

#[test]
fn where_nothing_is_held_it_says_so() {
    let sandbox = Sandbox::start(World::default());
    // Without keys a profile is in nobody's way.
    let home = Home::new(&sandbox).env("AWS_PROFILE", "msgcxp");
    home.awsmfa(["status"]).status(1).stdout("keys        none\n").stderr("");
    home.awsmfa(["status", "--check"]).status(1).stdout("keys        none\n").stderr("");
    home.awsmfa(["status", "--format", "prompt"]).status(1).stdout("").stderr("");
    let json = "{\"state\":\"none\",\"access_key_id\":null,\"profile\":null,\"account\":null,\"kind\":null,\
                \"role\":null,\"region\":null,\"mfa_device\":null,\"expiration\":null,\"caller\":null,\
                \"seconds_left\":null,\"missing\":[],\"in_the_way\":[]}\n";
    home.awsmfa(["status", "--format", "json"]).status(1).stdout(json).stderr("");
}

#[test]
fn a_held_session_is_shown_with_all_that_is_known_of_it() {
    let sandbox = Sandbox::start(World::default());
    let home = holding(&sandbox, "2099-01-01T00:00:00Z");
    let ran = home.awsmfa(["status"]);
    let expected = "keys        ASIAEXAMPLE, awsmfa's\n\
                    profile     msgcxp\n\
                    account     123456789012\n\
                    MFA device  arn:aws:iam::123456789012:mfa/miket92\n\
                    expires     2099-01-01T00:00:00Z\n\
                    region      eu-central-1\n";
    assert_eq!(timeless(ran.status(0).stderr("")), expected);
    assert!(ran.stdout.contains("Z, in "), "{}", ran.stdout);
    let ran = home.awsmfa(["status", "--format", "prompt"]);
    assert!(ran.status(0).stderr("").stdout.starts_with("msgcxp "), "{}", ran.stdout);
}

#[test]
fn a_role_is_named_where_it_is_known() {
    let sandbox = Sandbox::start(World::default());
    for (fields, shown) in [(format!("role={ROLE}"), ROLE), (String::new(), "the one of profile msgcxp")] {
        let marker = format!("v=1 key=ASIAEXAMPLE kind=role source-key=AKIAIOSFODNN7EXAMPLE {fields}");
        let home = holding(&sandbox, "2099-01-01T00:00:00Z").env("AWSMFA_SESSION", marker.trim_end());
        let expected = format!(
            "keys        ASIAEXAMPLE, awsmfa's\n\
             profile     msgcxp\n\
             role        {shown}\n\
             expires     2099-01-01T00:00:00Z\n\
             region      eu-central-1\n"
        );
        assert_eq!(timeless(home.awsmfa(["status"]).status(0).stderr("")), expected);
    }
}

#[test]
fn an_expired_session_is_called_so() {
    let sandbox = Sandbox::start(World::default());
    let home = holding(&sandbox, "2020-01-01T00:00:00Z");
    let expected = "keys        ASIAEXAMPLE, awsmfa's\n\
                    profile     msgcxp\n\
                    account     123456789012\n\
                    MFA device  arn:aws:iam::123456789012:mfa/miket92\n\
                    expired     2020-01-01T00:00:00Z\n\
                    region      eu-central-1\n";
    home.awsmfa(["status"]).status(1).stdout(expected).stderr("");
    home.awsmfa(["status", "--format", "prompt"]).status(1).stdout("msgcxp expired\n").stderr("");
    // By way of the parser, which a prompt's own command line does without.
    home.awsmfa(["status", "--format=prompt"]).status(1).stdout("msgcxp expired\n").stderr("");
    let json = "{\"state\":\"expired\",\"access_key_id\":\"ASIAEXAMPLE\",\"profile\":\"msgcxp\",\
                \"account\":\"123456789012\",\"kind\":\"user\",\"role\":null,\"region\":\"eu-central-1\",\
                \"mfa_device\":\"arn:aws:iam::123456789012:mfa/miket92\",\"expiration\":\"2020-01-01T00:00:00Z\",\
                \"caller\":null,\"seconds_left\":0,\"missing\":[],\"in_the_way\":[]}\n";
    home.awsmfa(["status", "--format", "json"]).status(1).stdout(json).stderr("");
}

#[test]
fn a_session_that_lost_a_part_is_not_held_and_the_part_is_named() {
    let sandbox = Sandbox::start(World::default());
    let home = holding(&sandbox, "soon").env("AWS_SESSION_TOKEN", "");
    let expected = "keys        ASIAEXAMPLE, awsmfa's, but incomplete: without a usable AWS_SESSION_TOKEN, \
                    AWS_CREDENTIAL_EXPIRATION\n\
                    region      eu-central-1\n";
    home.awsmfa(["status"]).status(1).stdout(expected).stderr("");
    home.awsmfa(["status", "--format", "prompt"]).status(1).stdout("").stderr("");
    let ran = home.awsmfa(["status", "--format", "json"]);
    let missing = "\"missing\":[\"AWS_SESSION_TOKEN\",\"AWS_CREDENTIAL_EXPIRATION\"]";
    assert!(ran.status(1).stdout.starts_with("{\"state\":\"incomplete\","), "{}", ran.stdout);
    assert!(ran.stdout.contains(missing), "{}", ran.stdout);
}

#[test]
fn keys_of_somebody_else_are_told_from_awsmfas() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox).env("AWS_ACCESS_KEY_ID", "AKIAOTHER").env("AWS_SECRET_ACCESS_KEY", "secret");
    home.awsmfa(["status"]).status(1).stdout("keys        AKIAOTHER, not awsmfa's\n").stderr("");
    home.awsmfa(["status", "--format", "prompt"]).status(1).stdout("").stderr("");
    let home = holding(&sandbox, "2099-01-01T00:00:00Z").env("AWS_ACCESS_KEY_ID", "AKIAOTHER");
    let expected = "keys        AKIAOTHER, not awsmfa's\n\
                    region      eu-central-1\n\
                    in the way  AWSMFA_SESSION: it belongs to other keys than these\n";
    home.awsmfa(["status"]).status(1).stdout(expected).stderr("");
    let home = home.env("AWSMFA_SESSION", "v=2 key=AKIAOTHER");
    let expected = "keys        AKIAOTHER, not awsmfa's\n\
                    region      eu-central-1\n\
                    in the way  AWSMFA_SESSION: another version of awsmfa wrote it\n";
    home.awsmfa(["status"]).status(1).stdout(expected).stderr("");
}

#[test]
fn what_keeps_programs_from_the_keys_is_named_even_when_it_is_empty() {
    let sandbox = Sandbox::start(World::default());
    let home = holding(&sandbox, "2020-01-01T00:00:00Z")
        .env("AWS_PROFILE", "")
        .env("AWS_DEFAULT_PROFILE", "deploy")
        .env("AWS_SECURITY_TOKEN", "stale");
    let expected = "region      eu-central-1\n\
                    in the way  AWS_PROFILE: the JavaScript SDK takes the profile and not the keys, and an empty one \
                    breaks the AWS CLI\n\
                    in the way  AWS_DEFAULT_PROFILE: the AWS CLI and boto3 take their settings from that profile\n\
                    in the way  AWS_SECURITY_TOKEN: the AWS CLI and boto3 take it before AWS_SESSION_TOKEN\n";
    let ran = home.awsmfa(["status"]);
    assert!(ran.status(1).stdout.ends_with(expected), "{}", ran.stdout);
    let ran = home.awsmfa(["status", "--format", "json"]);
    let names = "\"in_the_way\":[\"AWS_PROFILE\",\"AWS_DEFAULT_PROFILE\",\"AWS_SECURITY_TOKEN\"]}\n";
    assert!(ran.status(1).stdout.ends_with(names), "{}", ran.stdout);
}

#[test]
fn what_a_variable_holds_can_control_no_terminal() {
    let sandbox = Sandbox::start(World::default());
    let home = holding(&sandbox, "2020-01-01T00:00:00Z").env("AWSMFA_PROFILE", "a\x1b[2Jb\u{202e}c\nd");
    let ran = home.awsmfa(["status"]);
    assert!(ran.status(1).stdout.contains("\nprofile     a[2Jbc d\n"), "{:?}", ran.stdout);
}

#[test]
fn without_a_check_nobody_is_asked_and_no_file_is_read() {
    let sandbox = Sandbox::start(World::default());
    let home = holding(&sandbox, "2099-01-01T00:00:00Z");
    for name in ["config", "credentials"] {
        fs::write(home.aws_file(name), "[broken").expect("a file");
    }
    for format in ["text", "json", "prompt"] {
        home.awsmfa(["status", "--format", format]).status(0).stderr("");
    }
    assert_eq!(sandbox.connections(), 0);
}

#[test]
fn a_check_says_whose_the_keys_are() {
    let sandbox = Sandbox::start(World::default());
    let home = home_with_session(&sandbox);
    let ran = home.awsmfa(["status", "--check"]);
    let caller = "\ncaller      arn:aws:iam::123456789012:user/miket92\nprofile     msgcxp\n";
    assert!(ran.status(0).stderr("").stdout.contains(caller), "{}", ran.stdout);
    let ran = home.awsmfa(["status", "--check", "--format", "json"]);
    let caller = "\"caller\":\"arn:aws:iam::123456789012:user/miket92\"";
    assert!(ran.status(0).stderr("").stdout.contains(caller), "{}", ran.stdout);
    // The files play no part in it: neither their keys nor their mistakes.
    fs::write(home.aws_file("config"), "[broken").expect("a file");
    home.awsmfa(["status", "--check"]).status(0).stderr("");
    // Anybody's keys can be checked, and are still not awsmfa's.
    let home = Home::new(&sandbox)
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let expected =
        "keys        AKIAIOSFODNN7EXAMPLE, not awsmfa's\ncaller      arn:aws:iam::123456789012:user/miket92\n";
    home.awsmfa(["status", "--check"]).status(1).stdout(expected).stderr("");
}

#[test]
fn a_check_that_fails_says_what_to_do() {
    let sandbox = Sandbox::start(World::default());
    let unknown = holding(&sandbox, "2099-01-01T00:00:00Z");
    unknown.awsmfa(["status", "--check"]).status(1).stdout("").stderr(
        "awsmfa: error: GetCallerIdentity with the keys of this environment was refused by AWS: InvalidClientTokenId: \
         The security token included in the request is invalid.\n\
         hint: AWS does not know these keys: an AWS_SESSION_TOKEN or AWS_SECURITY_TOKEN beside them may belong to \
         others\n",
    );
    let held = home_with_session(&sandbox);
    sandbox.set_clock_offset(13 * 3600);
    held.awsmfa(["status", "--check"]).status(1).stdout("").stderr(
        "awsmfa: error: GetCallerIdentity with the keys of this environment was refused by AWS: ExpiredToken: The \
         security token included in the request is expired\n\
         hint: the session has expired: `awsmfa env` gets a new one\n",
    );
    let ran = held.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").awsmfa(["status", "--check"]);
    let unreachable = "awsmfa: error: GetCallerIdentity did not reach http://127.0.0.1:1: ";
    assert!(ran.status(1).stdout("").stderr.starts_with(unreachable), "{}", ran.stderr);
}

#[test]
fn the_readmes_prompts_show_the_session_and_leave_no_gap_without_one() {
    let sandbox = Sandbox::start(World::default());
    let lines = blocks("bash").concat();
    let bash = lines.lines().find(|line| line.starts_with("PS1=")).expect("the line for bash");
    let [zsh, p10k] = <[String; 2]>::try_from(blocks("zsh")).expect("two blocks for zsh");
    let fish = blocks("fish").concat();
    let toml = blocks("toml").concat();
    let starship = toml.lines().find_map(|line| line.strip_prefix("command = ")).expect("the line for starship");
    for (shell, script, expired, none) in [
        ("bash --norc", format!("PS1='> '\n{bash}\necho \"${{PS1@P}}\""), "msgcxp expired > \n", "> \n"),
        ("zsh -f", format!("{zsh}print -P \"[$RPROMPT]\""), "[msgcxp expired]\n", "[]\n"),
        ("zsh -f", format!("p10k() {{ print -r -- $@ }}\n{p10k}prompt_awsmfa"), "segment -t msgcxp expired\n", ""),
        ("fish --no-config", format!("{fish}fish_right_prompt; true"), "msgcxp expired\n", ""),
        ("sh", starship.trim_matches('"').to_owned(), "msgcxp expired\n", ""),
    ] {
        // starship shows nothing of a command that fails: an expired session has to succeed here.
        holding(&sandbox, "2020-01-01T00:00:00Z").shell(shell, &script).status(0).stdout(expired).stderr("");
        Home::new(&sandbox).shell(shell, &script).status(0).stdout(none).stderr("");
    }
}

#[test]
fn wrong_usage_leaves_a_prompt_empty() {
    let sandbox = Sandbox::start(World::default());
    let ran = Home::new(&sandbox).awsmfa(["status", "--format", "short"]);
    ran.status(2).stdout("");
    assert!(ran.stderr.starts_with("awsmfa: error: invalid value 'short' for '--format <FORMAT>'\n"), "{}", ran.stderr);
}
