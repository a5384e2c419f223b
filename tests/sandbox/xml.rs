//! The XML of AWS's Query protocol, written; and the two ways in which a fault spoils it.

/// An element with text in it.
pub(crate) fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escape(text))
}

/// A successful answer around `result`, which is XML.
pub(crate) fn response(namespace: &str, action: &str, result: &str, request_id: &str) -> String {
    format!(
        "<{action}Response xmlns=\"{namespace}\">\n  <{action}Result>{result}</{action}Result>\n  \
         <ResponseMetadata>{}</ResponseMetadata>\n</{action}Response>\n",
        element("RequestId", request_id)
    )
}

/// An error. AWS calls the client's errors those of the `Sender`, its own those of the `Receiver`.
pub(crate) fn error(namespace: &str, status: u16, code: &str, message: &str, request_id: &str) -> String {
    let fault = if status < 500 { "Sender" } else { "Receiver" };
    format!(
        "<ErrorResponse xmlns=\"{namespace}\">\n  <Error>\n    {}\n    {}\n    {}\n  </Error>\n  {}\n</ErrorResponse>\n",
        element("Type", fault),
        element("Code", code),
        element("Message", message),
        element("RequestId", request_id)
    )
}

/// The document with the first element of that name left out.
pub(crate) fn without(document: &str, name: &str) -> String {
    replace(document, name, "")
}

/// The document with other text in the first element of that name.
pub(crate) fn with_text(document: &str, name: &str, text: &str) -> String {
    replace(document, name, &element(name, text))
}

fn replace(document: &str, name: &str, replacement: &str) -> String {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    match (document.find(&open), document.find(&close)) {
        (Some(start), Some(end)) => [&document[..start], replacement, &document[end + close.len()..]].concat(),
        _ => document.to_owned(),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
