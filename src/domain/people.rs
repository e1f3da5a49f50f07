//! By what people are found: the start of a username, of a display name, or of one of its words, in any script.

use unicode_script::{Script, UnicodeScript as _};

use super::user::{MAX_NAME, fold, is_mark};
use super::{User, UserId, UserKey, is_space};

/// The most names by which one person is found.
const MOST: usize = 16;

/// People found, and where the next page starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeoplePage {
    pub people: Vec<User>,
    pub next: Option<Place>,
}

/// Where a name stands among all names: by its key, a username before others, then by the user's number. Its bytes are
/// for the store and for cursors.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub Vec<u8>);

impl Place {
    /// More than the longest key has.
    pub const MOST_BYTES: usize = 4 * MAX_NAME + 10;

    fn new(name: &Name, user: UserId) -> Self {
        let mut bytes = name.key.as_bytes().to_vec();
        // No key has a zero byte: what stands behind it is never taken for letters.
        bytes.extend([0, u8::from(!name.is_username)]);
        bytes.extend(user.to_be_bytes());
        Self(bytes)
    }
}

/// What somebody typed to find people, in the form of the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePrefix(String);

impl NamePrefix {
    /// Of any text; may be empty, and is then the start of every name.
    pub fn new(text: &str) -> Self {
        Self(key(text, MAX_NAME + 1))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// In how many parts of the names ([`places`]) it may be found; none if no name is that long.
    pub fn parts(&self) -> std::ops::RangeInclusive<i64> {
        let letters = self.0.chars().count();
        let last = if letters > MAX_NAME { 0 } else { i64::try_from(letters).unwrap_or(0) };
        i64::from(letters > 0)..=last
    }

    /// The places of names that begin so are above the first, and below the second.
    pub fn bounds(&self) -> (Vec<u8>, Vec<u8>) {
        let bytes = self.0.as_bytes().to_vec();
        // In UTF-8 no letter begins with this byte.
        let end = bytes.iter().copied().chain([0xff]).collect();
        (bytes, end)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    key: String,
    is_username: bool,
}

/// The places of a person's names, each with its part. Part 0 has the one by which the person is listed. Part `n` has the
/// names that are, for a prefix of `n` or more letters, the first of this person's names that begin so. So whoever looks
/// for `n` letters looks into the parts 1 to `n`, and finds nobody twice: not in a page, and not in a later one.
pub fn places(user: UserId, username: &UserKey, display_name: &str) -> Vec<(i64, Place)> {
    let shown = key(display_name, MAX_NAME);
    let own = Name { key: username.as_str().to_owned(), is_username: true };
    let listed = if shown.is_empty() { own.clone() } else { Name { key: shown.clone(), is_username: false } };
    let mut names: Vec<_> = ends(&shown).map(|key| Name { key: key.to_owned(), is_username: false }).collect();
    names.push(own);
    names.sort_by(|a, b| a.key.cmp(&b.key).then(b.is_username.cmp(&a.is_username)));
    names.dedup_by(|a, b| a.key == b.key);
    let mut places = vec![(0, Place::new(&listed, user))];
    let mut before = "";
    for name in &names {
        // Of names in order the one before has the longest start in common.
        let common = before.chars().zip(name.key.chars()).take_while(|(a, b)| a == b).count();
        places.push((i64::try_from(common).unwrap_or(0) + 1, Place::new(name, user)));
        before = &name.key;
    }
    places
}

/// The key of a display name: as a username's, with one space between words and nothing that cannot be seen; of so many
/// characters at most.
fn key(text: &str, most: usize) -> String {
    let seen = text.chars().map(|c| if is_space(c) { ' ' } else { c }).filter(|c| !c.is_control());
    let folded = fold(&seen.collect::<String>());
    let words: Vec<_> = folded.split(is_space).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(most).collect()
}

/// A key from each of its words on, the whole first. Where words have no space between them, from each letter on; of
/// those there are only as many as there is room for.
fn ends(key: &str) -> impl Iterator<Item = &str> {
    let (mut words, mut letters) = (Vec::new(), Vec::new());
    let mut before = None;
    for (at, c) in key.char_indices() {
        if c.is_alphanumeric() && !is_mark(c) {
            match before {
                Some(b) if is_letter(b) && is_dense(b) == is_dense(c) && !is_dense(c) => {}
                Some(b) if is_letter(b) => letters.push(at),
                _ => words.push(at),
            }
        }
        before = Some(c);
    }
    let whole = (!key.is_empty() && words.first() != Some(&0)).then_some(0);
    whole.into_iter().chain(words).chain(letters).take(MOST - 1).map(move |at| &key[at..])
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || is_mark(c)
}

/// Whether names in this script have no spaces between their parts.
fn is_dense(c: char) -> bool {
    matches!(c.script(), Script::Han | Script::Hiragana | Script::Katakana | Script::Hangul | Script::Bopomofo)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_ends(name: &str) -> Vec<String> {
        let key = key(name, MAX_NAME);
        ends(&key).map(str::to_owned).collect()
    }

    /// How often a person with these names is found by a text.
    fn times(username: &str, display_name: &str, typed: &str) -> usize {
        let prefix = NamePrefix::new(typed);
        let (from, to) = prefix.bounds();
        let places = places(7, &UserKey::new(username).unwrap(), display_name);
        let found =
            places.iter().filter(|(part, place)| prefix.parts().contains(part) && place.0 > from && place.0 < to);
        found.count()
    }

    #[test]
    fn a_name_is_found_from_each_word_on() {
        assert_eq!(all_ends("Ann  Bo\tCarlsen "), ["ann bo carlsen", "bo carlsen", "carlsen"]);
        assert_eq!(all_ends("Jean-Luc O’Brien"), ["jean-luc o’brien", "luc o’brien", "o’brien", "brien"]);
        assert_eq!(all_ends("山田 太郎"), ["山田 太郎", "太郎", "田 太郎", "郎"]);
        assert_eq!(all_ends("김철수"), ["김철수", "철수", "수"]);
        assert_eq!(all_ends("田中Ann"), ["田中ann", "中ann", "ann"]);
        assert_eq!(all_ends("สมชาย ใจดี"), ["สมชาย ใจดี", "ใจดี"]);
        assert_eq!(all_ends("नमस्ते जी"), ["नमस्ते जी", "जी"]);
        assert_eq!(all_ends("★ Ann"), ["★ ann", "ann"]);
        assert_eq!(all_ends("…"), ["..."]);
        assert_eq!(all_ends(" "), [] as [&str; 0]);
        assert_eq!(all_ends(&"ab ".repeat(100)).len(), MOST - 1);
    }

    #[test]
    fn nobody_is_found_twice_by_one_text() {
        let people = [
            ("ann.c", "Ann Anne Annette Carlsen"),
            ("ann", "Ann"),
            ("bo", "Bo Bo Bo"),
            ("x", ""),
            ("山田", "山田 山 山田太郎"),
            ("anna", "Ａｎｎ \u{1}\0 an"),
        ];
        let texts =
            ["", "a", "an", "ANN", "ann ", "ann c", "anne", "annette", "b", "bo", "bo b", "山", "山田", "c", "x"];
        for (username, display_name) in people {
            for typed in texts {
                let prefix = NamePrefix::new(typed);
                let shown = key(display_name, MAX_NAME);
                let own = UserKey::new(username).unwrap();
                let names = ends(&shown).chain([own.as_str()]);
                let wanted = names.filter(|name| name.starts_with(prefix.as_str())).count().min(1);
                assert_eq!(times(username, display_name, typed), wanted, "{username} {display_name} {typed}");
            }
        }
    }

    #[test]
    fn texts_that_no_name_begins_with() {
        assert_eq!(NamePrefix::new(&"x".repeat(150)).parts().count(), 150);
        assert_eq!(NamePrefix::new(&"x".repeat(151)).parts().count(), 0);
        assert_eq!(NamePrefix::new("a\0\u{1}b").as_str(), "ab");
        let long = "x".repeat(150);
        assert!(
            places(i64::MAX, &UserKey::new(&long).unwrap(), &"ﷺ".repeat(150))
                .iter()
                .all(|(_, place)| { place.0.len() <= Place::MOST_BYTES })
        );
    }
}
