//! What can go wrong on the way: the faults that a test orders, and for which connection or call.

/// The moment at which a connection is cut or falls silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// Right after the connection was accepted, before any TLS. Ordered for the next *connection*: one that is
    /// already open goes on.
    Accept,
    /// After a request was read to its end. It is not carried out.
    Request,
    /// In the middle of the answer's body, which its `Content-Length` then belies. The request *was* carried out: a
    /// token code in it is spent.
    Answer,
}

/// A fault. Unless it says so, the request is not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is closed in good order (FIN; no TLS alert).
    Close(At),
    /// The connection is reset (RST).
    Reset(At),
    /// Nothing more is sent, until the peer closes or the sandbox is dropped.
    Hang(At),
    /// A 5xx status with AWS's error document.
    Status(u16),
    /// 400 `Throttling`, "Rate exceeded".
    Throttling,
    /// 200 with bytes that are no text.
    Junk,
    /// 200 with a web page, as captive portals and proxies answer.
    Html,
    /// 200 without a body.
    Empty,
    /// Carried out; the first element of that name is left out of the answer.
    MissingField(&'static str),
    /// Carried out; the first element of that name has this text.
    Field(&'static str, String),
    /// 200 with XML that doesn't end before the peer closes, or before [`OVERSIZE`].
    Oversized,
}

/// How much of an endless answer is sent at most, in bytes.
pub(crate) const OVERSIZE: usize = 1 << 30;

impl Fault {
    /// Whether it befalls a connection, not a request.
    pub(crate) fn is_at_accept(&self) -> bool {
        matches!(self, Self::Close(At::Accept) | Self::Reset(At::Accept) | Self::Hang(At::Accept))
    }
}

/// The faults that are ordered and not yet used up.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Order>);

#[derive(Debug)]
struct Order {
    /// The action it is for; any, if `None`.
    action: Option<&'static str>,
    left: usize,
    fault: Fault,
}

impl Faults {
    /// Orders a fault for the next `times` requests (of that action), or connections.
    pub(crate) fn order(&mut self, action: Option<&'static str>, times: usize, fault: Fault) {
        assert!(action.is_none() || !fault.is_at_accept(), "a connection has no action yet when it is accepted");
        self.0.push(Order { action, left: times, fault });
    }

    /// The fault for a connection that was just accepted.
    pub(crate) fn for_connection(&mut self) -> Option<Fault> {
        self.take(|order| order.fault.is_at_accept())
    }

    /// The fault for a request that was just read.
    pub(crate) fn for_action(&mut self, action: &str) -> Option<Fault> {
        self.take(|order| !order.fault.is_at_accept() && order.action.is_none_or(|wanted| wanted == action))
    }

    fn take(&mut self, matches: impl Fn(&Order) -> bool) -> Option<Fault> {
        let order = self.0.iter_mut().find(|order| order.left > 0 && matches(order))?;
        order.left -= 1;
        Some(order.fault.clone())
    }
}
