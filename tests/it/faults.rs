//! What the network and the server can do to a call: each fault in its exact words, with the number of requests that were
//! sent. A call that carries a token code is sent once, any other may be repeated.
//!
//! Standard error is compared as a whole, so neither a secret nor a code can be in it.

use std::fs;
use std::thread;

use crate::run::{DEVICE, Home, Ran};
use crate::server::{At, Fault, Leaf, Sandbox, World};

const ALICE: &str = "arn:aws:iam::123456789012:mfa/alice";
const NEXT_CODE: &str =
    "; the token code may be spent\nhint: wait until the device shows the next code, and try again\n";
const AGAIN: &str = "\nhint: try again in a moment\n";
const NETWORK: &str = "\nhint: check the network, the region and the proxy variables\n";
const NOT_AWS: &str = "the answer is none of AWS's; a proxy or the network's sign-in page may have given it";
const READONLY: &str = "AssumeRole arn:aws:iam::123456789012:role/readonly";

/// A home that trusts the authority of an HTTPS sandbox.
fn trusting_home(sandbox: &Sandbox) -> Home {
    let home = Home::new(sandbox);
    let authority = home.path().join("authority.pem");
    fs::write(&authority, sandbox.ca_pem()).expect("a file");
    home.env("SSL_CERT_FILE", &authority.display().to_string())
}

/// A user's session, with a device that is known: one request, with a code.
fn with_code(home: &Home, sandbox: &Sandbox) -> Ran {
    home.awsmfa(["env", "-q", "-s", "sh", "-p", "alice", "-t", &sandbox.code(ALICE)])
}

/// A role without MFA: one request, without a code.
fn without_code(home: &Home) -> Ran {
    home.awsmfa(["env", "-q", "-s", "sh", "-p", "readonly"])
}

/// Asserts a failure in these words, and that the shell gets nothing but a failing statement.
#[track_caller]
fn assert_failed(ran: &Ran, fault: &Fault, stderr: &str) {
    assert_eq!(ran.stderr, format!("awsmfa: error: {stderr}"), "{fault:?}");
    ran.status(1).stdout("false\n");
}

#[test]
fn a_call_with_a_code_is_sent_once_and_says_that_the_code_may_be_spent() {
    let reset = "Connection reset by peer (os error 104)";
    let closed = "connection closed before message completed";
    for (fault, reason) in [
        (Fault::Close(At::Request), closed),
        (Fault::Reset(At::Request), reset),
        (Fault::Close(At::Answer), "end of file before message length reached"),
        (Fault::Reset(At::Answer), reset),
        (Fault::Status(500), "it failed with HTTP status 500"),
        (Fault::Status(503), "it failed with HTTP status 503"),
        (Fault::Junk, NOT_AWS),
        (Fault::Html, NOT_AWS),
        (Fault::Empty, NOT_AWS),
    ] {
        for start in [Sandbox::start, Sandbox::start_tls] {
            let sandbox = start(World::default());
            let home =
                if sandbox.endpoint().starts_with("https") { trusting_home(&sandbox) } else { Home::new(&sandbox) };
            sandbox.fail(fault.clone());
            let endpoint = sandbox.endpoint();
            let reason = match fault {
                Fault::Close(_) if endpoint.starts_with("https") => {
                    "peer closed connection without sending TLS close_notify"
                }
                _ => reason,
            };
            let error = format!("GetSessionToken got no usable answer from {endpoint}: {reason}{NEXT_CODE}");
            assert_failed(&with_code(&home, &sandbox), &fault, &error);
            assert_eq!(sandbox.calls().len(), 1, "{fault:?}");
        }
    }
}

#[test]
fn an_answer_without_usable_credentials_is_not_taken_for_a_session() {
    let incomplete = "the answer has no complete credentials";
    let expired = "the session in the answer has expired by this machine's clock";
    let field = |name, text: &str| Fault::Field(name, text.to_owned());
    for (fault, reason) in [
        (Fault::MissingField("Credentials"), incomplete),
        (Fault::MissingField("AccessKeyId"), incomplete),
        (Fault::MissingField("SecretAccessKey"), incomplete),
        (Fault::MissingField("SessionToken"), incomplete),
        (Fault::MissingField("Expiration"), expired),
        (field("AccessKeyId", ""), incomplete),
        (field("SecretAccessKey", ""), incomplete),
        (field("SessionToken", ""), incomplete),
        (field("AccessKeyId", "ASIA\u{85}1"), incomplete),
        (field("SecretAccessKey", "hidden\nexport PATH=/"), incomplete),
        (field("SessionToken", "hidden\u{202e}"), incomplete),
        (field("SessionToken", "hidden\u{1b}[2J"), NOT_AWS),
        (field("Expiration", "2020-01-01T00:00:00Z"), expired),
        (field("Expiration", "soon"), NOT_AWS),
    ] {
        let sandbox = Sandbox::start(World::default());
        let home = Home::new(&sandbox);
        let endpoint = sandbox.endpoint();
        sandbox.fail(fault.clone());
        // The next code helps, unless it is the clock that is wrong.
        let clock = "hint: set this machine's clock right before you try again\n";
        let [with, without] = if reason == expired {
            [format!("; the token code may be spent\n{clock}"), format!("\n{clock}")]
        } else {
            [NEXT_CODE.to_owned(), AGAIN.to_owned()]
        };
        let error = format!("GetSessionToken got no usable answer from {endpoint}: {reason}{with}");
        assert_failed(&with_code(&home, &sandbox), &fault, &error);
        assert_eq!(sandbox.calls().len(), 1, "{fault:?}");
        // A role's answer is looked at in the same way.
        sandbox.fail_always(fault.clone());
        let error = format!("{READONLY} got no usable answer from {endpoint}: {reason}{without}");
        assert_failed(&without_code(&home), &fault, &error);
    }
}

#[test]
fn a_call_without_a_code_is_tried_three_times() {
    let cases = [
        (Fault::Reset(At::Request), "Connection reset by peer (os error 104)"),
        (Fault::Close(At::Request), "connection closed before message completed"),
        (Fault::Status(500), "it failed with HTTP status 500"),
    ];
    // Side by side, since the SDK pauses before it tries again.
    thread::scope(|scope| {
        for (fault, reason) in cases {
            scope.spawn(move || {
                let sandbox = Sandbox::start(World::default());
                let home = Home::new(&sandbox);
                sandbox.fail_times(2, fault.clone());
                without_code(&home).status(0).stderr("");
                assert_eq!(sandbox.calls().len(), 3, "{fault:?}");
                sandbox.fail_times(3, fault.clone());
                let endpoint = sandbox.endpoint();
                let error = format!("{READONLY} got no usable answer from {endpoint}: {reason}{AGAIN}");
                assert_failed(&without_code(&home), &fault, &error);
                assert_eq!(sandbox.calls().len(), 6, "{fault:?}");
            });
        }
    });
}

#[test]
fn asking_whose_the_keys_are_is_tried_three_times_and_spends_no_code() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let code = sandbox.code(DEVICE);
    let arguments = ["env", "-q", "-s", "sh", "-p", "msgcxp", "-t", &code];
    sandbox.fail_on("GetCallerIdentity", 3, Fault::Status(503));
    home.awsmfa(arguments).status(1).stdout("false\n").stderr(&format!(
        "awsmfa: error: GetCallerIdentity got no usable answer from {}: it failed with HTTP status 503{AGAIN}",
        sandbox.endpoint()
    ));
    assert_eq!(sandbox.calls().len(), 3);
    sandbox.fail_on("GetCallerIdentity", 1, Fault::MissingField("Arn"));
    home.awsmfa(arguments).status(1).stdout("false\n").stderr(&format!(
        "awsmfa: error: GetCallerIdentity got no usable answer from {}: the answer names no caller{AGAIN}",
        sandbox.endpoint()
    ));
    // The same code again.
    sandbox.fail_on("GetCallerIdentity", 2, Fault::Reset(At::Request));
    home.awsmfa(arguments).status(0).stderr("");
    let actions: Vec<_> = sandbox.calls().into_iter().skip(4).map(|call| call.action).collect();
    assert_eq!(actions, ["GetCallerIdentity", "GetCallerIdentity", "GetCallerIdentity", "GetSessionToken"]);
}

#[test]
fn too_many_requests_are_told_as_such() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    let throttled =
        "was refused by AWS: Throttling: Rate exceeded\nhint: AWS gets too many requests: try again in a moment\n";
    sandbox.fail(Fault::Throttling);
    assert_failed(&with_code(&home, &sandbox), &Fault::Throttling, &format!("GetSessionToken {throttled}"));
    assert_eq!(sandbox.calls().len(), 1);
    sandbox.fail_times(3, Fault::Throttling);
    assert_failed(&without_code(&home), &Fault::Throttling, &format!("{READONLY} {throttled}"));
    assert_eq!(sandbox.calls().len(), 4);
}

#[test]
fn a_second_role_that_gets_no_answer_says_that_the_code_may_be_spent() {
    let sandbox = Sandbox::start(World::default());
    let home = Home::new(&sandbox);
    // The first request of the two is let through.
    sandbox.fail_on("AssumeRole", 1, Fault::Field("AssumedRoleId", "any".to_owned()));
    sandbox.fail_on("AssumeRole", 3, Fault::Status(500));
    let ran = home.awsmfa(["env", "-s", "sh", "-p", "release", "-t", &sandbox.code(DEVICE)]);
    ran.status(1).stdout("false\n").stderr(&format!(
        "awsmfa: error: AssumeRole arn:aws:iam::123456789012:role/release got no usable answer from {}: it failed with HTTP \
         status 500{NEXT_CODE}",
        sandbox.endpoint()
    ));
    let with_code: Vec<_> = sandbox.calls().iter().map(|call| call.parameters.contains_key("TokenCode")).collect();
    assert_eq!(with_code, [true, false, false, false]);
}

#[test]
fn a_connection_that_breaks_before_a_code_goes_out_is_tried_once_more() {
    for fault in [Fault::Close(At::Accept), Fault::Reset(At::Accept)] {
        let sandbox = Sandbox::start_tls(World::default());
        let home = trusting_home(&sandbox);
        sandbox.fail(fault.clone());
        with_code(&home, &sandbox).status(0).stderr("");
        assert_eq!((sandbox.connections(), sandbox.calls().len()), (2, 1), "{fault:?}");
        sandbox.fail_times(2, fault.clone());
        let ran = with_code(&home, &sandbox);
        let reason = match fault {
            Fault::Close(_) => "tls handshake eof",
            _ => "Connection reset by peer (os error 104)",
        };
        let error = format!("GetSessionToken did not reach {}: {reason}{NETWORK}", sandbox.endpoint());
        assert_failed(&ran, &fault, &error);
        assert_eq!((sandbox.connections(), sandbox.calls().len()), (4, 1), "{fault:?}");
    }
}

#[test]
fn a_port_where_nobody_listens_is_told_with_its_address() {
    let sandbox = Sandbox::start(World::default());
    let home = || Home::new(&sandbox).env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let refused = format!("did not reach http://127.0.0.1:9: Connection refused (os error 111){NETWORK}");
    let ran = home().awsmfa(["env", "-s", "sh", "-p", "alice", "-t", "123456"]);
    ran.status(1).stdout("false\n").stderr(&format!("awsmfa: error: GetSessionToken {refused}"));
    let ran = home().awsmfa(["env", "-s", "sh", "-p", "readonly"]);
    ran.status(1).stdout("false\n").stderr(&format!("awsmfa: error: {READONLY} {refused}"));
    // A name that nobody has, by the rules (RFC 6761).
    let ran = home()
        .env("AWS_ENDPOINT_URL", "https://sts.invalid")
        .awsmfa(["env", "-s", "sh", "-p", "alice", "-t", "123456"]);
    assert!(ran.status(1).stderr.starts_with("awsmfa: error: GetSessionToken did not reach https://sts.invalid: "));
    assert!(ran.stderr.ends_with(NETWORK), "{}", ran.stderr);
}

#[test]
fn silence_is_waited_for_ten_seconds_and_no_longer() {
    let late = "no answer within 10 seconds";
    let cases: [(Fault, bool, String); 4] = [
        (Fault::Hang(At::Request), true, format!("{late}{NEXT_CODE}")),
        (Fault::Hang(At::Answer), true, format!("{late}{NEXT_CODE}")),
        (Fault::Hang(At::Accept), true, format!("{late}{NEXT_CODE}")),
        (Fault::Hang(At::Request), false, format!("{late}{AGAIN}")),
    ];
    thread::scope(|scope| {
        for (fault, code, end) in cases {
            scope.spawn(move || {
                let sandbox = Sandbox::start(World::default());
                let home = Home::new(&sandbox);
                sandbox.fail_always(fault.clone());
                let ran = if code { with_code(&home, &sandbox) } else { without_code(&home) };
                let attempted = if code { "GetSessionToken" } else { READONLY };
                let endpoint = sandbox.endpoint();
                assert_failed(&ran, &fault, &format!("{attempted} got no usable answer from {endpoint}: {end}"));
                assert_eq!(sandbox.connections(), 1, "{fault:?}");
            });
        }
    });
}

#[test]
fn a_server_that_never_greets_is_not_reached() {
    let sandbox = Sandbox::start_tls(World::default());
    let home = trusting_home(&sandbox);
    sandbox.fail_always(Fault::Hang(At::Accept));
    for (ran, attempted) in [(with_code(&home, &sandbox), "GetSessionToken"), (without_code(&home), READONLY)] {
        let error = format!("{attempted} did not reach {}: timed out{NETWORK}", sandbox.endpoint());
        assert_failed(&ran, &Fault::Hang(At::Accept), &error);
    }
    assert_eq!(sandbox.connections(), 2);
}

#[test]
fn an_authority_in_ssl_cert_file_is_trusted() {
    let sandbox = Sandbox::start_tls(World::default());
    let home = trusting_home(&sandbox);
    with_code(&home, &sandbox).status(0).stderr("");
    without_code(&home).status(0).stderr("");
    let ran = home.awsmfa(["env", "-q", "-s", "sh", "-p", "msgcxp", "-t", &sandbox.code(DEVICE)]);
    ran.status(0).stderr("");
}

#[test]
fn a_certificate_that_is_no_good_is_told_at_once_and_no_code_goes_out() {
    const TRUST: &str = "the server's certificate is not signed by anybody this system trusts; SSL_CERT_FILE names a file of \
                         others to trust";
    for (leaf, trusted, reason, hint) in [
        (Leaf::Valid, false, "UnknownIssuer", TRUST),
        (
            Leaf::Expired,
            true,
            "certificate expired: ",
            "the server's certificate is out of date, or this machine's clock is wrong",
        ),
        (
            Leaf::WrongHost,
            true,
            "certificate not valid for name \"localhost\"; certificate is only valid for DnsName(\"sts.example.org\")",
            "the server that answers is another one: check the endpoint and the proxy variables",
        ),
    ] {
        let sandbox = Sandbox::start_tls_with(World::default(), leaf);
        let home = if trusted { trusting_home(&sandbox) } else { Home::new(&sandbox) };
        let code = sandbox.code(DEVICE);
        let known = home.awsmfa(["env", "-s", "sh", "-p", "deploy", "-t", &code]);
        let derived = home.awsmfa(["env", "-s", "sh", "-p", "msgcxp", "-t", &code]);
        let role = without_code(&home);
        for (ran, attempted) in [
            (&known, "AssumeRole arn:aws:iam::123456789012:role/deploy"),
            (&derived, "GetCallerIdentity"),
            (&role, READONLY),
        ] {
            let endpoint = sandbox.endpoint();
            let start =
                format!("awsmfa: error: {attempted} did not reach {endpoint}: invalid peer certificate: {reason}");
            let rest = ran.status(1).stdout("false\n").stderr.strip_prefix(&start);
            let rest = rest.unwrap_or_else(|| panic!("{start}\n{}", ran.stderr));
            // rustls tells the times of an expired one.
            assert!(rest.ends_with(&format!("\nhint: {hint}\n")) && rest.lines().count() == 2, "{}", ran.stderr);
        }
        // One connection each: no waiting for what a second try can't change.
        assert_eq!((sandbox.connections(), sandbox.calls().len()), (3, 0), "{leaf:?}");
    }
}

#[test]
fn a_file_of_authorities_that_is_none_trusts_nobody() {
    let sandbox = Sandbox::start_tls(World::default());
    for text in
        ["", "junk", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n§"]
    {
        let home = Home::new(&sandbox);
        let file = home.path().join("authorities.pem");
        fs::write(&file, text).expect("a file");
        let ran = without_code(&home.env("SSL_CERT_FILE", &file.display().to_string()));
        ran.status(1).stdout("false\n").stderr(&format!(
            "awsmfa: error: {READONLY} did not reach {}: invalid peer certificate: UnknownIssuer\n\
             hint: the server's certificate is not signed by anybody this system trusts; SSL_CERT_FILE names a file of others \
             to trust\n",
            sandbox.endpoint()
        ));
    }
}

#[test]
fn a_clock_that_is_off_costs_a_request_and_no_code() {
    for offset in [-3600, 3600] {
        let sandbox = Sandbox::start(World::default());
        let home = Home::new(&sandbox);
        sandbox.set_clock_offset(offset);
        with_code(&home, &sandbox).status(0).stderr("");
        let answers: Vec<_> = sandbox.calls().into_iter().map(|call| call.error).collect();
        assert_eq!(answers, [Some("SignatureDoesNotMatch"), None], "{offset}");
    }
}

#[test]
fn no_proxy_stands_before_this_machine_itself() {
    let plain = Sandbox::start(World::default());
    let tls = Sandbox::start_tls(World::default());
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        for home in [Home::new(&plain), trusting_home(&tls)] {
            without_code(&home.env(name, "http://127.0.0.1:9")).status(0).stderr("");
        }
    }
    // Elsewhere it does.
    let home = Home::new(&plain).env("AWS_ENDPOINT_URL", "http://sts.invalid").env("HTTP_PROXY", "http://127.0.0.1:9");
    without_code(&home).status(1).stdout("false\n").stderr(&format!(
        "awsmfa: error: {READONLY} did not reach http://sts.invalid: Connection refused (os error 111){NETWORK}"
    ));
}
