//! Verification of AWS Signature Version 4, written from AWS's documentation and not from any of its SDKs.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>. Knows requests and
//! secrets; whose key it is, and whether it may do what it asks, is `api`'s matter.

use std::fmt::Write as _;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ring::{digest, hmac};

use super::http::Request;
use super::refusal::Refusal;

/// How far a request's date may be from the server's, in seconds, either way.
const TOLERANCE: i64 = 5 * 60;

/// All but the unreserved characters of RFC 3986, as the signature's `UriEncode` demands.
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What an `Authorization` header claims; true only once [`verify`](Self::verify) has passed.
#[derive(Debug)]
pub(crate) struct Authorization<'r> {
    /// The key that is said to have signed.
    pub(crate) access_key_id: &'r str,
    /// The region of the credential scope.
    pub(crate) region: &'r str,
    date: &'r str,
    service: &'r str,
    terminator: &'r str,
    signed_headers: Vec<&'r str>,
    signature: &'r str,
}

impl<'r> Authorization<'r> {
    /// Reads the header, refusing one that is absent or malformed.
    pub(crate) fn of(request: &'r Request) -> Result<Self, Refusal> {
        let header = request.header("authorization").ok_or_else(|| {
            Refusal::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        })?;
        let (algorithm, fields) = header.split_once(' ').unwrap_or((header, ""));
        if algorithm != "AWS4-HMAC-SHA256" {
            return Err(Refusal::incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}'.")));
        }
        let field = |name: &str| {
            fields
                .split(',')
                .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
                .ok_or_else(|| Refusal::incomplete(format!("Authorization header requires '{name}' parameter.")))
        };
        let credential = field("Credential")?;
        let [access_key_id, date, region, service, terminator] = credential.split('/').collect::<Vec<_>>()[..] else {
            return Err(Refusal::incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
            )));
        };
        Ok(Self {
            access_key_id,
            region,
            date,
            service,
            terminator,
            signed_headers: field("SignedHeaders")?.split(';').collect(),
            signature: field("Signature")?,
        })
    }

    /// Checks scope, date and signature against the key's `secret`, the `service` that was called, and the server's
    /// clock (`now`, Unix seconds).
    pub(crate) fn verify(&self, request: &Request, secret: &str, service: &str, now: i64) -> Result<(), Refusal> {
        self.verify_signed_headers(request)?;
        if self.service != service {
            return Err(Refusal::signature(format!("Credential should be scoped to correct service: '{service}'. ")));
        }
        if self.terminator != "aws4_request" {
            return Err(Refusal::signature(format!(
                "Credential should be scoped with a valid terminator: 'aws4_request', not '{}'.",
                self.terminator
            )));
        }
        let time = request.header("x-amz-date").unwrap_or_default();
        self.verify_time(time, now)?;
        if self.signature != self.expected_signature(request, secret, time) {
            return Err(Refusal::signature(
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                 Access Key and signing method. Consult the service documentation for details.",
            ));
        }
        Ok(())
    }

    /// The host must be signed, and every `x-amz-*` header that is there.
    fn verify_signed_headers(&self, request: &Request) -> Result<(), Refusal> {
        let names = request.headers.iter().map(|(name, _)| name.as_str());
        match names.filter(|n| *n == "host" || n.starts_with("x-amz-")).find(|n| !self.signed_headers.contains(n)) {
            Some(name) => {
                Err(Refusal::signature(format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.")))
            }
            None => Ok(()),
        }
    }

    /// The date must be the scope's, and within [`TOLERANCE`] of the server's.
    fn verify_time(&self, time: &str, now: i64) -> Result<(), Refusal> {
        let signed_at = parse_time(time).ok_or_else(|| {
            Refusal::incomplete(format!(
                "Date must be in ISO-8601 'basic format'. Got '{time}'. See http://en.wikipedia.org/wiki/ISO_8601"
            ))
        })?;
        if self.date != &time[..8] {
            return Err(Refusal::signature(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{}', from '{time}'.",
                self.date,
                &time[..8]
            )));
        }
        let server = format_time(now);
        if signed_at < now - TOLERANCE {
            let earliest = format_time(now - TOLERANCE);
            return Err(Refusal::signature(format!(
                "Signature expired: {time} is now earlier than {earliest} ({server} - 5 min.)"
            )));
        }
        if signed_at > now + TOLERANCE {
            let latest = format_time(now + TOLERANCE);
            return Err(Refusal::signature(format!(
                "Signature not yet current: {time} is still later than {latest} ({server} + 5 min.)"
            )));
        }
        Ok(())
    }

    /// The signature, in hexadecimal, that the holder of `secret` would have put on this request.
    fn expected_signature(&self, request: &Request, secret: &str, time: &str) -> String {
        let canonical_request = format!(
            "{}\n{}\n{}\n{}\n{}\n{}",
            request.method,
            request.path,
            canonical_query(&request.query),
            self.canonical_headers(request),
            self.signed_headers.join(";"),
            sha256(&request.body)
        );
        let string_to_sign = format!(
            "AWS4-HMAC-SHA256\n{time}\n{}/{}/{}/{}\n{}",
            self.date,
            self.region,
            self.service,
            self.terminator,
            sha256(canonical_request.as_bytes())
        );
        let key = [self.date, self.region, self.service, self.terminator]
            .iter()
            .fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac_sha256(&key, part));
        hex(&hmac_sha256(&key, &string_to_sign))
    }

    /// The signed headers, a line each, with runs of blanks collapsed and repeated headers joined by commas.
    fn canonical_headers(&self, request: &Request) -> String {
        let mut lines = String::new();
        for name in &self.signed_headers {
            let values = request.headers.iter().filter(|(n, _)| n == name);
            let values: Vec<_> = values.map(|(_, v)| v.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
            let _ = writeln!(lines, "{name}:{}", values.join(","));
        }
        lines
    }
}

/// The query string, decoded, encoded anew, and sorted.
fn canonical_query(query: &str) -> String {
    let encode = |text: &str| utf8_percent_encode(text, &RESERVED).to_string();
    let mut pairs: Vec<_> =
        form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (encode(&name), encode(&value))).collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Unix seconds of a `20150830T123600Z`.
fn parse_time(time: &str) -> Option<i64> {
    let part = |range: std::ops::Range<usize>| time.get(range);
    let (date, clock) = (part(0..8)?, part(9..15)?);
    let extended = format!(
        "{}-{}-{}T{}:{}:{}Z",
        date.get(..4)?,
        date.get(4..6)?,
        date.get(6..)?,
        clock.get(..2)?,
        clock.get(2..4)?,
        clock.get(4..)?
    );
    let parsed = DateTime::from_str(&extended, Format::DateTime).ok()?.secs();
    (format_time(parsed) == time).then_some(parsed)
}

/// `20150830T123600Z` for Unix seconds.
fn format_time(seconds: i64) -> String {
    let extended = DateTime::from_secs(seconds).fmt(Format::DateTime).expect("a date of this millennium");
    extended.replace(['-', ':'], "")
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hmac_sha256(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of AWS's published examples, all of which were signed at [`SIGNED_AT`].
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    const SIGNED_AT: i64 = 1_440_938_160;

    /// One of AWS's examples: a request, and the signature that AWS says it has.
    struct Example {
        method: &'static str,
        query: &'static str,
        headers: &'static [(&'static str, &'static str)],
        body: &'static str,
        service: &'static str,
        signature: &'static str,
    }

    impl Example {
        fn request(&self) -> Request {
            let mut headers: Vec<(String, String)> =
                self.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            headers.push(("x-amz-date".into(), "20150830T123600Z".into()));
            let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
            let authorization = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/{}/aws4_request, SignedHeaders={}, Signature={}",
                self.service,
                names.join(";"),
                self.signature
            );
            headers.push(("authorization".into(), authorization));
            Request {
                method: self.method.into(),
                path: "/".into(),
                query: self.query.into(),
                headers,
                body: self.body.into(),
            }
        }
    }

    /// The first is worked through in the documentation, the others are of AWS's signature test suite.
    const EXAMPLES: [Example; 5] = [
        Example {
            method: "GET",
            query: "Action=ListUsers&Version=2010-05-08",
            headers: &[
                ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
                ("host", "iam.amazonaws.com"),
            ],
            body: "",
            service: "iam",
            signature: "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        },
        Example {
            method: "GET",
            query: "",
            headers: &[("host", "example.amazonaws.com")],
            body: "",
            service: "service",
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        },
        Example {
            method: "GET",
            query: "Param2=value2&Param1=value1",
            headers: &[("host", "example.amazonaws.com")],
            body: "",
            service: "service",
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        },
        Example {
            method: "GET",
            query: "",
            headers: &[("host", "example.amazonaws.com"), ("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
            body: "",
            service: "service",
            signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        },
        Example {
            method: "POST",
            query: "",
            headers: &[("content-type", "application/x-www-form-urlencoded"), ("host", "example.amazonaws.com")],
            body: "Param1=value1",
            service: "service",
            signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        },
    ];

    fn verify(request: &Request, service: &str, now: i64) -> Result<(), Refusal> {
        Authorization::of(request)?.verify(request, SECRET, service, now)
    }

    #[test]
    fn published_examples_verify() {
        for example in &EXAMPLES {
            assert_eq!(verify(&example.request(), example.service, SIGNED_AT), Ok(()), "{}", example.signature);
        }
    }

    #[test]
    fn a_changed_request_does_not_verify() {
        let changes: [fn(&mut Request); 6] = [
            |r| r.method = "PUT".into(),
            |r| r.path = "/other".into(),
            |r| r.query = "Param1=value1".into(),
            |r| r.body.push(b'!'),
            |r| r.headers[0].1.push('x'),
            |r| r.headers.retain(|(name, _)| name != "host"),
        ];
        for change in changes {
            let mut request = EXAMPLES[4].request();
            change(&mut request);
            let refusal = verify(&request, "service", SIGNED_AT).unwrap_err();
            assert_eq!(refusal.code, "SignatureDoesNotMatch");
            assert!(refusal.message.starts_with("The request signature we calculated"), "{}", refusal.message);
        }
    }

    #[test]
    fn every_aws_header_must_be_signed() {
        let mut request = EXAMPLES[1].request();
        request.headers.push(("x-amz-security-token".into(), "token".into()));
        let refusal = verify(&request, "service", SIGNED_AT).unwrap_err();
        assert_eq!(refusal.message, "'x-amz-security-token' must be a 'SignedHeader' in the AWS Authorization.");
    }

    #[test]
    fn the_date_may_be_five_minutes_off() {
        let request = EXAMPLES[1].request();
        let verify_at = |now| verify(&request, "service", now).map_err(|refusal| refusal.message);
        assert_eq!(verify_at(SIGNED_AT + 300), Ok(()));
        assert_eq!(verify_at(SIGNED_AT - 300), Ok(()));
        assert_eq!(
            verify_at(SIGNED_AT + 301).unwrap_err(),
            "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"
        );
        assert_eq!(
            verify_at(SIGNED_AT - 301).unwrap_err(),
            "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)"
        );
    }

    #[test]
    fn a_malformed_authorization_is_named() {
        for (authorization, message) in [
            ("AWS3 x", "Unsupported AWS 'algorithm': 'AWS3'."),
            ("AWS4-HMAC-SHA256 Signature=1", "Authorization header requires 'Credential' parameter."),
            ("AWS4-HMAC-SHA256 Credential=a/b/c/d/e", "Authorization header requires 'SignedHeaders' parameter."),
            (
                "AWS4-HMAC-SHA256 Credential=a/b",
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b'",
            ),
        ] {
            let request =
                Request { headers: vec![("authorization".into(), authorization.into())], ..Request::default() };
            let refusal = Authorization::of(&request).unwrap_err();
            assert_eq!((refusal.code, refusal.message.as_str()), ("IncompleteSignature", message));
        }
        let refusal = Authorization::of(&Request::default()).unwrap_err();
        assert_eq!(refusal.code, "MissingAuthenticationToken");
    }
}
