//! The token codes of a virtual MFA device: RFC 6238 with SHA-1, 30-second windows, 6 digits.

use ring::hmac;

/// The length of a window, in seconds.
pub(crate) const STEP: i64 = 30;

/// The number of the window that the time `now` (Unix seconds) falls in.
pub(crate) fn window(now: i64) -> i64 {
    now.div_euclid(STEP)
}

/// The six-digit code that a device with `secret` (raw bytes, not base32) shows during `window`.
pub(crate) fn code(secret: &[u8], window: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let mac = hmac::sign(&key, &window.to_be_bytes());
    let mac = mac.as_ref();
    let offset = usize::from(mac[mac.len() - 1] & 0x0f);
    let truncated = u32::from_be_bytes([mac[offset] & 0x7f, mac[offset + 1], mac[offset + 2], mac[offset + 3]]);
    format!("{:06}", truncated % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, the SHA-1 rows; that table shows eight digits, of which these are the last six.
    #[test]
    fn codes_are_those_of_rfc_6238() {
        for (time, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(b"12345678901234567890", window(time)), expected, "at {time}");
        }
    }
}
