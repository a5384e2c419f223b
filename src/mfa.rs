//! The MFA device's serial number and the token code that it shows.

use std::fmt;

use crate::credentials::Secret;
use crate::error::Error;

/// The identification number of an MFA device: the ARN of a virtual one, or a hardware token's `GAHT12345678`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SerialNumber(String);

impl SerialNumber {
    /// Checks what STS would refuse anyway: 9 to 256 characters of `[\w+=/:,.@-]`
    /// ([GetSessionToken](https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html)), and the two
    /// ARNs that are pasted by mistake: a FIDO security key's, which STS can't use, and the user's own.
    ///
    /// # Errors
    /// Says which of these it is, and for `origin` where the text came from.
    pub(crate) fn parse(text: &str, origin: &str) -> Result<Self, Error> {
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_+=/:,.@-".contains(letter);
        let reason = if text.contains(":u2f/") {
            "is a FIDO security key, which STS can't use: it needs a virtual or hardware device that shows codes"
        } else if text.contains(":user/") {
            "is the ARN of a user, not of an MFA device (`…:mfa/…`)"
        } else if !(9..=256).contains(&text.len()) || !text.chars().all(allowed) {
            "is no serial number: 9 to 256 letters, digits and `_+=/:,.@-`"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(Error::Invalid { origin: origin.to_owned(), value: text.to_owned(), reason })
    }

    /// The device that a user probably has: a virtual one of the user's own name, in the same partition and account.
    /// `None` where the ARN is no user's. The console proposes that name, but other ones are possible.
    pub(crate) fn derive(caller: &str) -> Option<Self> {
        let (account, path) = caller.split_once(":user/")?;
        let name = path.rsplit('/').next()?;
        Some(Self(format!("{account}:mfa/{name}")))
    }

    /// The account that the device belongs to; `None` for a hardware token.
    pub(crate) fn account(&self) -> Option<&str> {
        account(&self.0)
    }

    /// The number as AWS takes it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The account in an ARN, `arn:partition:service:region:account:resource`.
pub(crate) fn account(arn: &str) -> Option<&str> {
    let field = arn.strip_prefix("arn:")?.split(':').nth(3)?;
    (!field.is_empty() && field.bytes().all(|digit| digit.is_ascii_digit())).then_some(field)
}

/// The six digits that an MFA device shows. Each code is good for one call.
pub(crate) struct TokenCode(Secret);

impl TokenCode {
    /// Six digits; blanks between them are forgiven, as some apps show `123 456`.
    pub(crate) fn parse(text: &Secret) -> Option<Self> {
        let mut digits = String::with_capacity(6);
        for letter in text.expose().chars().filter(|letter| !letter.is_whitespace()) {
            if !letter.is_ascii_digit() || digits.len() == 6 {
                return None;
            }
            digits.push(letter);
        }
        (digits.len() == 6).then(|| Self(Secret::new(digits)))
    }

    /// The digits, for the request that carries them.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_code_is_six_digits_however_they_are_spaced() {
        for good in ["123456", "123 456", " 1 2 3 4 5 6 ", "123456\r", "000000"] {
            assert!(TokenCode::parse(&Secret::new(good.to_owned())).is_some(), "{good:?}");
        }
        for bad in ["", "12345", "1234567", "12345a", "１２３４５６", "-12345", "123-456"] {
            assert!(TokenCode::parse(&Secret::new(bad.to_owned())).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn the_device_is_derived_from_the_user_without_its_path() {
        for (caller, device) in [
            ("arn:aws:iam::123456789012:user/alice", Some("arn:aws:iam::123456789012:mfa/alice")),
            ("arn:aws:iam::123456789012:user/team/blue/alice", Some("arn:aws:iam::123456789012:mfa/alice")),
            ("arn:aws-cn:iam::123456789012:user/alice", Some("arn:aws-cn:iam::123456789012:mfa/alice")),
            ("arn:aws:iam::123456789012:root", None),
            ("arn:aws:sts::123456789012:assumed-role/deploy/awsmfa", None),
        ] {
            assert_eq!(SerialNumber::derive(caller).as_ref().map(SerialNumber::as_str), device, "{caller}");
        }
    }

    #[test]
    fn a_serial_number_that_sts_would_refuse_is_refused_first() {
        for good in
            ["arn:aws:iam::123456789012:mfa/miket92", "GAHT12345678", "arn:aws-us-gov:iam::1:mfa/a_b+c=d,e.f@g-h"]
        {
            assert!(SerialNumber::parse(good, "").is_ok(), "{good}");
        }
        let long = "a".repeat(257);
        for bad in
            ["", "12345678", &long, "GAHT 1234567", "arn:aws:iam::1:u2f/user/a/b-C", "arn:aws:iam::1:user/miket92"]
        {
            assert!(SerialNumber::parse(bad, "").is_err(), "{bad}");
        }
    }

    #[test]
    fn the_account_is_the_fifth_field_of_an_arn() {
        assert_eq!(account("arn:aws:iam::123456789012:mfa/miket92"), Some("123456789012"));
        assert_eq!(account("GAHT12345678"), None);
        assert_eq!(account("arn:aws:iam::aws:policy/x"), None);
    }
}
