//! How JSON is written.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};

/// JSON as the recorded API writes it: compact or indented, UTF-8 unescaped but for U+2028 and U+2029.
pub fn write(value: &(impl Serialize + ?Sized), indent: usize) -> String {
    let mut out = Vec::new();
    let done = if indent == 0 {
        value.serialize(&mut serde_json::Serializer::with_formatter(
            &mut out,
            Escaping(serde_json::ser::CompactFormatter),
        ))
    } else {
        let spaces = vec![b' '; indent];
        let pretty = Escaping(PrettyFormatter::with_indent(&spaces));
        value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, pretty))
    };
    done.ok().and_then(|()| String::from_utf8(out).ok()).unwrap_or_else(|| "null".to_owned())
}

/// The start of a list that is written in parts, and its end. The parts together are what [`write()`] makes of all of it;
/// the first one is not empty.
pub fn open_list(first: &[impl Serialize], indent: usize) -> (Vec<u8>, Vec<u8>) {
    let mut text = write(first, indent).into_bytes();
    let end = text.split_off(text.len() - if indent == 0 { 1 } else { 2 });
    (text, end)
}

/// A further part of it.
pub fn go_on_with_list(part: &[impl Serialize], indent: usize) -> Vec<u8> {
    if part.is_empty() {
        return Vec::new();
    }
    let (mut text, _) = open_list(part, indent);
    text[0] = b',';
    text
}

/// Escapes the two line separators that JavaScript once refused in strings.
struct Escaping<F>(F);

macro_rules! pass_on {
    ($($name:ident($($arg:ident: $type:ty),*)),* $(,)?) => {
        $(fn $name<W: ?Sized + io::Write>(&mut self, writer: &mut W $(, $arg: $type)*) -> io::Result<()> {
            self.0.$name(writer $(, $arg)*)
        })*
    };
}

impl<F: Formatter> Formatter for Escaping<F> {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, text: &str) -> io::Result<()> {
        let mut rest = text;
        while let Some(at) = rest.find(['\u{2028}', '\u{2029}']) {
            writer.write_all(&rest.as_bytes()[..at])?;
            writer.write_all(if rest[at..].starts_with('\u{2028}') { b"\\u2028" } else { b"\\u2029" })?;
            rest = &rest[at + 3..];
        }
        writer.write_all(rest.as_bytes())
    }

    pass_on!(
        begin_array(), end_array(), begin_array_value(first: bool), end_array_value(), begin_object(), end_object(),
        begin_object_key(first: bool), end_object_key(), begin_object_value(), end_object_value(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_as_recorded() {
        let value = serde_json::json!({"b": "a\u{2028}\u{2029}\u{1}é🎉<\"", "a": []});
        assert_eq!(write(&value, 0), "{\"b\":\"a\\u2028\\u2029\\u0001é🎉<\\\"\",\"a\":[]}");
        assert_eq!(write(&serde_json::json!({"a": [1]}), 4), "{\n    \"a\": [\n        1\n    ]\n}");
    }

    #[test]
    fn a_list_in_parts_is_the_list() {
        let people: Vec<_> = ["a", "b", "c"].into_iter().map(|name| serde_json::json!({"username": name})).collect();
        for indent in [0, 1, 4] {
            let (mut text, end) = open_list(&people[..1], indent);
            text.extend(go_on_with_list(&people[1..], indent));
            text.extend(go_on_with_list(&people[..0], indent));
            text.extend(end);
            assert_eq!(String::from_utf8(text).unwrap(), write(&people, indent));
        }
    }
}
