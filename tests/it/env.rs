//! `awsmfa env`: the block, evaluated in real shells and read back from what their children see.

use std::collections::BTreeMap;

use crate::run::{DEVICE, Home, Ran};
use crate::server::{Sandbox, World};

/// Each shell with the line that applies what `awsmfa env` prints, as the help text has it.
const SHELLS: [(&str, &str); 5] = [
    ("bash", r#"eval "$(awsmfa env ARGUMENTS)""#),
    ("zsh -f", r#"eval "$(awsmfa env ARGUMENTS)""#),
    ("dash", r#"eval "$(awsmfa env ARGUMENTS)""#),
    ("sh", r#"eval "$(awsmfa env ARGUMENTS)""#),
    ("fish --no-config", "awsmfa env ARGUMENTS | source"),
];

/// The shells whose status tells a failure, which are all but those where a pipe hides it.
fn posix_shells() -> impl Iterator<Item = (&'static str, &'static str)> {
    SHELLS.into_iter().filter(|(shell, _)| !shell.starts_with("fish"))
}

/// The variables that a shell's child saw: what `env -0` printed last.
fn variables(ran: &Ran) -> BTreeMap<String, String> {
    let ours = |name: &str| name.starts_with("AWS") && name != "AWS_ENDPOINT_URL";
    let pairs = ran.stdout.split('\0').filter_map(|line| line.split_once('='));
    pairs.filter(|(name, _)| ours(name)).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Applies `awsmfa env` with these arguments in the shell, after `before`, and tells what a child sees then.
#[track_caller]
fn apply(home: &Home, (shell, line): (&str, &str), before: &str, arguments: &str) -> BTreeMap<String, String> {
    let line = line.replace("ARGUMENTS", arguments);
    let ran = home.shell(shell, &format!("{before}\n{line} || exit\nenv -0"));
    ran.status(0).stderr("");
    variables(&ran)
}

/// What the variables must be for the session that the sandbox issued.
fn expected(
    sandbox: &Sandbox,
    id: &str,
    profile: &str,
    marker: &str,
    rest: &[(&str, &str)],
) -> BTreeMap<String, String> {
    let issued = sandbox.issued(id).unwrap_or_else(|| panic!("`{id}` was issued by nobody"));
    let expiration = aws_smithy_types::DateTime::from_secs(issued.expires);
    let expiration = expiration.fmt(aws_smithy_types::date_time::Format::DateTime).expect("a date");
    let own = [
        ("AWSMFA_PROFILE", profile),
        ("AWSMFA_SESSION", &format!("v=1 key={id} {marker}")),
        ("AWS_ACCESS_KEY_ID", id),
        ("AWS_CREDENTIAL_EXPIRATION", &expiration),
        ("AWS_SECRET_ACCESS_KEY", &issued.secret),
        ("AWS_SESSION_TOKEN", &issued.session_token),
    ];
    own.iter().chain(rest).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const ACCOUNT: (&str, &str) = ("AWS_ACCOUNT_ID", "123456789012");

const USER: &str =
    "kind=user source-key=AKIAIOSFODNN7EXAMPLE device=arn:aws:iam::123456789012:mfa/miket92 account=123456789012";

fn region(name: &'static str) -> [(&'static str, &'static str); 2] {
    [("AWS_DEFAULT_REGION", name), ("AWS_REGION", name)]
}

#[test]
fn a_session_arrives_in_every_shell_byte_for_byte_and_what_outranks_it_goes() {
    for shell in SHELLS {
        let world = World { session_token_length: 3000, ..World::default() };
        let sandbox = Sandbox::start(world);
        let home = Home::new(&sandbox)
            .env("AWS_PROFILE", "msgcxp")
            .env("AWS_DEFAULT_PROFILE", "deploy")
            .env("AWS_SECURITY_TOKEN", "stale")
            .env("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z")
            .env("AWS_ACCOUNT_ID", "000000000000");
        let seen = apply(&home, shell, "", &format!("-q -t {}", sandbox.code(DEVICE)));
        let marker = format!("{USER} region=eu-central-1 default-region=eu-central-1");
        let [a, b] = region("eu-central-1");
        let expected = expected(&sandbox, &seen["AWS_ACCESS_KEY_ID"], "msgcxp", &marker, &[ACCOUNT, a, b]);
        assert_eq!(seen, expected, "{shell:?}");
    }
}

#[test]
fn a_second_profile_takes_over_everything_from_the_first() {
    for (shell, line) in SHELLS {
        let sandbox = Sandbox::start(World::default());
        let config = "[profile msgcxp]\nregion = eu-central-1\n[profile bare]\nrole_arn = \
                      arn:aws:iam::123456789012:role/readonly\nsource_profile = msgcxp\n";
        let keys = "[msgcxp]\naws_access_key_id=AKIAIOSFODNN7EXAMPLE\n\
                    aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n";
        let home = Home::with_files(&sandbox, config, keys);
        let first = line.replace("ARGUMENTS", &format!("-q -p msgcxp -t {}", sandbox.code(DEVICE)));
        let seen = apply(&home, (shell, line), &first, "-q -p bare");
        // The profile has no region: the one of the session before is gone with it.
        let marker = "kind=role source-key=AKIAIOSFODNN7EXAMPLE account=123456789012";
        let expected = expected(&sandbox, &seen["AWS_ACCESS_KEY_ID"], "bare", marker, &[ACCOUNT]);
        assert_eq!(seen, expected, "{shell}");
        // The long-term keys have signed, not the session before.
        let keys: Vec<_> = sandbox.calls().into_iter().map(|call| call.access_key_id).collect();
        assert!(keys.iter().all(|key| key.as_deref() == Some("AKIAIOSFODNN7EXAMPLE")), "{keys:?}");
    }
}

#[test]
fn unset_takes_a_session_away_and_succeeds_where_there_is_none() {
    for (shell, line) in SHELLS {
        let sandbox = Sandbox::start(World::default());
        let home = Home::new(&sandbox);
        let first = line.replace("ARGUMENTS", &format!("-q -p msgcxp -t {}", sandbox.code(DEVICE)));
        assert_eq!(apply(&home, (shell, line), &first, "-q --unset"), BTreeMap::new(), "{shell}");
        assert_eq!(apply(&home, (shell, line), "", "-q --unset"), BTreeMap::new(), "{shell}");
    }
}

#[test]
fn the_region_is_the_options_then_the_persons_own_then_the_profiles() {
    let shell = SHELLS[0];
    let both = |name| format!("{USER} region={name} default-region={name}");
    let cases = [
        ("", "", both("eu-central-1"), region("eu-central-1").to_vec()),
        ("", "--region us-east-1", both("us-east-1"), region("us-east-1").to_vec()),
        // The person's own variable stays, and only its twin is awsmfa's.
        ("export AWS_REGION=us-west-2", "", format!("{USER} default-region=us-west-2"), region("us-west-2").to_vec()),
        (
            "export AWS_REGION=us-west-2 AWS_DEFAULT_REGION=eu-north-1",
            "",
            USER.to_owned(),
            vec![("AWS_REGION", "us-west-2"), ("AWS_DEFAULT_REGION", "eu-north-1")],
        ),
        ("export AWS_REGION=us-west-2", "--region us-east-1", both("us-east-1"), region("us-east-1").to_vec()),
    ];
    for (before, option, marker, regions) in cases {
        let sandbox = Sandbox::start(World::default());
        let home = Home::new(&sandbox);
        let seen = apply(&home, shell, before, &format!("-q -p msgcxp {option} -t {}", sandbox.code(DEVICE)));
        let rest: Vec<_> = regions.into_iter().chain([ACCOUNT]).collect();
        assert_eq!(seen, expected(&sandbox, &seen["AWS_ACCESS_KEY_ID"], "msgcxp", &marker, &rest), "{before} {option}");
    }
}

#[test]
fn unset_leaves_a_region_that_was_changed_since() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let (shell, line) = SHELLS[0];
    let first = line.replace("ARGUMENTS", &format!("-q -p msgcxp -t {}", sandbox.code(DEVICE)));
    let seen = apply(&home, (shell, line), &format!("{first}\nexport AWS_REGION=us-west-2"), "-q --unset");
    assert_eq!(seen, BTreeMap::from([("AWS_REGION".to_owned(), "us-west-2".to_owned())]));
}

#[test]
fn the_shell_is_found_by_its_process() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox).env("SHELL", "/bin/zsh");
    let fish = home.shell("fish --no-config", "awsmfa env --unset");
    assert!(fish.status(0).stdout.starts_with("set -q -g AWS_ACCESS_KEY_ID; and set -e -g AWS_ACCESS_KEY_ID\n"));
    // Not by the login shell: this one is dash, also below another program.
    for script in ["awsmfa env --unset; :", "env awsmfa env --unset; :"] {
        let dash = home.shell("dash", script);
        assert!(dash.status(0).stdout.starts_with("(unset AWS_ACCESS_KEY_ID "), "{}", dash.stdout);
    }
}

#[test]
fn a_failure_is_a_failure_of_eval_and_changes_nothing() {
    for (shell, line) in posix_shells() {
        let sandbox = Sandbox::start(World::default());
        let home = Home::new(&sandbox).env("AWS_ACCESS_KEY_ID", "AKIAOLD");
        let wrong = format!("-p msgcxp -t {}", sandbox.wrong_code(DEVICE));
        for arguments in
            [wrong.as_str(), "-p nobody", "--no-such-option", "-p msgcxp -d 1", "-s nosuchshell", "-p msgcxp"]
        {
            let line = line.replace("ARGUMENTS", arguments);
            // Without a terminal, so that nobody is asked for the code that the last case lacks.
            let mut command = home.command("setsid");
            let script = format!("{line} && echo terraform apply; {line}; printf 'status %s\\0' $?; env -0");
            command.arg("--wait").args(shell.split(' ')).args(["-c", &script]);
            let ran = Ran::of(command, "");
            assert!(ran.stdout.starts_with("status 1\0"), "{shell} {arguments}: {}", ran.stdout);
            let seen = variables(&ran);
            assert_eq!(
                seen,
                BTreeMap::from([("AWS_ACCESS_KEY_ID".to_owned(), "AKIAOLD".to_owned())]),
                "{shell} {arguments}"
            );
            // A script that stops at the first failure stops here.
            let ran = home.shell(shell, &format!("set -e\n{line} </dev/null\necho went on"));
            assert_eq!(ran.stdout, "", "{shell} {arguments}");
        }
    }
}

#[test]
fn a_failure_is_a_failure_of_fishs_source() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    for arguments in ["-p nobody", "--no-such-option", "-p msgcxp -d 1"] {
        let ran = home.shell("fish --no-config", &format!("awsmfa env {arguments} | source; and echo went on"));
        assert_eq!(ran.stdout, "", "{arguments}");
    }
}

#[test]
fn a_read_only_variable_in_the_way_fails_before_anything_is_changed() {
    for (shell, line) in posix_shells() {
        for name in ["AWS_SECRET_ACCESS_KEY", "AWSMFA_SESSION", "AWS_PROFILE"] {
            let sandbox = Sandbox::start(World::default());
            let home = Home::new(&sandbox);
            let line = line.replace("ARGUMENTS", &format!("-q -p msgcxp -t {}", sandbox.code(DEVICE)));
            let ran = home.shell(shell, &format!("readonly {name}=mine\n{line} && echo went on\nenv -0"));
            assert_eq!(variables(&ran), BTreeMap::new(), "{shell} {name}: {}", ran.stderr);
            assert!(!ran.stdout.contains("went on"), "{shell} {name}");
            assert!(ran.stderr.contains(name), "{shell} {name}: {}", ran.stderr);
        }
    }
}

#[test]
fn a_universal_variable_of_fish_stays_and_is_named() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let line = format!("awsmfa env -p msgcxp -t {} 2>/dev/null | source", sandbox.code(DEVICE));
    let ran = home.shell(
        "fish",
        &format!("set -U AWS_PROFILE mine\n{line}\necho status $status\nset -q -U AWS_PROFILE; and echo kept"),
    );
    ran.status(0).stdout("status 0\nkept\n").stderr(
        "awsmfa: warning: the universal variable AWS_PROFILE is yours and stays, but outranks the session; \
         to erase it: set -e -U AWS_PROFILE\n",
    );
}

#[test]
fn notes_go_to_standard_error_and_quiet_leaves_them_out() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let ran = home.awsmfa(["env", "-s", "bash", "-p", "msgcxp", "-d", "1h", "-t", &sandbox.code(DEVICE)]);
    let (first, second) = ran.status(0).stderr.split_once('\n').expect("two lines");
    assert_eq!(first, "awsmfa: profile msgcxp, account 123456789012, MFA device arn:aws:iam::123456789012:mfa/miket92");
    assert!(second.starts_with("awsmfa: expires 20") && second.ends_with("Z, in 1h\n"), "{second}");
    home.awsmfa(["env", "-q", "-s", "bash", "-p", "msgcxp", "-t", &sandbox.code(DEVICE)]).status(0).stderr("");
}

#[test]
fn help_and_version_never_reach_a_shell_that_evaluates() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    for arguments in [&["--help"][..], &["env", "--help"], &["env", "-h"], &["exec", "--help"], &["--version"]] {
        let ran = home.awsmfa(arguments.iter().copied());
        ran.status(0).stdout("");
        assert!(ran.stderr.contains("awsmfa"), "{arguments:?}");
    }
}

#[test]
fn a_dry_run_prints_the_plan_for_people_and_asks_nobody() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    home.awsmfa(["env", "-p", "partner", "--dry-run"]).status(0).stdout("").stderr(
        "profile  partner\n\
         keys     AKIAIOSFODNN7EXAMPLE of profile msgcxp\n\
         device   arn:aws:iam::123456789012:mfa/miket92\n\
         region   eu-central-1\n\
         call     AssumeRole arn:aws:iam::210987654321:role/partner as awsmfa with external ID partner-4711 for 1h, \
         with a token code\n",
    );
    assert_eq!(sandbox.connections(), 0);
}

#[test]
fn the_block_for_cmd_sets_this_window_and_new_ones() {
    let sandbox = Sandbox::start(World { session_token_length: 1000, ..World::default() });
    let home = Home::new(&sandbox).env("AWS_PROFILE", "msgcxp");
    let ran = home.awsmfa(["env", "-s", "cmd", "-t", &sandbox.code(DEVICE)]);
    let lines: Vec<_> = ran.status(0).stdout.lines().collect();
    let id = lines[0].trim_end_matches('"').split_once('=').expect("a value").1;
    let issued = sandbox.issued(id).expect("an issued key");
    assert_eq!(
        lines[..6],
        [
            format!("SET \"AWS_ACCESS_KEY_ID={id}\""),
            format!("SETX AWS_ACCESS_KEY_ID \"{id}\""),
            format!("SET \"AWS_SECRET_ACCESS_KEY={}\"", issued.secret),
            format!("SETX AWS_SECRET_ACCESS_KEY \"{}\"", issued.secret),
            format!("SET \"AWS_SESSION_TOKEN={}\"", issued.session_token),
            format!("SETX AWS_SESSION_TOKEN \"{}\"", issued.session_token),
        ]
    );
    // What the person stored there themselves is cleared in this window alone.
    assert_eq!(
        lines[lines.len() - 4..],
        ["SET \"AWS_PROFILE=\"", "SET \"AWS_DEFAULT_PROFILE=\"", "SET \"AWS_SECURITY_TOKEN=\"", "cmd /c exit 0",]
    );
    let notes: Vec<_> = ran.stderr.lines().skip(2).collect();
    assert_eq!(
        notes,
        [
            "awsmfa: SETX stores these values in the registry (HKCU\\Environment) for new windows; to remove them: \
         for /f \"delims=\" %i in ('awsmfa env --unset --shell cmd') do @%i >NUL 2>&1",
            "awsmfa: AWS_PROFILE is cleared in this window; if you stored it with SETX, it outranks the session in new ones; \
         to remove it: REG DELETE HKCU\\Environment /F /V AWS_PROFILE",
        ]
    );
}

#[test]
fn a_value_that_setx_would_cut_is_refused_and_no_setx_is_the_way_out() {
    let sandbox = Sandbox::start(World { session_token_length: 1025, ..World::default() });
    let home = Home::new(&sandbox);
    let ran = home.awsmfa(["env", "-q", "-s", "cmd", "-p", "msgcxp", "-t", &sandbox.code(DEVICE)]);
    ran.status(1).stdout("cmd /c exit 1\n").stderr(
        "awsmfa: error: `AWS_SESSION_TOKEN` has 1025 characters, of which SETX would store 1024\n\
         hint: `--no-setx` sets the values for this window alone\n",
    );
    let ran = home.awsmfa(["env", "-q", "-s", "cmd", "--no-setx", "-p", "msgcxp", "-t", &sandbox.code(DEVICE)]);
    assert!(!ran.status(0).stdout.contains("SETX"), "{}", ran.stdout);
}

#[test]
fn unset_for_cmd_also_clears_what_setx_stored() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let names = [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_ACCOUNT_ID",
        "AWSMFA_PROFILE",
        "AWSMFA_SESSION",
    ];
    let both = names.map(|name| format!("SET \"{name}=\"\nREG DELETE HKCU\\Environment /F /V {name}\n")).concat();
    home.awsmfa(["env", "--unset", "-s", "cmd"]).status(0).stdout(&format!("{both}cmd /c exit 0\n")).stderr("");
    let window = names.map(|name| format!("SET \"{name}=\"\n")).concat();
    home.awsmfa(["env", "--unset", "-s", "cmd", "--no-setx"]).status(0).stdout(&format!("{window}cmd /c exit 0\n"));
}

#[test]
fn the_block_for_powershell_sets_and_removes_one_variable_a_line() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let ran = home.awsmfa(["env", "-q", "-s", "powershell", "-p", "readonly"]);
    let lines: Vec<_> = ran.status(0).stdout.lines().collect();
    let id =
        lines[0].strip_prefix("$env:AWS_ACCESS_KEY_ID = '").and_then(|rest| rest.strip_suffix('\'')).expect("an id");
    let issued = sandbox.issued(id).expect("an issued key");
    assert_eq!(lines[1], format!("$env:AWS_SECRET_ACCESS_KEY = '{}'", issued.secret));
    assert_eq!(lines[2], format!("$env:AWS_SESSION_TOKEN = '{}'", issued.session_token));
    assert_eq!(
        lines[lines.len() - 3..],
        [
            "Remove-Item -LiteralPath Env:AWS_PROFILE -ErrorAction SilentlyContinue",
            "Remove-Item -LiteralPath Env:AWS_DEFAULT_PROFILE -ErrorAction SilentlyContinue",
            "Remove-Item -LiteralPath Env:AWS_SECURITY_TOKEN -ErrorAction SilentlyContinue",
        ]
    );
}
