//! The sandbox: a strict STS, with the sliver of IAM that MFA needs, on a loopback port of its own.
//!
//! Here are its handle, its sockets, and what it records; what it answers is `api`'s. The tests and the example take
//! this file in by path, and with it the modules beside it.

#![allow(dead_code, unused_imports, reason = "the tests and the example each use a part of it")]
#![allow(clippy::expect_used, reason = "a test server that can't go on should say so and die")]

mod api;
mod constraints;
mod fault;
mod http;
mod refusal;
mod sigv4;
mod tls;
mod totp;
mod world;
mod xml;

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::SockRef;

pub(crate) use api::Issued;
use api::{Service, State};
use fault::Faults;
pub(crate) use fault::{At, Fault};
use http::{Parameters, Request};
use refusal::Refusal;
pub(crate) use tls::Leaf;
pub(crate) use world::{Device, Role, User, World};

/// A server that runs until it is dropped.
pub(crate) struct Sandbox {
    shared: Arc<Shared>,
    address: SocketAddr,
    ca_pem: Option<String>,
    accepting: Option<JoinHandle<()>>,
}

/// A request as it arrived, and how it was answered.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The connection it came on; they are counted from 1.
    pub(crate) connection: usize,
    /// The action, empty if none was named.
    pub(crate) action: String,
    /// The key that is said to have signed it.
    pub(crate) access_key_id: Option<String>,
    /// Whether a session token came with it.
    pub(crate) has_session_token: bool,
    /// All parameters, the token code included.
    pub(crate) parameters: Parameters,
    /// The status that was answered; `None` if a fault cut the answer off before its first byte.
    pub(crate) status: Option<u16>,
    /// The error code that was answered.
    pub(crate) error: Option<&'static str>,
}

impl Sandbox {
    /// Starts an HTTP server.
    pub(crate) fn start(world: World) -> Self {
        Self::listen(world, None, None)
    }

    /// Starts an HTTPS server with a valid certificate.
    pub(crate) fn start_tls(world: World) -> Self {
        Self::start_tls_with(world, Leaf::Valid)
    }

    /// Starts an HTTPS server with such a certificate.
    pub(crate) fn start_tls_with(world: World, leaf: Leaf) -> Self {
        let (ca_pem, config) = tls::certify(leaf).expect("certificates");
        Self::listen(world, Some(ca_pem), Some(config))
    }

    fn listen(world: World, ca_pem: Option<String>, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port");
        let address = listener.local_addr().expect("the port's number");
        let shared = Arc::new(Shared {
            tls,
            state: Mutex::new(State::new(world)),
            faults: Mutex::default(),
            calls: Mutex::default(),
            handed_out: Mutex::default(),
            clock_offset: AtomicI64::new(0),
            connections: AtomicUsize::new(0),
            open: Mutex::default(),
            stopping: AtomicBool::new(false),
        });
        let accepting = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.accept(&listener)
        });
        Self { shared, address, ca_pem, accepting: Some(accepting) }
    }

    /// The URL to use as `AWS_ENDPOINT_URL`: `http://127.0.0.1:PORT` or `https://localhost:PORT`.
    pub(crate) fn endpoint(&self) -> String {
        match self.ca_pem {
            Some(_) => format!("https://localhost:{}", self.address.port()),
            None => format!("http://{}", self.address),
        }
    }

    /// The certificate authority of an HTTPS server, to be trusted by its clients.
    pub(crate) fn ca_pem(&self) -> &str {
        self.ca_pem.as_deref().expect("an HTTPS server")
    }

    /// All requests so far, in the order of arrival.
    pub(crate) fn calls(&self) -> Vec<Call> {
        lock(&self.shared.calls).clone()
    }

    /// The temporary keys that were issued under that access key id.
    pub(crate) fn issued(&self, access_key_id: &str) -> Option<Issued> {
        lock(&self.shared.state).issued(access_key_id).cloned()
    }

    /// How many connections were accepted so far.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Closes all connections that are open, as a load balancer does with idle ones. New ones are welcome.
    pub(crate) fn close_connections(&self) {
        for socket in lock(&self.shared.open).values() {
            // A peer may have closed it already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Sets the server's clock so many seconds ahead of the machine's, or behind it. Dates of signatures, the `Date`
    /// header, token codes and expiries all go by it.
    pub(crate) fn set_clock_offset(&self, seconds: i64) {
        self.shared.clock_offset.store(seconds, Ordering::SeqCst);
    }

    /// The code that the device shows now, handed out or used before or not.
    pub(crate) fn current_code(&self, serial: &str) -> String {
        self.code_of(serial, totp::window(self.shared.now()))
    }

    /// A code of the device that will be accepted, and that was neither handed out by this function nor used before.
    ///
    /// Three can be had at once, mostly (AWS accepts the code before the current one and the one after it); the next
    /// ones take up to 30 seconds each. Use them in the order in which they were handed out.
    pub(crate) fn code(&self, serial: &str) -> String {
        /// A code that will be accepted for no longer than this, in seconds, is not handed out.
        const MARGIN: i64 = 3;
        let window = {
            let mut handed_out = lock(&self.shared.handed_out);
            let last = handed_out.get(serial).copied().max(lock(&self.shared.state).last_spent(serial));
            let oldest = totp::window(self.shared.now() + MARGIN) - 1;
            let window = last.map_or(oldest, |last| oldest.max(last + 1));
            handed_out.insert(serial.to_owned(), window);
            window
        };
        let accepted_from = (window - 1) * totp::STEP;
        let wait = accepted_from - self.shared.now();
        assert!(wait <= 10 * totp::STEP, "the clock was set back behind a code that was handed out or used");
        thread::sleep(Duration::from_secs(wait.try_into().unwrap_or_default()));
        self.code_of(serial, window)
    }

    /// Six digits that the device does not show these minutes.
    pub(crate) fn wrong_code(&self, serial: &str) -> String {
        let now = totp::window(self.shared.now());
        let right: Vec<_> = (now - 10..now + 10).map(|window| self.code_of(serial, window)).collect();
        let mut candidates = (0..).map(|number| format!("{number:06}"));
        candidates.find(|code| !right.contains(code)).expect("a million candidates")
    }

    fn code_of(&self, serial: &str, window: i64) -> String {
        code_at(lock(&self.shared.state).world(), serial, window)
    }

    /// Orders a fault for the next request, or the next connection if it is a fault at accept.
    pub(crate) fn fail(&self, fault: Fault) {
        self.fail_times(1, fault);
    }

    /// Orders a fault for the next `times` requests or connections. Orders are met in the order they were given.
    pub(crate) fn fail_times(&self, times: usize, fault: Fault) {
        lock(&self.shared.faults).order(None, times, fault);
    }

    /// Orders a fault for all requests or connections from now on.
    pub(crate) fn fail_always(&self, fault: Fault) {
        self.fail_times(usize::MAX, fault);
    }

    /// Orders a fault for the next `times` requests of that action; others are left alone.
    pub(crate) fn fail_on(&self, action: &'static str, times: usize, fault: Fault) {
        lock(&self.shared.faults).order(Some(action), times, fault);
    }
}

/// The code that a device of that world shows at this moment, to somebody who has no sandbox at hand.
pub(crate) fn current_code(world: &World, serial: &str) -> String {
    code_at(world, serial, totp::window(machine_time()))
}

fn code_at(world: &World, serial: &str, window: i64) -> String {
    let device = world.device(serial).expect("a device of this world");
    totp::code(device.secret.as_ref().expect("a device that shows codes"), window)
}

/// Unix seconds.
fn machine_time() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the server's clock must not be the one of the client under test")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
    now.cast_signed()
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // The accepting thread looks at `stopping` whenever a connection wakes it.
        if TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_ok()
            && let Some(accepting) = self.accepting.take()
        {
            let _ = accepting.join();
        }
        // Threads that read, hang or write in vain get an error now, and end by themselves.
        self.close_connections();
    }
}

/// What the handle and the threads of the connections share.
struct Shared {
    tls: Option<Arc<ServerConfig>>,
    state: Mutex<State>,
    faults: Mutex<Faults>,
    calls: Mutex<Vec<Call>>,
    /// The window of the last code that was handed out, for each device.
    handed_out: Mutex<HashMap<String, i64>>,
    /// Seconds.
    clock_offset: AtomicI64,
    connections: AtomicUsize,
    /// A second handle of each open socket, so that a thread that waits on it can be woken.
    open: Mutex<HashMap<usize, TcpStream>>,
    stopping: AtomicBool,
}

/// An answer that is ready to be sent.
struct Answer {
    status: u16,
    content_type: &'static str,
    body: Vec<u8>,
    error: Option<&'static str>,
}

impl Shared {
    /// The server's clock, in Unix seconds.
    fn now(&self) -> i64 {
        machine_time() + self.clock_offset.load(Ordering::SeqCst)
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for socket in listener.incoming() {
            if self.stopping.load(Ordering::SeqCst) {
                return;
            }
            let Ok(socket) = socket else { continue };
            let Ok(handle) = socket.try_clone() else { continue };
            let number = self.connections.load(Ordering::SeqCst) + 1;
            lock(&self.open).insert(number, handle);
            // Counted last, so that who sees the number can close the connection.
            self.connections.store(number, Ordering::SeqCst);
            let fault = lock(&self.faults).for_connection();
            let shared = Arc::clone(self);
            thread::spawn(move || {
                // An error here is a peer that hung up, or that doesn't trust the certificate.
                let _ = shared.serve(socket, number, fault);
                lock(&shared.open).remove(&number);
            });
        }
    }

    /// Serves one connection to its end.
    fn serve(&self, socket: TcpStream, number: usize, fault: Option<Fault>) -> io::Result<()> {
        if let Some(fault) = fault {
            return interrupt(&fault, &socket);
        }
        socket.set_nodelay(true)?;
        let raw = socket.try_clone()?;
        let mut stream: Box<dyn Stream> = match &self.tls {
            Some(config) => {
                let connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
                Box::new(StreamOwned::new(connection, socket))
            }
            None => Box::new(socket),
        };
        let mut received = Vec::new();
        while let Some(request) = Request::read(&mut stream, &mut received)? {
            let parameters = request.parameters();
            let action = parameters.get("Action").map_or("", String::as_str);
            let fault = lock(&self.faults).for_action(action);
            let request_id = api::request_id();
            let answer = self.answer(&request, &parameters, fault.as_ref(), &request_id);
            self.record(number, &request, &parameters, answer.as_ref());
            let Some(Answer { status, content_type, body, .. }) = answer else {
                return fault.map_or(Ok(()), |fault| interrupt(&fault, &raw));
            };
            let length = (fault != Some(Fault::Oversized)).then_some(body.len());
            let mut message = http::head(status, content_type, length, &request_id, self.now()).into_bytes();
            message.extend_from_slice(&body);
            match fault {
                Some(fault @ (Fault::Close(At::Answer) | Fault::Reset(At::Answer) | Fault::Hang(At::Answer))) => {
                    stream.write_all(&message[..message.len() - body.len() / 2])?;
                    stream.flush()?;
                    return interrupt(&fault, &raw);
                }
                Some(Fault::Oversized) => {
                    stream.write_all(&message)?;
                    let chunk = "<member>and so on</member>\n".repeat(1000);
                    for _ in 0..fault::OVERSIZE / chunk.len() {
                        stream.write_all(chunk.as_bytes())?;
                    }
                    return close(&raw);
                }
                _ => {
                    stream.write_all(&message)?;
                    stream.flush()?;
                }
            }
            if request.closes() {
                return close(&raw);
            }
        }
        Ok(())
    }

    /// What to answer; `None` if a fault comes between.
    fn answer(
        &self,
        request: &Request,
        parameters: &Parameters,
        fault: Option<&Fault>,
        request_id: &str,
    ) -> Option<Answer> {
        let service = Service::of(parameters);
        let xml = |result: Result<String, Refusal>| match result {
            Ok(body) => Answer { status: 200, content_type: "text/xml", body: body.into(), error: None },
            Err(Refusal { status, code, message }) => {
                let body = xml::error(service.namespace(), status, code, &message, request_id).into();
                Answer { status, content_type: "text/xml", body, error: Some(code) }
            }
        };
        let other = |content_type, body: &[u8]| Answer { status: 200, content_type, body: body.to_vec(), error: None };
        let carry_out = || {
            let result = lock(&self.state).answer(request, parameters, self.now())?;
            Ok(xml::response(service.namespace(), &parameters["Action"], &result, request_id))
        };
        Some(match fault {
            Some(Fault::Close(At::Request) | Fault::Reset(At::Request) | Fault::Hang(At::Request)) => return None,
            Some(Fault::Status(503)) => xml(Err(Refusal::new(503, "ServiceUnavailable", "Service Unavailable"))),
            Some(Fault::Status(status)) => xml(Err(Refusal::new(*status, "InternalFailure", "Internal Failure"))),
            Some(Fault::Throttling) => xml(Err(Refusal::new(400, "Throttling", "Rate exceeded"))),
            Some(Fault::Junk) => other("application/octet-stream", b"\x00\xff\x1b[31m\x7f\xc3\x28\x00junk\x80"),
            Some(Fault::Html) => {
                other("text/html", b"<!DOCTYPE html><html><body><h1>Please log in</h1></body></html>\n")
            }
            Some(Fault::Empty) => other("text/xml", b""),
            Some(Fault::Oversized) => other("text/xml", b"<GetSessionTokenResponse>\n"),
            Some(Fault::MissingField(name)) => xml(carry_out().map(|document| xml::without(&document, name))),
            Some(Fault::Field(name, text)) => xml(carry_out().map(|document| xml::with_text(&document, name, text))),
            Some(Fault::Close(_) | Fault::Reset(_) | Fault::Hang(_)) | None => xml(carry_out()),
        })
    }

    fn record(&self, connection: usize, request: &Request, parameters: &Parameters, answer: Option<&Answer>) {
        let authorization = sigv4::Authorization::of(request).ok();
        lock(&self.calls).push(Call {
            connection,
            action: parameters.get("Action").cloned().unwrap_or_default(),
            access_key_id: authorization.map(|authorization| authorization.access_key_id.to_owned()),
            has_session_token: request.header("x-amz-security-token").is_some(),
            parameters: parameters.clone(),
            status: answer.map(|answer| answer.status),
            error: answer.and_then(|answer| answer.error),
        });
    }
}

trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

/// Ends a connection in the fault's way: below TLS, and so without its farewell.
fn interrupt(fault: &Fault, socket: &TcpStream) -> io::Result<()> {
    match fault {
        // With no time to linger, RST is sent when the last handle is dropped, which the caller does next.
        Fault::Reset(_) => SockRef::from(socket).set_linger(Some(Duration::ZERO)),
        Fault::Close(_) => close(socket),
        _ => drain(socket),
    }
}

/// Sends FIN, and keeps it from becoming RST, which it would if the peer's last bytes were left unread.
fn close(socket: &TcpStream) -> io::Result<()> {
    socket.shutdown(Shutdown::Write)?;
    drain(socket)
}

/// Reads until the peer closes, or the sandbox is dropped.
fn drain(mut socket: &TcpStream) -> io::Result<()> {
    io::copy(&mut socket, &mut io::sink()).map(drop)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no thread died in here")
}
