//! The token code's prompt, on real terminals: what it shows, what it takes, and how it is left.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use rustix::process::{Pid, Signal, kill_process};

use crate::run::{DEVICE, Home};
use crate::screen::{Screen, died_of, eventually};
use crate::server::{At, Fault, Sandbox, World};

/// Each shell with the line that applies what `awsmfa env` prints, as the help text has it.
const SHELLS: [(&str, &str); 4] = [
    ("bash", r#"eval "$(awsmfa env ARGUMENTS)""#),
    ("zsh -f", r#"eval "$(awsmfa env ARGUMENTS)""#),
    ("dash", r#"eval "$(awsmfa env ARGUMENTS)""#),
    ("fish --no-config", "awsmfa env ARGUMENTS | source"),
];

/// A hardware token, which is known from the profile: nothing has to be asked of AWS before the code.
const TOKEN: &str = "GAHT12345678";

const PROMPT: &str =
    "token code for profile msgcxp, account 123456789012, device arn:aws:iam::123456789012:mfa/miket92: ";
const TOKEN_PROMPT: &str = "token code for profile carol, device GAHT12345678: ";
const REJECTED: &str = "AWS rejects the token code: it is wrong, expired, or used already (each code works once)";
const NEXT: &str = "hint: wait until the device shows the next code, and give that one";

/// The calls that carried a code, each with how it was answered.
fn codes(sandbox: &Sandbox) -> Vec<(String, Option<&'static str>)> {
    let calls = sandbox.calls().into_iter();
    calls.filter_map(|call| Some((call.parameters.get("TokenCode")?.clone(), call.error))).collect()
}

#[test]
fn the_code_is_asked_for_inside_every_shells_evaluation_and_not_shown() {
    for (shell, line) in SHELLS {
        let sandbox = Sandbox::start(World::default());
        let home = Home::new(&sandbox);
        let line = line.replace("ARGUMENTS", "-q -p msgcxp");
        let mut screen = Screen::script(&home, shell, &format!("{line}; env | grep ^AWS_ACCESS_KEY_ID="));
        screen.wait_for(PROMPT);
        assert!(!screen.echoes(), "{shell}");
        screen.type_in(&format!("{}\n", sandbox.code(DEVICE)));
        let (status, text) = screen.end();
        let id =
            text.strip_prefix(&format!("{PROMPT}\nAWS_ACCESS_KEY_ID=")).unwrap_or_else(|| panic!("{shell} {text:?}"));
        assert!(sandbox.issued(id.trim_end()).is_some(), "{shell} {id:?}");
        assert!(status.success(), "{shell} {status}");
        screen.mode_is_restored();
        assert!(screen.echoes(), "a terminal echoes from the start");
    }
}

#[test]
fn piped_standard_streams_are_neither_read_nor_written_by_the_prompt() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let script = "echo piped | awsmfa exec -q -p carol -- cat | tr a-z A-Z; echo done";
    let mut screen = Screen::script(&home, "bash", script);
    screen.wait_for(TOKEN_PROMPT);
    screen.type_in(&format!("{}\n", sandbox.code(TOKEN)));
    assert_eq!(screen.end().1, format!("{TOKEN_PROMPT}\nPIPED\ndone\n"));
}

#[test]
fn a_code_may_have_spaces_and_corrections_in_it() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let mut screen = Screen::new(&home, ["awsmfa", "exec", "-q", "-p", "carol", "--", "true"]);
    screen.wait_for(TOKEN_PROMPT);
    let code = sandbox.code(TOKEN);
    let (start, end) = code.split_at(3);
    screen.type_in(&format!("999\x15 {start}9\x7f {end} \n"));
    let (status, text) = screen.end();
    assert!(status.success(), "{text}");
    assert_eq!(text, format!("{TOKEN_PROMPT}\n"));
}

#[test]
fn what_is_not_six_digits_is_asked_for_again_without_a_call() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let mut screen = Screen::new(&home, ["awsmfa", "exec", "-q", "-p", "carol", "--", "true"]);
    let slips = ["", "12345", "1234567", "abcdef", "12345a", "123-456", "１２３４５６"];
    for slip in slips {
        screen.wait_for(TOKEN_PROMPT);
        screen.type_in(&format!("{slip}\n"));
    }
    screen.wait_for(TOKEN_PROMPT);
    assert_eq!(sandbox.connections(), 0);
    screen.type_in(&format!("{}\n", sandbox.code(TOKEN)));
    let (status, text) = screen.end();
    assert!(status.success(), "{text}");
    let again = format!("{TOKEN_PROMPT}\nawsmfa: a token code is six digits\n").repeat(slips.len());
    assert_eq!(text, format!("{again}{TOKEN_PROMPT}\n"));
    assert_eq!(sandbox.calls().len(), 1);
}

#[test]
fn a_rejected_code_is_asked_for_again_with_the_reason() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let mut screen = Screen::new(&home, ["awsmfa", "exec", "-q", "-p", "msgcxp", "--", "true"]);
    let (wrong, right) = (sandbox.wrong_code(DEVICE), sandbox.code(DEVICE));
    for code in [&wrong, &right] {
        screen.wait_for(PROMPT);
        screen.type_in(&format!("{code}\n"));
    }
    let (status, text) = screen.end();
    assert!(status.success(), "{text}");
    assert_eq!(text, format!("{PROMPT}\nawsmfa: {REJECTED}\n{PROMPT}\n"));
    assert_eq!(codes(&sandbox), [(wrong, Some("AccessDenied")), (right, None)]);
}

#[test]
fn a_code_that_was_used_already_is_asked_for_again_with_the_reason() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let used = sandbox.code(TOKEN);
    home.awsmfa(["env", "-q", "-p", "carol", "-t", &used]).status(0);
    let mut screen = Screen::new(&home, ["awsmfa", "exec", "-q", "-p", "carol", "--", "true"]);
    for code in [used, sandbox.code(TOKEN)] {
        screen.wait_for(TOKEN_PROMPT);
        screen.type_in(&format!("{code}\n"));
    }
    let (status, text) = screen.end();
    assert!(status.success(), "{text}");
    assert_eq!(text, format!("{TOKEN_PROMPT}\nawsmfa: {REJECTED}\n{TOKEN_PROMPT}\n"));
}

#[test]
fn the_third_rejected_code_is_the_last() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let mut screen = Screen::script(&home, "bash", r#"eval "$(awsmfa env -q -p msgcxp)"; echo "status $?""#);
    let wrong = sandbox.wrong_code(DEVICE);
    for _ in 0..3 {
        screen.wait_for(PROMPT);
        screen.type_in(&format!("{wrong}\n"));
    }
    let again = format!("{PROMPT}\nawsmfa: {REJECTED}\n");
    let last = format!("{PROMPT}\nawsmfa: error: {REJECTED}\n{NEXT}\nstatus 1\n");
    assert_eq!(screen.end().1, format!("{again}{again}{last}"));
    assert_eq!(codes(&sandbox), vec![(wrong, Some("AccessDenied")); 3]);
}

#[test]
fn a_code_that_was_given_is_tried_once_even_where_a_person_sits() {
    let sandbox = Sandbox::start(World::default());
    let wrong = sandbox.wrong_code(TOKEN);
    let home = Home::new(&sandbox).env("AWSMFA_TOKEN_CODE", &wrong);
    let option = ["awsmfa", "env", "-q", "-p", "carol", "-t", &wrong];
    for words in [&option[..], &option[..5]] {
        let calls = sandbox.calls().len();
        let mut screen = Screen::new(&home, words.iter().copied());
        let (status, text) = screen.end();
        assert_eq!((status.code(), text), (Some(1), format!("awsmfa: error: {REJECTED}\n{NEXT}\n")));
        assert_eq!(sandbox.calls().len(), calls + 1);
    }
}

#[test]
fn a_given_code_that_is_not_six_digits_is_refused_without_a_call() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox).env("AWSMFA_TOKEN_CODE", "1234567");
    let hint = "hint: give the six digits that the MFA device shows\n";
    for (origin, input, option) in [
        ("`AWSMFA_TOKEN_CODE`", "", &[][..]),
        ("`--token-code`", "", &["-t", "12345"]),
        ("standard input", "abcdef\n", &["-t", "-"]),
        ("standard input", "", &["-t", "-"]),
        ("standard input", "\n123456\n", &["-t", "-"]),
        ("standard input", "\0\u{1b}[2J\n", &["-t", "-"]),
        ("standard input", &"0".repeat(100_000), &["-t", "-"]),
    ] {
        let ran = home.awsmfa_with_input(input, ["env", "-p", "carol", "-s", "bash"].iter().chain(option).copied());
        ran.status(1)
            .stdout("false\n")
            .stderr(&format!("awsmfa: error: the token code from {origin} is not six digits\n{hint}"));
    }
    assert_eq!(sandbox.connections(), 0);
}

#[test]
fn standard_input_gives_the_code_with_a_line_end_or_without() {
    for end in ["", "\n", "\r\n"] {
        let sandbox = Sandbox::start(World::default());
        let input = format!("{}{end}", sandbox.code(TOKEN));
        Home::new(&sandbox).awsmfa_with_input(&input, ["env", "-q", "-p", "carol", "-t", "-"]).status(0).stderr("");
    }
}

#[test]
fn standard_input_gives_the_code_by_its_first_line_and_the_rest_to_the_command() {
    let sandbox = Sandbox::start(World::default());
    let input = format!("{}\nthe rest\n", sandbox.code(TOKEN));
    let ran = Home::new(&sandbox).awsmfa_with_input(&input, ["exec", "-q", "-p", "carol", "-t", "-", "--", "cat"]);
    ran.status(0).stdout("the rest\n").stderr("");
    // One that stays open, as a terminal does, is not waited for.
    let home = Home::new(&sandbox);
    let mut screen = Screen::new(&home, ["awsmfa", "exec", "-q", "-p", "carol", "-t", "-", "--", "true"]);
    screen.type_in(&format!("{}\n", sandbox.code(TOKEN)));
    assert!(screen.end().0.success());
}

#[test]
fn without_a_terminal_the_ways_to_give_a_code_are_named() {
    let sandbox = Sandbox::start(World::default());
    Home::new(&sandbox).awsmfa(["env", "-p", "msgcxp", "-s", "bash"]).status(1).stdout("false\n").stderr(
        "awsmfa: error: a token code is needed, and there is no terminal to ask for it\n  \
         caused by: No such device or address (os error 6)\n\
         hint: give the code with `--token-code CODE`, with `--token-code -` on standard input, or in AWSMFA_TOKEN_CODE\n",
    );
    assert_eq!(sandbox.connections(), 0);
}

#[test]
fn the_end_of_input_at_the_prompt_is_an_error() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let mut screen = Screen::script(&home, "bash", r#"eval "$(awsmfa env -p carol)"; echo "status $?""#);
    screen.wait_for(TOKEN_PROMPT);
    screen.type_in("\x04");
    let (_, text) = screen.end();
    assert_eq!(
        text,
        format!(
            "{TOKEN_PROMPT}\nawsmfa: error: the terminal gave no token code\n  caused by: the input has ended\nstatus 1\n"
        )
    );
    screen.mode_is_restored();
    assert_eq!(sandbox.connections(), 0);
}

#[test]
fn ctrl_c_at_the_prompt_stops_the_script_and_restores_the_terminal() {
    for (shell, line) in SHELLS {
        for command in [line.replace("ARGUMENTS", "-p msgcxp"), "awsmfa exec -p msgcxp -- true".to_owned()] {
            let sandbox = Sandbox::start(World::default());
            let home = Home::new(&sandbox);
            let mut screen = Screen::script(&home, shell, &format!("{command}; echo went on"));
            screen.wait_for(PROMPT);
            screen.type_in("\x03");
            // zsh doesn't wait for awsmfa, whose last word this is.
            screen.wait_for("\n");
            let (status, text) = screen.end();
            assert_eq!(text, format!("{PROMPT}\n"), "{shell} {command}");
            assert_eq!(died_of(status), Some(2), "{shell} {command}: {status}");
            screen.mode_is_restored();
            assert_eq!(codes(&sandbox), []);
        }
    }
}

#[test]
fn ctrl_c_at_the_prompt_leads_back_to_the_shells_own() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox).env("PS1", "ready> ");
    let mut screen = Screen::new(&home, ["bash", "--norc", "--noprofile", "-i"]);
    screen.wait_for("ready> ");
    let before = screen.mode();
    screen.type_in("eval \"$(awsmfa env -p msgcxp)\" || echo went on\n");
    screen.wait_for(PROMPT);
    screen.type_in("\x03");
    screen.wait_for("ready> ");
    eventually("the shell edits lines again", || (screen.mode() == before).then_some(()));
    screen.type_in("echo status $?; exit\n");
    let (_, text) = screen.end();
    assert!(text.contains("\nstatus 130\n"), "{text:?}");
    assert!(!text.contains("\nwent on\n"), "{text:?}");
}

#[test]
fn a_prompt_that_was_stopped_goes_on_in_the_foreground_and_still_shows_nothing() {
    for shell in [&["bash", "--norc", "--noprofile", "-i"][..], &["zsh", "-f", "-i"], &["dash", "-i"]] {
        let sandbox = Sandbox::start(World::default());
        let home = Home::new(&sandbox).env("PS1", "ready> ");
        let mut screen = Screen::new(&home, shell.iter().copied());
        screen.wait_for("ready> ");
        screen.type_in("awsmfa exec -q -p carol -- echo it runs\n");
        screen.wait_for(TOKEN_PROMPT);
        screen.type_in("\x1a");
        screen.wait_for("ready> ");
        screen.type_in("fg\n");
        screen.wait_for(TOKEN_PROMPT);
        assert!(!screen.echoes(), "{shell:?}");
        let code = sandbox.code(TOKEN);
        screen.type_in(&format!("{code}\n"));
        screen.wait_for("\nit runs\r\n");
        screen.wait_for("ready> ");
        screen.type_in("exit\n");
        let (_, text) = screen.end();
        assert!(!text.contains(&code), "{shell:?}: {text:?}");
    }
}

#[test]
fn ctrl_z_inside_an_evaluation_does_not_leave_the_shell_waiting() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox).env("PS1", "ready> ");
    for shell in [&["bash", "--norc", "--noprofile", "-i"][..], &["zsh", "-f", "-i"], &["dash", "-i"]] {
        let mut screen = Screen::new(&home, shell.iter().copied());
        screen.wait_for("ready> ");
        screen.type_in("eval \"$(awsmfa env -q -p carol)\" && echo it is set\n");
        screen.wait_for(TOKEN_PROMPT);
        screen.type_in("\x1a");
        screen.type_in(&format!("{}\n", sandbox.code(TOKEN)));
        screen.wait_for("\nit is set\r\n");
    }
}

#[test]
fn a_signal_to_awsmfa_alone_fails_the_evaluation() {
    for (shell, line) in &SHELLS[..3] {
        let sandbox = Sandbox::start(World::default());
        let home = Home::new(&sandbox);
        let line =
            line.replace("awsmfa", "sh -c 'echo $$ >id; exec awsmfa \"$@\"' sh").replace("ARGUMENTS", "-p carol");
        let script = format!("{line} && echo went on; echo status $?");
        let mut screen = Screen::script(&home, shell, &script);
        screen.wait_for(TOKEN_PROMPT);
        let id = fs::read_to_string(home.path().join("id")).expect("a file");
        let id = id.trim().parse().ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(id, Signal::TERM).expect("a program that runs");
        let (_, text) = screen.end();
        // dash mentions the signal itself.
        assert_eq!(text.replace("Terminated\n", ""), format!("{TOKEN_PROMPT}\nstatus 1\n"), "{shell}");
        screen.mode_is_restored();
    }
}

#[test]
fn a_signal_at_the_prompt_restores_the_terminal_and_is_died_of_without_a_core_file() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        let sandbox = Sandbox::start(World::default());
        let home = Home::new(&sandbox);
        let mut screen =
            Screen::new(&home, ["sh", "-c", "ulimit -c unlimited; exec awsmfa env -s bash -p msgcxp >block"]);
        screen.wait_for(PROMPT);
        screen.send(signal);
        let (status, text) = screen.end();
        assert_eq!(status.signal(), Some(signal.as_raw()), "{status}");
        assert!(!status.core_dumped(), "{signal:?}");
        assert_eq!(text, format!("{PROMPT}\n"));
        assert_eq!(fs::read_to_string(home.path().join("block")).expect("a file"), "false\n");
        screen.mode_is_restored();
    }
}

#[test]
fn ctrl_c_ends_the_wait_for_an_answer() {
    for (shell, line) in SHELLS {
        let sandbox = Sandbox::start(World::default());
        sandbox.fail_on("GetSessionToken", 1, Fault::Hang(At::Request));
        let home = Home::new(&sandbox);
        let line = line.replace("ARGUMENTS", "-p msgcxp");
        let mut screen = Screen::script(&home, shell, &format!("{line}; echo went on"));
        screen.wait_for(PROMPT);
        screen.type_in(&format!("{}\n", sandbox.code(DEVICE)));
        eventually("the call is made", || (!codes(&sandbox).is_empty()).then_some(()));
        screen.mode_is_restored();
        screen.type_in("\x03");
        screen.wait_for("^C");
        let (status, text) = screen.end();
        assert_eq!(text, format!("{PROMPT}\n^C"), "{shell}");
        assert_eq!(died_of(status), Some(2), "{shell}: {status}");
        screen.mode_is_restored();
    }
}

#[test]
fn a_lost_answer_may_have_cost_the_code_and_the_next_one_is_asked_for() {
    for fault in [
        Fault::Reset(At::Request),
        Fault::Close(At::Request),
        Fault::Reset(At::Answer),
        Fault::Close(At::Answer),
        Fault::Html,
        Fault::Hang(At::Request),
    ] {
        let sandbox = Sandbox::start(World::default());
        sandbox.fail_on("GetSessionToken", 1, fault.clone());
        let home = Home::new(&sandbox);
        let mut screen = Screen::new(&home, ["awsmfa", "exec", "-q", "-p", "msgcxp", "--", "true"]);
        for code in [sandbox.code(DEVICE), sandbox.code(DEVICE)] {
            screen.wait_for(PROMPT);
            screen.type_in(&format!("{code}\n"));
        }
        let (status, text) = screen.end();
        assert!(status.success(), "{fault:?}: {text}");
        let note = text.lines().nth(1).expect("a note");
        let start = format!("awsmfa: GetSessionToken got no usable answer from {}: ", sandbox.endpoint());
        assert!(note.starts_with(&start) && note.ends_with("; the token code may be spent"), "{fault:?}: {text}");
        assert_eq!(codes(&sandbox).len(), 2, "{fault:?}");
    }
}

#[test]
fn a_lost_answer_to_a_given_code_is_an_error_that_says_so() {
    let sandbox = Sandbox::start(World::default());
    sandbox.fail(Fault::Close(At::Request));
    let home = Home::new(&sandbox);
    let ran = home.awsmfa(["exec", "-p", "carol", "-t", &sandbox.code(TOKEN), "--", "true"]);
    ran.status(125).stdout("").stderr(&format!(
        "awsmfa: error: GetSessionToken got no usable answer from {}: connection closed before message completed; the token code \
         may be spent\nhint: wait until the device shows the next code, and try again\n",
        sandbox.endpoint()
    ));
    assert_eq!(codes(&sandbox).len(), 1);
}

#[test]
fn a_code_that_a_wrong_clock_kept_from_being_looked_at_is_sent_again() {
    for offset in [3600, -3600] {
        let sandbox = Sandbox::start(World::default());
        sandbox.set_clock_offset(offset);
        let home = Home::new(&sandbox);
        let mut screen = Screen::new(&home, ["awsmfa", "exec", "-q", "-p", "carol", "--", "true"]);
        screen.wait_for(TOKEN_PROMPT);
        let code = sandbox.code(TOKEN);
        screen.type_in(&format!("{code}\n"));
        let (status, text) = screen.end();
        assert!(status.success(), "{text}");
        assert_eq!(text, format!("{TOKEN_PROMPT}\n"));
        assert_eq!(codes(&sandbox), [(code.clone(), Some("SignatureDoesNotMatch")), (code, None)]);
    }
}

#[test]
fn a_given_code_that_a_wrong_clock_kept_from_being_looked_at_is_sent_again() {
    let sandbox = Sandbox::start(World::default());
    sandbox.set_clock_offset(3600);
    let code = sandbox.code(TOKEN);
    Home::new(&sandbox).awsmfa(["env", "-q", "-p", "carol", "-t", &code]).status(0).stderr("");
    assert_eq!(codes(&sandbox), [(code.clone(), Some("SignatureDoesNotMatch")), (code, None)]);
}

#[test]
fn a_handshake_that_fails_does_not_cost_the_code() {
    for fault in [Fault::Close(At::Accept), Fault::Reset(At::Accept)] {
        let sandbox = Sandbox::start_tls(World::default());
        let home = Home::new(&sandbox);
        let authority = home.aws_file("authority.pem");
        fs::write(&authority, sandbox.ca_pem()).expect("a file");
        let home = home.env("SSL_CERT_FILE", &authority.display().to_string());
        sandbox.fail(fault);
        let code = sandbox.code(TOKEN);
        home.awsmfa(["env", "-q", "-p", "carol", "-t", &code]).status(0).stderr("");
        assert_eq!(codes(&sandbox), [(code, None)]);
        assert_eq!(sandbox.connections(), 2);
    }
}

#[test]
fn a_connection_cut_under_a_written_call_may_have_cost_the_code() {
    let sandbox = Sandbox::start(World::default());
    sandbox.fail(Fault::Close(At::Accept));
    let home = Home::new(&sandbox);
    let ran = home.awsmfa(["exec", "-p", "carol", "-t", &sandbox.code(TOKEN), "--", "true"]);
    ran.status(125);
    assert!(ran.stderr.contains("; the token code may be spent\n"), "{}", ran.stderr);
    assert_eq!(sandbox.connections(), 1);
}

#[test]
fn a_connection_that_is_closed_while_the_person_types_costs_nothing() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let mut screen = Screen::new(&home, ["awsmfa", "exec", "-q", "-p", "msgcxp", "--", "true"]);
    screen.wait_for(PROMPT);
    sandbox.close_connections();
    let code = sandbox.code(DEVICE);
    screen.type_in(&format!("{code}\n"));
    let (status, text) = screen.end();
    assert!(status.success(), "{text}");
    assert_eq!(codes(&sandbox), [(code, None)]);
}
