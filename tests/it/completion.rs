//! Completion, asked for with TAB in real shells on real terminals.

use crate::run::Home;
use crate::screen::Screen;
use crate::server::{Sandbox, World};

/// Profiles whose names hold what cuts a word into pieces in bash, or means something to one of the shells.
const CONFIG: &str = "\
[profile a@b:c/x+1]
region = eu-central-1
[profile a@b:d/50%]
mfa_serial = arn:aws:iam::123456789012:mfa/miket92
[profile deploy:prod]
role_arn = arn:aws:iam::210987654321:role/team/deploy
source_profile = a@b:d/50%
[profile deploy:test]
role_arn = arn:aws:iam::123456789012:role/deploy
source_profile = a@b:d/50%
";

/// How each shell is started, and told to print the words of a command line instead of running awsmfa: completion has to
/// ask the program, not this function.
const SHELLS: [(&str, &str, &str); 3] = [
    (
        "bash",
        "bash --norc --noprofile -i",
        r#"set -u; . /usr/share/bash-completion/bash_completion; eval "$(awsmfa init bash)"; awsmfa() { printf '<%s>' "$@"; echo; }; PS1='rea''dy '"#,
    ),
    (
        "zsh",
        "zsh -f -i",
        r#"autoload -Uz compinit; compinit -u -D; eval "$(awsmfa init zsh)"; awsmfa() { printf '<%s>' "$@"; echo; }; PS1='rea''dy '"#,
    ),
    (
        "fish",
        "fish --no-config -i",
        r"awsmfa init fish | source; function awsmfa; printf '<%s>' $argv; echo; end; function fish_prompt; echo 'rea''dy '; end",
    ),
];

/// The shell on a terminal, with the integration loaded.
#[track_caller]
fn interactive(home: &Home, shell: &str) -> Screen {
    let (_, command, load) = SHELLS.into_iter().find(|(name, ..)| *name == shell).expect("a shell");
    let mut screen = Screen::new(home, ["env", "TERM=xterm"].into_iter().chain(command.split(' ')));
    screen.type_in(&format!("{load}\n"));
    screen.wait_for("ready ");
    screen
}

/// The words of the command line after each line was typed, every `TAB` in it as the key.
#[track_caller]
fn typed<'a>(home: &Home, shell: &str, lines: impl IntoIterator<Item = (&'a str, &'a str)>) {
    let mut screen = interactive(home, shell);
    for (line, expected) in lines {
        screen.type_in(&format!("{}\n", line.replace("TAB", "\t")));
        screen.wait_for(expected);
    }
}

fn home(sandbox: &Sandbox) -> Home {
    Home::with_files(sandbox, CONFIG, "[deploy:prod]\nregion = eu-central-1\n")
}

#[test]
fn names_with_characters_that_part_words_are_completed_whole() {
    let sandbox = Sandbox::start(World::default());
    for (shell, ..) in SHELLS {
        typed(
            &home(&sandbox),
            shell,
            [
                ("awsmfa use a@b:cTAB", "<use><a@b:c/x+1>"),
                ("awsmfa use a@b:c/TAB -q", "<use><a@b:c/x+1><-q>"),
                ("awsmfa use a@b:dTAB", "<use><a@b:d/50%>"),
                ("awsmfa use a@b:d/5TAB", "<use><a@b:d/50%>"),
                ("awsmfa env -p a@b:c/x+TAB", "<env><-p><a@b:c/x+1>"),
                ("awsmfa env --profile=a@b:dTAB", "<env><--profile=a@b:d/50%>"),
                ("awsmfa exec -q --profile deploy:pTAB", "<exec><-q><--profile><deploy:prod>"),
                // What several have in common.
                ("awsmfa use aTAB", "<use><a@b:>"),
            ],
        );
    }
}

#[test]
fn commands_options_and_their_values_are_completed() {
    let sandbox = Sandbox::start(World::default());
    for (shell, ..) in SHELLS {
        typed(
            &home(&sandbox),
            shell,
            [
                ("awsmfa exTAB", "<exec>"),
                ("awsmfa use --dryTAB", "<use><--dry-run>"),
                ("awsmfa env --shell fiTAB", "<env><--shell><fish>"),
                ("awsmfa env --shell=powTAB", "<env><--shell=powershell>"),
                ("awsmfa completions zTAB", "<completions><zsh>"),
            ],
        );
    }
}

#[test]
fn the_command_that_exec_runs_is_completed_as_if_it_stood_alone() {
    let sandbox = Sandbox::start(World::default());
    for (shell, ..) in SHELLS {
        typed(
            &home(&sandbox),
            shell,
            [
                ("awsmfa exec -- basenamTAB", "<exec><--><basename>"),
                ("awsmfa exec -p deploy:prod -- cat .aws/confTAB", "<cat><.aws/config>"),
                ("awsmfa exec -- awsmfa use a@b:dTAB", "<exec><--><awsmfa><use><a@b:d/50%>"),
            ],
        );
    }
}

#[test]
fn bash_completes_the_command_without_the_package_of_completions_too() {
    let sandbox = Sandbox::start(World::default());
    let lines = [
        ("unset -f _command_offset; awsmfa exec -- basenamTAB", "<exec><--><basename>"),
        ("awsmfa exec -- cat .aws/confTAB", "<cat><.aws/config>"),
    ];
    typed(&home(&sandbox), "bash", lines);
}

#[test]
fn a_profile_is_shown_with_its_role_and_account() {
    let sandbox = Sandbox::start(World::default());
    let home = home(&sandbox);
    for shell in ["zsh", "fish"] {
        for (word, description) in [
            ("deploy:", "role deploy, account 210987654321"),
            ("deploy:", "role deploy, account 123456789012"),
            ("a@b:", "account 123456789012"),
        ] {
            let mut screen = interactive(&home, shell);
            screen.type_in(&format!("awsmfa use {word}\t"));
            screen.wait_for(description);
        }
    }
}

#[test]
fn files_that_nobody_can_understand_complete_nothing_and_say_nothing() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::with_files(&sandbox, "[profile lost\nregion\n", "");
    home.awsmfa(["complete", "bash", "--word=", "--", "awsmfa", "use"]).status(0).stdout("").stderr("");
    for (shell, ..) in SHELLS {
        typed(&home, shell, [("awsmfa use TAB -q", "<use><-q>"), ("awsmfa env -p loTAB", "<env><-p><lo>")]);
    }
}
