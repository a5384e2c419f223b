//! The checks that AWS makes of a call's parameters before it looks at what they mean, with its list of violations.
//!
//! The ranges are those of the API reference: <https://docs.aws.amazon.com/STS/latest/APIReference/>.

use std::ops::RangeInclusive;

use super::http::Parameters;
use super::refusal::Refusal;

/// The characters that a parameter may be made of, as AWS writes the pattern down.
pub(crate) struct Pattern(&'static str, fn(char) -> bool);

pub(crate) const DIGITS: Pattern = Pattern(r"[\d]*", |c| c.is_ascii_digit());
pub(crate) const NAME: Pattern = Pattern(r"[\w+=,.@-]*", |c| is_word(c) || "+=,.@-".contains(c));
pub(crate) const SERIAL: Pattern = Pattern(r"[\w+=/:,.@-]*", |c| is_word(c) || "+=/:,.@-".contains(c));
pub(crate) const EXTERNAL_ID: Pattern = Pattern(r"[\w+=,.@:\/-]*", |c| is_word(c) || "+=,.@:/-".contains(c));
pub(crate) const ARN: Pattern = Pattern(
    r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+",
    |c| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..),
);

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Reads parameters and remembers what is wrong with them, because AWS names all violations at once.
pub(crate) struct Constraints<'p> {
    parameters: &'p Parameters,
    violations: Vec<String>,
}

impl<'p> Constraints<'p> {
    /// Begins the checks of a call.
    pub(crate) fn of(parameters: &'p Parameters) -> Self {
        Self { parameters, violations: Vec::new() }
    }

    /// A parameter that must be there; empty, and a violation, if it isn't.
    pub(crate) fn required(&mut self, name: &str, length: RangeInclusive<usize>, pattern: &Pattern) -> &'p str {
        let text = self.optional(name, length, pattern);
        if text.is_none() {
            self.violate("null", name, "Member must not be null");
        }
        text.unwrap_or_default()
    }

    /// A parameter of so many characters.
    pub(crate) fn optional(&mut self, name: &str, length: RangeInclusive<usize>, pattern: &Pattern) -> Option<&'p str> {
        let text = self.parameters.get(name)?;
        let quoted = format!("'{text}'");
        if text.chars().count() < *length.start() {
            self.violate(
                &quoted,
                name,
                &format!("Member must have length greater than or equal to {}", length.start()),
            );
        }
        if text.chars().count() > *length.end() {
            self.violate(&quoted, name, &format!("Member must have length less than or equal to {}", length.end()));
        }
        if !text.chars().all(pattern.1) {
            self.violate(&quoted, name, &format!("Member must satisfy regular expression pattern: {}", pattern.0));
        }
        Some(text)
    }

    /// A whole number; text that is none is refused at once, before AWS gets to the constraints.
    pub(crate) fn number(&mut self, name: &str, range: RangeInclusive<i64>) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.parameters.get(name) else { return Ok(None) };
        let number = text.parse().map_err(|_| Refusal::new(400, "MalformedInput", "Invalid Argument"))?;
        let quoted = format!("'{number}'");
        if number < *range.start() {
            self.violate(&quoted, name, &format!("Member must have value greater than or equal to {}", range.start()));
        }
        if number > *range.end() {
            self.violate(&quoted, name, &format!("Member must have value less than or equal to {}", range.end()));
        }
        Ok(Some(number))
    }

    /// Refuses the call if anything was violated.
    pub(crate) fn finish(self) -> Result<(), Refusal> {
        match self.violations.len() {
            0 => Ok(()),
            1 => Err(Refusal::validation(format!("1 validation error detected: {}", self.violations[0]))),
            n => Err(Refusal::validation(format!("{n} validation errors detected: {}", self.violations.join("; ")))),
        }
    }

    fn violate(&mut self, value: &str, name: &str, constraint: &str) {
        let member = [name[..1].to_ascii_lowercase().as_str(), &name[1..]].concat();
        self.violations.push(format!("Value {value} at '{member}' failed to satisfy constraint: {constraint}"));
    }
}
