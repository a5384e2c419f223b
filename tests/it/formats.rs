//! `awsmfa env` in every shell that can be had here, and `--format`.

use std::collections::BTreeMap;
use std::fs;

use crate::run::{DEVICE, Home, nu};
use crate::server::{Issued, Sandbox, World};

/// Each shell, the name that `--shell` has for it, and the line that applies what `awsmfa env` prints, as the help text has
/// it.
fn shells() -> Vec<(String, &'static str, &'static str)> {
    let posix = "eval \"$(awsmfa env ARGUMENTS)\"";
    [
        ("bash --norc", "bash", posix),
        ("zsh -f", "zsh", posix),
        ("dash", "sh", posix),
        ("ksh", "sh", posix),
        ("mksh", "sh", posix),
        ("yash", "sh", posix),
        ("busybox ash", "sh", posix),
        ("fish --no-config", "fish", "awsmfa env ARGUMENTS | source"),
        ("elvish -norc", "elvish", "eval (awsmfa env ARGUMENTS | slurp)"),
        ("tcsh -f", "tcsh", "eval \"`awsmfa env ARGUMENTS`\""),
        ("xonsh --no-rc", "xonsh", "execx($(awsmfa env ARGUMENTS))"),
        (&format!("{} --no-config-file", nu()), "nushell", "awsmfa env ARGUMENTS | from json | default {} | load-env"),
    ]
    .map(|(shell, name, line)| (shell.to_owned(), name, line))
    .into()
}

/// The variables of awsmfa that a child of the shell sees after these lines, each with its arguments for `awsmfa env`; told
/// after each of them.
#[track_caller]
fn after_each(home: &Home, shell: &str, line: &str, arguments: &[&str]) -> Vec<BTreeMap<String, String>> {
    // env writes the variable of its own command line last.
    let step = |arguments: &&str| line.replace("ARGUMENTS", arguments) + "\n/usr/bin/env -0 END=.\n";
    let ran = home.shell(shell, &arguments.iter().map(step).collect::<String>());
    ran.status(0).stderr("");
    let ours = |name: &str| name.starts_with("AWS") && name != "AWS_ENDPOINT_URL";
    let variables = |listing: &str| {
        let pairs = listing.split('\0').filter_map(|line| line.split_once('='));
        pairs.filter(|(name, _)| ours(name)).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    let seen: Vec<_> = ran.stdout.split_terminator("END=.\0").map(variables).collect();
    assert_eq!(seen.len(), arguments.len(), "{shell}: {}", ran.stdout);
    seen
}

/// The session of these variables, as the sandbox issued it.
#[track_caller]
fn issued(sandbox: &Sandbox, id: &str) -> Issued {
    sandbox.issued(id).unwrap_or_else(|| panic!("`{id}` was issued by nobody"))
}

#[test]
fn two_profiles_come_and_go_in_every_shell() {
    for (shell, _, line) in shells() {
        let sandbox = Sandbox::start(World { session_token_length: 3000, ..World::default() });
        let home = Home::new(&sandbox).env("AWS_PROFILE", "nobody").env("AWS_SECURITY_TOKEN", "stale");
        let first = format!("-q -p msgcxp -t {}", sandbox.code(DEVICE));
        let seen = after_each(&home, &shell, line, &[&first, "-q -p readonly", "-q --unset", "-q --unset"]);
        for (variables, profile) in seen.iter().zip(["msgcxp", "readonly"]) {
            let issued = issued(&sandbox, &variables["AWS_ACCESS_KEY_ID"]);
            assert_eq!(variables["AWS_SECRET_ACCESS_KEY"], issued.secret, "{shell}");
            assert_eq!(variables["AWS_SESSION_TOKEN"], issued.session_token, "{shell}");
            assert_eq!(variables["AWSMFA_PROFILE"], profile, "{shell}");
            assert_eq!(variables["AWS_REGION"], "eu-central-1", "{shell}");
            for name in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN"] {
                assert!(!variables.contains_key(name), "{shell}: {name}");
            }
        }
        assert_eq!(seen[2..], [BTreeMap::new(), BTreeMap::new()], "{shell}");
    }
}

#[test]
fn a_failure_stops_every_shell_before_the_next_command() {
    for (shell, _, line) in shells() {
        let sandbox = Sandbox::start(World::default());
        let home = Home::new(&sandbox);
        // In the others the failure is an exception, and ends the script.
        let and = match shell.split(' ').next() {
            Some("elvish" | "xonsh") => "\n",
            Some(program) if program.ends_with("nu") => "\n",
            Some("fish") => "; and ",
            _ => " && ",
        };
        for arguments in ["-p nobody", "-p msgcxp -d 1", "--no-such-option"] {
            let ran = home.shell(&shell, &format!("{}{and}echo terraform apply", line.replace("ARGUMENTS", arguments)));
            assert_eq!(ran.stdout, "", "{shell} {arguments}");
            assert_ne!(ran.status, Some(0), "{shell} {arguments}");
            assert!(ran.stderr.contains("awsmfa"), "{shell} {arguments}: {}", ran.stderr);
        }
    }
}

#[test]
fn every_shell_is_found_by_its_process() {
    for (shell, name, _) in shells() {
        let sandbox = Sandbox::start(World::default());
        let home = Home::new(&sandbox).env("SHELL", "/bin/false");
        // The first of two, since for the last one a shell may give up its process.
        let found = home.shell(&shell, "awsmfa env --unset\nawsmfa env --unset");
        let block = home.awsmfa(["env", "--unset", "-s", name]).stdout;
        found.status(0).stdout(&block.repeat(2));
    }
}

#[test]
fn a_session_comes_as_a_document_with_the_region_that_is_in_force() {
    let print = |format: &[&str]| {
        // One of its own, since a code works once.
        let sandbox = Sandbox::start(World::default());
        let home = Home::new(&sandbox).env("AWS_REGION", "us-west-2");
        let code = sandbox.code(DEVICE);
        let ran = home.awsmfa([&["env", "-q", "-p", "msgcxp", "-t", &code], format].concat());
        ran.status(0).stderr("");
        let id = ran.stdout.split(['"', ' ', '=', '\n']).find(|word| word.starts_with("ASIA")).expect("a key");
        (issued(&sandbox, id), id.to_owned(), ran.stdout.clone())
    };
    let expires = |issued: &Issued| {
        let moment = aws_smithy_types::DateTime::from_secs(issued.expires);
        moment.fmt(aws_smithy_types::date_time::Format::DateTime).expect("a date")
    };

    let (issued, id, json) = print(&["--format", "json"]);
    let (secret, token, expiration) = (&issued.secret, &issued.session_token, expires(&issued));
    assert_eq!(
        json,
        format!(
            "{{\"Version\":1,\"AccessKeyId\":\"{id}\",\"SecretAccessKey\":\"{secret}\",\"SessionToken\":\"{token}\",\
             \"Expiration\":\"{expiration}\",\"AccountId\":\"123456789012\"}}\n"
        )
    );

    for (option, section) in [(&["--format", "ini"][..], "msgcxp-sts"), (&["--format=ini", "--section=a/b"], "a/b")] {
        let (issued, id, ini) = print(option);
        let (secret, token) = (&issued.secret, &issued.session_token);
        assert_eq!(
            ini,
            format!(
                "[{section}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\naws_session_token = {token}\n\
                 region = us-west-2\n"
            )
        );
    }

    let (issued, id, env_file) = print(&["--format", "env-file"]);
    let (secret, token, expiration) = (&issued.secret, &issued.session_token, expires(&issued));
    assert_eq!(
        env_file,
        format!(
            "AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\nAWS_SESSION_TOKEN={token}\n\
             AWS_CREDENTIAL_EXPIRATION={expiration}\nAWS_ACCOUNT_ID=123456789012\nAWS_REGION=us-west-2\n\
             AWS_DEFAULT_REGION=us-west-2\nAWSMFA_PROFILE=msgcxp\nAWSMFA_SESSION=v=1 key={id} kind=user \
             source-key=AKIAIOSFODNN7EXAMPLE device={DEVICE} account=123456789012 region=us-west-2 \
             default-region=us-west-2\n"
        )
    );
}

#[test]
fn a_pasted_section_is_read_back_by_the_sdk() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let section = home.awsmfa(["env", "-q", "-p", "msgcxp", "-t", &sandbox.code(DEVICE), "--format", "ini"]);
    let credentials = fs::read_to_string(home.aws_file("credentials")).expect("a file");
    fs::write(home.aws_file("credentials"), format!("{credentials}\n{}", section.status(0).stdout)).expect("a file");
    let role = "arn:aws:iam::123456789012:role/readonly";
    let ran = home.awsmfa(["env", "-q", "-s", "sh", "-p", "msgcxp-sts", "--role-arn", role]);
    ran.status(0).stderr("");
    let signer = sandbox.calls().pop().and_then(|call| call.access_key_id).expect("a signed call");
    assert!(section.stdout.contains(&format!("aws_access_key_id = {signer}\n")), "{signer}: {}", section.stdout);
}

#[test]
fn a_format_that_fails_prints_nothing_and_asks_nobody() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let ran = |arguments: &str| {
        let ran = home.awsmfa(["env"].into_iter().chain(arguments.split(' ')));
        assert_eq!(ran.stdout, "", "{arguments}");
        assert_eq!(sandbox.connections(), 0, "{arguments}");
        ran
    };
    ran("--format json -p nobody").status(1);
    ran("--format ini -p msgcxp -t 123").status(1);
    ran("--format=env-file --no-such-option").status(2);
    ran("--format yaml").status(2);
    for other in ["-s bash", "--unset", "--no-setx"] {
        ran(&format!("--format json {other}")).status(2);
    }
    let unknown = "awsmfa: error: `--section` is `a[b`, which AWS's SDKs would pass over: they know letters, digits and `_-/.%@:+`\n";
    ran("-p msgcxp --format ini --section a[b").status(1).stderr(unknown);
    ran("-p msgcxp --format json --section a").status(1).stderr("awsmfa: error: `--section` is for `--format ini`\n");
    let alone = home.awsmfa(["env", "-s", "bash", "--section", "a"]);
    alone.status(1).stdout("false\n");
}
