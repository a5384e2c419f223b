//! The README's examples, run as they stand there.

use std::fs;
use std::path::Path;

use crate::run::{DEVICE, Home, Ran};
use crate::server::{Sandbox, World};

const CODE: &str = "AWSMFA_TOKEN_CODE";

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("the README")
}

/// The text of all code blocks of that language.
pub(crate) fn blocks(language: &str) -> Vec<String> {
    let readme = readme();
    let fence = format!("```{language}\n");
    let block = |rest: &str| rest.split_once("```").map(|(block, _)| block.to_owned());
    readme.split(&fence).skip(1).filter_map(block).collect()
}

/// A home with the README's own two files, and stand-ins for the programs that its examples run.
fn home(sandbox: &Sandbox) -> Home {
    let files = blocks("ini").concat();
    let (credentials, config) = files.split_once("# ~/.aws/config\n").expect("both files");
    let home = Home::with_files(sandbox, config, credentials);
    let bin = home.path().join("bin");
    fs::create_dir(&bin).expect("a directory");
    for name in ["aws", "terraform"] {
        let script = "#!/bin/sh\necho \"$(basename \"$0\") $* as $AWSMFA_PROFILE\"\n";
        fs::write(bin.join(name), script).expect("a program");
        let mut mode = fs::metadata(bin.join(name)).expect("a program").permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o755);
        fs::set_permissions(bin.join(name), mode).expect("an executable program");
    }
    let path = format!("{}:{}", bin.display(), home.variable("PATH"));
    home.env("PATH", &path).env("SHELL", "/bin/sh")
}

/// What a line of the README prints in a shell, with a fresh code wherever one is asked for or written.
#[track_caller]
fn run(shell: &str, line: &str, after: &str) -> String {
    let sandbox = Sandbox::start(World::default());
    let code = sandbox.code(DEVICE);
    let mut home = home(&sandbox);
    if !line.contains("123456") {
        home = home.env(CODE, &code);
    }
    let mut command = home.command(shell);
    command.args(["-c", &format!("{}\n{after}", line.replace("123456", &code))]);
    let ran = Ran::of(command, "echo a shell as $AWSMFA_PROFILE");
    ran.status(0);
    ran.stdout
}

#[test]
fn every_line_for_a_posix_shell_does_what_it_says() {
    let lines: Vec<_> = blocks("bash").concat().lines().map(str::to_owned).collect();
    let expected = [
        ("eval \"$(awsmfa env -p msgcxp)\"", ""),
        ("awsmfa exec -- terraform plan", "terraform plan as msgcxp\n"),
        ("eval \"$(awsmfa env -p msgcxp)\" && terraform apply", "terraform apply as msgcxp\n"),
        ("PS1='", ""),
        ("awsmfa exec -p deploy -- aws s3 ls", "aws s3 ls as deploy\n"),
        ("awsmfa exec -- terraform plan", "terraform plan as msgcxp\n"),
        ("awsmfa exec -p deploy", "a shell as deploy\n"),
        ("awsmfa exec -p msgcxp -t 123456 -- aws s3 ls", "aws s3 ls as msgcxp\n"),
        ("echo 123456 | awsmfa exec -p msgcxp -t - -- aws s3 ls", "aws s3 ls as msgcxp\n"),
        ("AWSMFA_TOKEN_CODE=123456 awsmfa exec -p msgcxp -- aws s3 ls", "aws s3 ls as msgcxp\n"),
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, (command, output)) in lines.iter().zip(expected) {
        assert!(line.starts_with(command), "{line}");
        for shell in ["bash", "zsh", "dash"] {
            // The lines that name no profile are for a shell that holds a session.
            let session = if command == "awsmfa exec -- terraform plan" { "export AWS_PROFILE=msgcxp; " } else { "" };
            assert_eq!(run(shell, &format!("{session}{line}"), ""), output, "{shell}: {line}");
        }
    }
}

#[test]
fn the_lines_of_the_table_apply_a_session_and_take_it_away() {
    let readme = readme();
    let row = |name: &str| {
        let row = readme.lines().find(|line| line.starts_with(&format!("| {name} |"))).expect("a row");
        let row = row.replace("\\|", "PIPE");
        let cells: Vec<_> = row.split('|').map(|cell| cell.trim().trim_matches('`').replace("PIPE", "|")).collect();
        (cells[2].clone(), cells[3].clone())
    };
    let nu = crate::run::nu();
    for (name, shells) in [
        ("bash, zsh, sh", &["bash", "zsh", "sh"][..]),
        ("fish", &["fish"]),
        ("nushell", &[&nu]),
        ("elvish", &["elvish"]),
        ("tcsh", &["tcsh"]),
        ("xonsh", &["xonsh"]),
    ] {
        let (apply, take_away) = row(name);
        for shell in shells {
            let shown = "sh -c 'echo \"$AWSMFA_PROFILE\"'";
            assert_eq!(run(shell, &apply, shown), "msgcxp\n", "{shell}");
            let both = format!("{apply}\n{take_away}");
            assert_eq!(run(shell, &both, "sh -c 'echo \"$AWSMFA_PROFILE$AWS_ACCESS_KEY_ID\"'"), "\n", "{shell}");
        }
    }
    // The lines that no shell here can run are the ones that `--help` gives.
    let sandbox = Sandbox::start(World::default());
    let help = home(&sandbox).awsmfa(["env", "--help"]).stderr.replace("PROFILE", "msgcxp");
    for name in ["bash, zsh, sh", "fish", "PowerShell", "cmd", "nushell", "elvish", "tcsh", "xonsh"] {
        let (apply, _) = row(name);
        assert!(help.contains(&apply), "{apply}");
    }
}

#[test]
fn the_shell_integration_is_loaded_by_its_line_and_does_what_it_says() {
    let readme = readme();
    let line = |name: &str| {
        let rows = readme.lines().filter(|line| line.starts_with(&format!("| {name} |")));
        let row = rows.map(|row| row.replace("\\|", "PIPE")).find(|row| row.contains("awsmfa init")).expect("a row");
        row.split('|').nth(3).expect("a line").trim().trim_matches('`').replace("PIPE", "|")
    };
    let lines = blocks("sh").concat();
    assert_eq!(lines.lines().count(), 4);
    for (shell, name) in [("bash", "bash"), ("zsh", "zsh"), ("dash", "sh"), ("fish", "fish")] {
        let sandbox = Sandbox::start(World::default());
        let mut script = line(name);
        for line in lines.lines() {
            let code = if line.starts_with("awsmfa off") { String::new() } else { sandbox.code(DEVICE) };
            let code =
                if name == "fish" { format!("set -gx {CODE} '{code}'") } else { format!("export {CODE}={code}") };
            script = format!("{script}\n{code}\n{line}\necho \"as $AWSMFA_PROFILE with $AWS_PROFILE\"");
        }
        let home = home(&sandbox).env("AWS_PROFILE", "mine");
        let ran = home.shell(shell, &script);
        ran.status(0).stdout("as msgcxp with \nas deploy with \nas msgcxp with \nas  with mine\n");
    }
    // As `--help` says it.
    let sandbox = Sandbox::start(World::default());
    let help = home(&sandbox).awsmfa(["init", "--help"]).stderr;
    for name in ["bash", "zsh", "sh", "fish", "PowerShell", "cmd"] {
        assert!(help.contains(&line(name)), "{name}");
    }
}

#[test]
fn the_sandbox_of_the_readme_shows_the_main_job() {
    // Proxies lead away from this machine: nothing must follow them.
    let cargo = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO"));
        command.args(["run", "--quiet", "--locked", "--example", "sandbox"]).args(arguments);
        for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            command.env(name, "http://127.0.0.1:9");
        }
        command.env("AWS_PROFILE", "elsewhere").env("SHELL", "/bin/sh").current_dir(env!("CARGO_MANIFEST_DIR"));
        command
    };
    let tour = Ran::of(cargo(&[]), "");
    tour.status(0);
    for shown in [
        "\n[profile msgcxp]\n",
        "\nexport AWS_SESSION_TOKEN='",
        "\narn:aws:iam::123456789012:user/miket92\n",
        "\narn:aws:sts::123456789012:assumed-role/deploy/awsmfa\n",
    ] {
        assert!(tour.stdout.contains(shown), "{shown:?} in {}", tour.stdout);
    }
    let mut one = std::process::Command::new("setsid");
    let inner = cargo(&["--", "env", "-p", "msgcxp", "-s", "fish"]);
    one.arg("--wait").arg(inner.get_program()).args(inner.get_args()).current_dir(env!("CARGO_MANIFEST_DIR"));
    let one = Ran::of(one, "");
    assert!(one.status(0).stdout.starts_with("set -gx AWS_ACCESS_KEY_ID 'ASIA"), "{}", one.stdout);
    let script = "awsmfa exec -p msgcxp -t \"$(sandbox code)\" -- sandbox whoami; exit 3";
    let shell = Ran::of(cargo(&["--", "shell"]), script);
    assert!(shell.status(3).stdout.ends_with("\narn:aws:iam::123456789012:user/miket92\n"), "{}", shell.stdout);
}

#[test]
fn the_readmes_installation_is_part_of_the_tests() {
    let line = "cargo install --locked --path .";
    assert!(readme().contains(&format!("\n    {line}\n")));
    let run = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/run")).expect("the test command");
    assert!(run.contains(line));
}
