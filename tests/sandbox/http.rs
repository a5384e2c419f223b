//! As much of HTTP/1.1 as AWS's clients speak: a request with a `Content-Length`, an answer, the connection kept.
//!
//! Knows bytes and headers, and nothing of AWS beyond the name of a header.

use std::collections::BTreeMap;
use std::io::{self, Read};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

/// The largest request that is read, in bytes: far more than all parameters at their longest.
const MAX_REQUEST: usize = 256 * 1024;

/// The parameters of a call, from the query string and the form in the body.
pub(crate) type Parameters = BTreeMap<String, String>;

/// One request, read to its end.
#[derive(Debug, Default)]
pub(crate) struct Request {
    /// In upper case.
    pub(crate) method: String,
    /// The target before the `?`.
    pub(crate) path: String,
    /// The target after the `?`, still encoded; empty without one.
    pub(crate) query: String,
    /// In the order of arrival, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// As it was sent.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The next request of a connection; `None` when the peer closed it between two requests.
    ///
    /// `received` keeps what was read beyond a request for the one after it. What is no HTTP is an error.
    pub(crate) fn read(stream: &mut dyn Read, received: &mut Vec<u8>) -> io::Result<Option<Self>> {
        loop {
            if let Some((request, length)) = Self::parse(received)? {
                received.drain(..length);
                return Ok(Some(request));
            }
            if received.len() > MAX_REQUEST {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "request too large"));
            }
            let mut chunk = [0; 8192];
            match stream.read(&mut chunk)? {
                0 if received.is_empty() => return Ok(None),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => received.extend_from_slice(&chunk[..n]),
            }
        }
    }

    /// The request that `bytes` begins with, and its length, if it is there to its end.
    fn parse(bytes: &[u8]) -> io::Result<Option<(Self, usize)>> {
        let invalid = |reason: &'static str| io::Error::new(io::ErrorKind::InvalidData, reason);
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(body_start) = head.parse(bytes).map_err(io::Error::other)? else {
            return Ok(None);
        };
        let (path, query) =
            head.path.unwrap_or_default().split_once('?').unwrap_or((head.path.unwrap_or_default(), ""));
        let mut request = Self {
            method: head.method.unwrap_or_default().to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        for header in head.headers {
            let value = std::str::from_utf8(header.value).map_err(|_| invalid("header is not UTF-8"))?;
            request.headers.push((header.name.to_ascii_lowercase(), value.to_owned()));
        }
        let length = request.header("content-length").unwrap_or("0");
        let end = body_start + length.parse::<usize>().map_err(|_| invalid("bad Content-Length"))?;
        let Some(body) = bytes.get(body_start..end) else { return Ok(None) };
        request.body.extend_from_slice(body);
        Ok(Some((request, end)))
    }

    /// The value of the first header of that name, which is given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The decoded parameters of the query string and, if its type says that it is a form, of the body.
    pub(crate) fn parameters(&self) -> Parameters {
        let is_form = self.header("content-type").is_some_and(|t| t.starts_with("application/x-www-form-urlencoded"));
        let form = if is_form { self.body.as_slice() } else { &[] };
        [self.query.as_bytes(), form]
            .into_iter()
            .flat_map(form_urlencoded::parse)
            .map(|(n, v)| (n.into(), v.into()))
            .collect()
    }

    /// Whether the peer wants the connection closed after the answer.
    pub(crate) fn closes(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

/// The head of an answer up to its empty line. Without a `length` the body ends where the connection does.
///
/// `now` is in Unix seconds.
pub(crate) fn head(status: u16, content_type: &str, length: Option<usize>, request_id: &str, now: i64) -> String {
    let date = DateTime::from_secs(now).fmt(Format::HttpDate).expect("a date of this millennium");
    let framing = length.map_or_else(|| "Connection: close".to_owned(), |length| format!("Content-Length: {length}"));
    format!(
        "HTTP/1.1 {status} {}\r\nx-amzn-RequestId: {request_id}\r\nContent-Type: {content_type}\r\n{framing}\r\nDate: {date}\r\n\r\n",
        reason(status)
    )
}

/// The reason phrase of a status.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "",
    }
}
