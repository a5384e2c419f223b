//! The shell integration: `awsmfa use` and `awsmfa off`, in real shells as strict as they can be made.

use std::collections::BTreeMap;

use crate::run::{DEVICE, Home, Ran};
use crate::screen::Screen;
use crate::server::{Sandbox, World};

/// Each shell with its name for `init`, the line that loads it, and what makes it strict. The integration is loaded twice, over
/// an alias of its own name and among aliases that are named like the commands it uses.
const SHELLS: [(&str, &str, &str, &str); 5] = [
    ("bash", "bash", POSIX, "shopt -s expand_aliases; set -euo pipefail -a"),
    ("zsh -f", "zsh", POSIX, ODD_ZSH),
    ("dash", "sh", POSIX, "set -eua"),
    ("sh", "sh", POSIX, "set -eua"),
    ("fish --no-config", "fish", FISH, ""),
];

const POSIX: &str = r#"
for name in awsmfa builtin command compdef complete declare emulate eval export local return set shift unalias unset; do
    alias "$name=echo aliased $name; false"
done
\eval "$(\command awsmfa init SHELL)"
\eval "$(\command awsmfa init SHELL)"
\unalias eval export set unset
"#;

const FISH: &str = "
function source
    echo replaced
end
command awsmfa init SHELL | builtin source
command awsmfa init SHELL | builtin source
";

const ODD_ZSH: &str = "setopt all_export bsd_echo csh_junkie_loops csh_null_glob err_exit err_return extended_glob glob_subst \
     ignore_braces ignore_close_braces ksh_arrays ksh_glob no_bare_glob_qual no_eval_lineno no_function_argzero no_glob \
     no_multi_func_def no_short_loops no_unset pipe_fail posix_aliases posix_builtins posix_identifiers rc_quotes \
     sh_word_split warn_create_global warn_nested_var";

/// Runs the script in the shell, strict and with the integration loaded.
fn run(home: &Home, (shell, name, load, strict): (&str, &str, &str, &str), script: &str) -> Ran {
    home.shell(shell, &format!("{strict}\n{}\n{script}", load.replace("SHELL", name)))
}

/// What children saw, one for each `$SEEN` of the script.
const SEEN: &str = "env -0; echo @@";

fn seen(ran: &Ran) -> Vec<BTreeMap<String, String>> {
    let ours = |name: &str| name.starts_with("AWS") && !["AWS_ENDPOINT_URL", "AWSMFA_TOKEN_CODE"].contains(&name);
    let variables = |part: &str| {
        let pairs = part.split('\0').filter_map(|record| record.split_once('='));
        // Other output may stand before the first one.
        let pairs = pairs.map(|(name, value)| (name.rsplit('\n').next().unwrap_or(name), value));
        pairs.filter(|(name, _)| ours(name)).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    let mut parts: Vec<_> = ran.stdout.split("@@\n").collect();
    assert_eq!(parts.pop(), Some(""), "{}{}", ran.stdout, ran.stderr);
    parts.into_iter().map(variables).collect()
}

fn own(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn use_brings_a_session_and_off_gives_back_what_stood_there() {
    for shell in SHELLS {
        let sandbox = Sandbox::start(World::default());
        let home = Home::new(&sandbox)
            .env("AWSMFA_TOKEN_CODE", &sandbox.code(DEVICE))
            .env("AWS_PROFILE", "100% mine")
            .env("AWS_REGION", "us-west-2");
        let script = format!(
            "awsmfa use -q msgcxp\n{SEEN}\nawsmfa use readonly --region us-east-1 -q\n{SEEN}\nawsmfa off\n{SEEN}\nawsmfa off"
        );
        let ran = run(&home, shell, &script);
        ran.status(0).stderr("");
        let [first, second, third] = &seen(&ran)[..] else { panic!("{}", ran.stdout) };
        for (held, profile, region) in [(first, "msgcxp", "us-west-2"), (second, "readonly", "us-east-1")] {
            let issued = sandbox.issued(&held["AWS_ACCESS_KEY_ID"]).expect("issued keys");
            assert_eq!(held["AWS_SECRET_ACCESS_KEY"], issued.secret, "{shell:?}");
            assert_eq!(held["AWS_SESSION_TOKEN"], issued.session_token, "{shell:?}");
            assert_eq!(held["AWSMFA_PROFILE"], profile, "{shell:?}");
            assert_eq!(held["AWS_REGION"], region, "{shell:?}");
            assert_eq!(held.get("AWS_PROFILE"), None, "{shell:?}");
        }
        assert_eq!(*third, own(&[("AWS_PROFILE", "100% mine"), ("AWS_REGION", "us-west-2")]), "{shell:?}");
    }
}

#[test]
fn off_leaves_alone_what_was_changed_since() {
    for shell in SHELLS {
        let sandbox = Sandbox::start(World::default());
        let home = Home::new(&sandbox)
            .env("AWS_PROFILE", "before")
            .env("AWS_REGION", "us-west-2")
            .env("AWS_DEFAULT_REGION", "us-west-2");
        let (set, unset) = match shell.1 {
            "fish" => ("set -gx AWS_PROFILE since; set -gx AWS_REGION eu-north-1", "set -e AWS_DEFAULT_REGION"),
            _ => ("AWS_PROFILE=since AWS_REGION=eu-north-1; export AWS_PROFILE AWS_REGION", "unset AWS_DEFAULT_REGION"),
        };
        let script = format!("awsmfa use -q --region us-east-1 readonly\n{set}\n{unset}\nawsmfa off\n{SEEN}");
        let ran = run(&home, shell, &script);
        ran.status(0).stderr("");
        assert_eq!(seen(&ran), [own(&[("AWS_PROFILE", "since"), ("AWS_REGION", "eu-north-1")])], "{shell:?}");
    }
}

#[test]
fn a_dash_goes_back_to_the_profile_before_and_no_name_renews() {
    for shell in SHELLS {
        let sandbox = Sandbox::start(World::default());
        let home = Home::new(&sandbox).env("AWSMFA_TOKEN_CODE", &sandbox.code(DEVICE)).env("AWS_PROFILE", "msgcxp");
        let steps = ["use -q readonly", "use -q", "use -q -"];
        let steps = steps.map(|step| format!("awsmfa {step}\nawsmfa exec -q -- sh -c 'echo $AWSMFA_PROFILE'"));
        let ran = run(&home, shell, &steps.join("\n"));
        ran.status(0).stdout("readonly\nreadonly\nmsgcxp\n").stderr("");
        let before = run(&home, shell, "awsmfa use -q readonly; awsmfa off; awsmfa use - || echo refused $AWS_PROFILE");
        before.status(0).stdout("refused msgcxp\n");
        assert_eq!(before.stderr, "awsmfa: error: no profile was used before this one\n");
    }
}

#[test]
fn a_failure_is_the_functions_own_and_changes_nothing() {
    for shell in SHELLS {
        let sandbox = Sandbox::start(World::default());
        let home = Home::new(&sandbox).env("AWS_PROFILE", "mine").env("AWS_ACCESS_KEY_ID", "AKIAOLD");
        let status = if shell.1 == "fish" { "$status" } else { "$?" };
        for (line, code) in [
            (format!("awsmfa use -t {} msgcxp", sandbox.wrong_code(DEVICE)), 1),
            ("awsmfa use nobody".to_owned(), 1),
            ("awsmfa use --no-such-option".to_owned(), 2),
            ("awsmfa off too much".to_owned(), 2),
            ("awsmfa exec -p readonly -- sh -c 'exit 7'".to_owned(), 7),
            ("awsmfa env -p nobody >/dev/null".to_owned(), 1),
            ("awsmfa >/dev/null".to_owned(), 2),
        ] {
            let ran = run(&home, shell, &format!("{line} 2>/dev/null || echo {status}\n{SEEN}"));
            let (printed, _) = ran.status(0).stderr("").stdout.split_once('\n').expect("a line");
            assert_eq!(printed, code.to_string(), "{shell:?}: {line}");
            let variables = own(&[("AWS_PROFILE", "mine"), ("AWS_ACCESS_KEY_ID", "AKIAOLD")]);
            assert_eq!(seen(&ran), [variables], "{shell:?}: {line}");
        }
    }
}

#[test]
fn the_code_is_asked_for_on_the_terminal() {
    for (shell, name, load, strict) in SHELLS {
        let sandbox = Sandbox::start(World::default());
        let home = Home::new(&sandbox);
        let script = format!("{strict}\n{}\nawsmfa use carol\nenv | grep AWSMFA_PROFILE", load.replace("SHELL", name));
        let mut screen = Screen::script(&home, shell, &script);
        screen.wait_for("token code for profile carol");
        screen.type_in(&format!("{}\n", sandbox.code("GAHT12345678")));
        screen.wait_for("AWSMFA_PROFILE=carol");
        screen.mode_is_restored();
    }
}

#[test]
fn help_of_use_is_shown_and_evaluated_by_nobody() {
    for shell in SHELLS {
        let sandbox = Sandbox::start(World::default());
        let home = Home::new(&sandbox);
        let ran = run(&home, shell, "awsmfa use --help\nawsmfa use --dry-run readonly\nawsmfa --version");
        assert!(ran.status(0).stderr.contains("Usage: awsmfa use [OPTIONS] [PROFILE]"), "{shell:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("\nprofile  readonly\n"), "{shell:?}: {}", ran.stderr);
        assert_eq!(sandbox.connections(), 0);
    }
}

#[test]
fn a_trace_shows_no_value_and_goes_on_afterwards() {
    for shell in SHELLS {
        let sandbox = Sandbox::start(World::default());
        let home = Home::new(&sandbox);
        let trace = if shell.1 == "fish" { "set -g fish_trace 1" } else { "set -vx" };
        let ran =
            run(&home, shell, &format!("{trace}\nawsmfa use -q readonly\ntrue goes on\nenv -0; echo @@\nawsmfa off"));
        ran.status(0);
        let seen = seen(&ran);
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
            assert!(!ran.stderr.contains(&seen[0][name]), "{shell:?} {name}: {}", ran.stderr);
        }
        assert!(ran.stderr.contains("true goes on"), "{shell:?}: {}", ran.stderr);
    }
}

#[test]
fn nothing_of_it_stays_behind_in_the_shell() {
    for shell in SHELLS {
        let sandbox = Sandbox::start(World::default());
        let home = Home::new(&sandbox);
        let set = if shell.1 == "fish" { "set --long" } else { "set" };
        let ran = run(&home, shell, &format!("awsmfa use -q readonly\n{set}\nenv -0\necho @@"));
        ran.status(0).stderr("");
        let (_, environment) = ran.stdout.rsplit_once("AWS_SESSION_TOKEN=").expect("a token");
        let token = environment.split('\0').next().expect("a value");
        // The shell's own variable, and its child's.
        assert_eq!(ran.stdout.matches(token).count(), 2, "{shell:?}: {}", ran.stdout);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn no_shell_puts_anything_into_a_temporary_file() {
    for shell in SHELLS {
        let sandbox = Sandbox::start(World::default());
        let home = Home::new(&sandbox);
        let (program, name, load, strict) = shell;
        let script = format!("{strict}\n{}\nawsmfa use -q readonly\nawsmfa off", load.replace("SHELL", name));
        let mut command = home.command("strace");
        command.args(["-f", "-qq", "-e", "trace=open,openat,creat,mknod,mknodat,memfd_create", "-o", "trace"]);
        command.args(program.split(' ')).args(["-c", &script]);
        Ran::of(command, "").status(0);
        let trace = std::fs::read_to_string(home.path().join("trace")).expect("the trace");
        // fish looks for its universal variables.
        let written = trace.lines().filter(|line| {
            line.contains("O_CREAT")
                && !line.contains("\"/dev/null\"")
                && !line.contains("/.config/fish")
                && !line.contains("/.local/share/fish")
                || line.contains("mknod")
                || line.contains("memfd")
        });
        assert_eq!(written.collect::<Vec<_>>(), [""; 0], "{program}");
    }
}

#[test]
fn without_the_function_use_and_off_say_how_to_load_it() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    for (shell, line) in [
        ("bash", "eval \"$(awsmfa init bash)\""),
        ("zsh -f", "eval \"$(awsmfa init zsh)\""),
        ("fish --no-config", "awsmfa init fish | source"),
    ] {
        for command in ["use", "off"] {
            let ran = home.shell(shell, &format!("awsmfa {command}; true"));
            ran.status(0).stdout("false\n").stderr(&format!(
                "awsmfa: error: `awsmfa {command}` changes your shell, so it has to be a function there: put `{line}` into the \
                 file that your shell reads when it starts\n"
            ));
        }
    }
}

#[test]
fn an_init_that_fails_fails_the_shell_that_evaluates_it() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    for line in ["awsmfa init", "awsmfa init nosuchshell", "awsmfa completions sh"] {
        let ran = home.shell("bash", &format!("eval \"$({line} 2>/dev/null)\" || echo failed"));
        ran.status(0).stdout("failed\n").stderr("");
    }
}

#[test]
fn the_line_for_cmd_defines_a_macro() {
    let sandbox = Sandbox::start(World::default());
    let ran = Home::new(&sandbox).awsmfa(["init", "cmd"]);
    let [remark, macro_] = &ran.status(0).stderr("").stdout.lines().collect::<Vec<_>>()[..] else {
        panic!("{}", ran.stdout)
    };
    assert!(remark.starts_with("rem ") && !remark.contains(['>', '<', '|', '&']), "{remark}");
    assert!(macro_.starts_with("doskey awsmfa=if \"$1\"==\"use\" ("), "{macro_}");
}

#[test]
fn a_shell_without_integration_is_told_the_line_that_works_there() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    for (shell, line, failure) in [
        ("nushell", "awsmfa env -p PROFILE | from json | default {} | load-env", "false\n"),
        ("tcsh", "eval \"`awsmfa env -p PROFILE`\"", "false\n"),
    ] {
        home.awsmfa(["init", shell]).status(1).stdout(failure).stderr(&format!(
            "awsmfa: error: there is no `awsmfa use` for {shell} yet\nhint: a session comes into it by {line}\n"
        ));
    }
}
