//! Which form an answer has: JSON for programs, a plain readable page for browsers, as `Accept` and `format` say.

use super::error::ApiError;

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON with this many spaces of indentation; 0 is compact.
    Json {
        indent: usize,
    },
    Html,
}

struct Range<'a> {
    main: &'a str,
    sub: &'a str,
    indent: Option<usize>,
    has_params: bool,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (main, sub) = parts.next()?.split_once('/')?;
        let params: Vec<_> = parts.filter_map(|part| part.split_once('=')).collect();
        let indent = params.iter().find(|(name, _)| *name == "indent").and_then(|(_, n)| n.trim().parse().ok());
        let has_params = params.iter().any(|(name, _)| *name != "q");
        Some(Self { main, sub, indent, has_params })
    }

    fn precedence(&self) -> u8 {
        match (self.main, self.sub) {
            ("*", _) => 0,
            (_, "*") => 1,
            _ if self.has_params => 3,
            _ => 2,
        }
    }

    fn matches(&self, main: &str, sub: &str) -> bool {
        (self.main == "*" || self.main.eq_ignore_ascii_case(main))
            && (self.sub == "*" || self.sub.eq_ignore_ascii_case(sub))
    }
}

/// The form for these `Accept` and `format` values. As recorded, quality values do not count, only how exact a range
/// is; JSON wins a tie.
pub fn negotiate(accept: Option<&str>, format: Option<&str>) -> Result<Form, ApiError> {
    let (json, html) = match format {
        None => (true, true),
        Some("json") => (true, false),
        Some("api") => (false, true),
        Some(_) => return Err(ApiError::NotFound),
    };
    let ranges: Vec<_> = accept.unwrap_or("*/*").split(',').map(str::trim).filter_map(Range::parse).collect();
    for precedence in (0..=3).rev() {
        let equal = || ranges.iter().filter(|range| range.precedence() == precedence);
        if json && let Some(range) = equal().find(|range| range.matches("application", "json")) {
            return Ok(Form::Json { indent: range.indent.unwrap_or(0).min(8) });
        }
        if html && equal().any(|range| range.matches("text", "html")) {
            return Ok(Form::Html);
        }
    }
    Err(ApiError::NotAcceptable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_recorded() {
        const JSON: Result<Form, ApiError> = Ok(Form::Json { indent: 0 });
        for (accept, format, form) in [
            (None, None, JSON),
            (Some("application/json"), None, JSON),
            (Some("text/html,application/xhtml+xml,*/*;q=0.8"), None, Ok(Form::Html)),
            (Some("text/html"), Some("json"), Err(ApiError::NotAcceptable)),
            (Some("text/html,*/*;q=0.8"), Some("json"), JSON),
            (Some("application/xml"), None, Err(ApiError::NotAcceptable)),
            (None, Some("xml"), Err(ApiError::NotFound)),
            (None, Some("api"), Ok(Form::Html)),
            (Some("application/json; indent=4"), None, Ok(Form::Json { indent: 4 })),
            (Some("application/json; indent=99"), None, Ok(Form::Json { indent: 8 })),
            (Some("nonsense"), None, Err(ApiError::NotAcceptable)),
        ] {
            assert_eq!(negotiate(accept, format), form, "{accept:?} {format:?}");
        }
    }
}
