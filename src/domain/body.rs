//! The text of a message.

use super::is_space;

/// Text that may be sent: trimmed, not blank, without NUL, within the limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body(String);

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("This field may not be blank.")]
    Blank,
    /// U+0000 inside.
    #[error("Null characters are not allowed.")]
    Nul,
    /// More than this many Unicode scalar values.
    #[error("Ensure this field has no more than {0} characters.")]
    TooLong(usize),
}

impl Body {
    /// Trims `text` and checks it; `max` counts Unicode scalar values. All that is wrong is reported.
    pub fn new(text: &str, max: usize) -> Result<Self, Vec<TextError>> {
        let text = text.trim_matches(is_space);
        if text.is_empty() {
            return Err(vec![TextError::Blank]);
        }
        let mut errors = Vec::new();
        if text.chars().nth(max).is_some() {
            errors.push(TextError::TooLong(max));
        }
        if text.contains('\0') {
            errors.push(TextError::Nul);
        }
        if errors.is_empty() { Ok(Self(text.to_owned())) } else { Err(errors) }
    }

    /// The trimmed text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trims_like_the_recorded_api() {
        assert_eq!(Body::new("  \n padded \t body \n\n ", 50).unwrap().as_str(), "padded \t body");
        assert_eq!(Body::new("\u{1c}x\u{1f}", 50).unwrap().as_str(), "x");
        assert_eq!(Body::new("\u{a0}\u{3000}", 50), Err(vec![TextError::Blank]));
        assert_eq!(Body::new("\u{200b}", 50).unwrap().as_str(), "\u{200b}");
    }

    #[test]
    fn counts_scalar_values_after_trimming() {
        assert!(Body::new(" 🎉🎉 ", 2).is_ok());
        assert_eq!(Body::new("🎉🎉🎉", 2), Err(vec![TextError::TooLong(2)]));
        assert_eq!(Body::new("a\0b", 2), Err(vec![TextError::TooLong(2), TextError::Nul]));
    }
}
