//! An error as AWS words it: HTTP status, code, message.
//!
//! The wording is AWS's own, trailing blanks included, because the client's handling of it is under test. Codes that
//! all services share: <https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html>.

/// Why a request was not granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The HTTP status, 400–599.
    pub(crate) status: u16,
    /// The error code, such as `AccessDenied`.
    pub(crate) code: &'static str,
    /// The sentence for a person.
    pub(crate) message: String,
}

impl Refusal {
    /// Any refusal; the other constructors are the ones that more than one rule needs.
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// 403 `AccessDenied`.
    pub(crate) fn denied(message: impl Into<String>) -> Self {
        Self::new(403, "AccessDenied", message)
    }

    /// 400 `ValidationError`.
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationError", message)
    }

    /// 403 `SignatureDoesNotMatch`.
    pub(crate) fn signature(message: impl Into<String>) -> Self {
        Self::new(403, "SignatureDoesNotMatch", message)
    }

    /// 403 `IncompleteSignature`.
    pub(crate) fn incomplete(message: impl Into<String>) -> Self {
        Self::new(403, "IncompleteSignature", message)
    }

    /// 403 `InvalidClientTokenId`: the keys, or their session token, are not known.
    pub(crate) fn unknown_keys() -> Self {
        Self::new(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
    }
}
