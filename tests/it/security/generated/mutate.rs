//! New inputs from old ones: words are exchanged for words that a parser might stumble over, parts are moved, doubled
//! and cut, bits are turned.

use rand::Rng as _;
use rand::rngs::StdRng;

/// No input is longer.
const MOST: usize = 4096;

#[rustfmt::skip]
const WORDS: &[&[u8]] = &[
    b"", b"0", b"1", b"-1", b"+1", b"007", b"1e400", b"-0", b"9223372036854775807", b"9223372036854775808",
    b"-9223372036854775808", b"18446744073709551616", b"99999999999999999999999999", b"NaN", b"null", b"true", b"[]", b"{}", b"[1]",
    b"\"\"", b"\"ping\"", b"{\"type\":\"ping\"}", b"\\u0000", b"\\ud83d", b"\0", b"\t", b"\r\n", b"\n", b" ", b"\x1c", b"\x7f",
    b"%00", b"%ff", b"%2f", b"%", b"&", b"=", b"&page=", b"last", b"+", b";", b",", b":", b"/", b"//", b"..", b"$", b"@", b"#", b"\"", b"'",
    b"\\", b"<", b"[", b"]", b"{", b"}", b"[[", b"::", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf0\x9f\x8e\x89", b"\xef\xbb\xbf",
    "é".as_bytes(), "e\u{301}".as_bytes(), "\u{37a}".as_bytes(), "ﷺ".as_bytes(), "ﬃ".as_bytes(), "İ".as_bytes(), "ẞ".as_bytes(),
    "\u{a0}".as_bytes(), "\u{2028}".as_bytes(), "\u{202e}".as_bytes(), "\u{200b}".as_bytes(), "\u{345}".as_bytes(), "٣".as_bytes(), "ａ".as_bytes(),
    b"recipient", b"body", b"client_id", b"cursor", b"page", b"limit", b"sessionid=", b"csrftoken=", b"boundary=", b"--x\r\n", b"--x--",
    b"Content-Disposition: form-data; name=\"body\"\r\n\r\n", b"filename=\"x\"", b"text/html", b"*/*", b"application/json", b"indent=9", b"q=0",
    b".json", b"pbkdf2_sha256$", b"$argon2id$", b"$argon2d$", b"v=19", b"m=4294967295", b"t=4294967295", b"p=16777215", b"127.0.0.1", b"[::1]", b"::ffff:10.0.0.1",
    b"10.0.0.0/8", b"0.0.0.0/0", b":8000", b"localhost", b"evil.example", b"http://", b"https://", b"file://", b"secret_key", b"MESSAGES_TO_LOAD",
    b"port", b"[default]", b"'''", b"\"\"\"", b"1979-05-27", b"0x10", b"inf", b"Basic ", b"AAAA", b"====", b"chatd:0123abcd:",
];

/// An input made of one or two files of the corpus.
pub fn mutate(random: &mut StdRng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut input = corpus[random.random_range(0..corpus.len())].clone();
    for _ in 0..random.random_range(1..=6) {
        change(random, &mut input, corpus);
    }
    input.truncate(MOST);
    input
}

fn change(random: &mut StdRng, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    let at = random.random_range(0..=input.len());
    let word = WORDS[random.random_range(0..WORDS.len())];
    match random.random_range(0..12) {
        0..=2 => drop(input.splice(at..at, word.iter().copied())),
        3..=5 => {
            let (start, end) = word_at(input, at);
            drop(input.splice(start..end, word.iter().copied()));
        }
        6 => {
            let end = (at + random.random_range(1..=8)).min(input.len());
            drop(input.drain(at..end));
        }
        7 => {
            let end = (at + random.random_range(1..=64)).min(input.len());
            let part = input[at..end].repeat(random.random_range(1..=5));
            drop(input.splice(at..at, part));
        }
        8 => {
            let other = &corpus[random.random_range(0..corpus.len())];
            let from = random.random_range(0..=other.len());
            input.truncate(at);
            input.extend(&other[from..]);
        }
        9 => input.truncate(at),
        10 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << random.random_range(0..8);
            }
        }
        _ => {
            if let Some(byte) = input.get_mut(at) {
                *byte = random.random();
            }
        }
    }
}

/// Where the word or number begins and ends that stands at this place: what is one thing to a parser.
fn word_at(input: &[u8], at: usize) -> (usize, usize) {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 128 || b"_-.".contains(byte);
    let start = input[..at].iter().rposition(|byte| !is_word(byte)).map_or(0, |before| before + 1);
    let end = input[at..].iter().position(|byte| !is_word(byte)).map_or(input.len(), |after| at + after);
    (start, end)
}
