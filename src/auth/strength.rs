//! What passwords people may choose: 8 to 128 characters of any kind, none that is tried first, and none that is made of
//! what is known of its owner. Nothing about kinds of characters; nothing is cut.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization as _;

const SHORTEST: usize = 8;
const LONGEST: usize = 128;
/// What a password needs besides the names in it, in letters and digits. A year is too little.
const BESIDES: usize = 5;

/// A line each, in lower case and in order: see `common-passwords.LICENSE`.
static COMMON: LazyLock<Vec<&'static str>> = LazyLock::new(|| include_str!("common-passwords.txt").lines().collect());

/// Why a password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    #[error("This password is too short. It must contain at least 8 characters.")]
    Short,
    #[error("This password is too long. It must contain at most 128 characters.")]
    Long,
    #[error("This password is too common.")]
    Common,
    /// Little else than a name that others know.
    #[error("The password is too similar to the {0}.")]
    Similar(&'static str),
}

/// What others may know of the owner of a password, and try. What there is not is empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Owner<'a> {
    pub username: &'a str,
    pub email: &'a str,
    pub display_name: &'a str,
    /// The host of the site.
    pub site: &'a str,
}

impl Owner<'_> {
    /// Refuses what is guessed first.
    pub fn check(&self, password: &str) -> Result<(), WeakPassword> {
        let length = password.nfc().count();
        if length < SHORTEST {
            return Err(WeakPassword::Short);
        } else if length > LONGEST {
            return Err(WeakPassword::Long);
        }
        let plain = plain(password);
        if COMMON.binary_search(&plain.as_str()).is_ok() {
            return Err(WeakPassword::Common);
        }
        let local_part = self.email.rsplit_once('@').map_or("", |(local, _)| local);
        let known = [
            ("username", self.username),
            ("email address", local_part),
            ("display name", self.display_name),
            ("name of this site", self.site),
            ("name of this site", "chatd"),
        ];
        match known.into_iter().find(|(_, name)| is_little_else(&plain, name)) {
            Some((what, _)) => Err(WeakPassword::Similar(what)),
            None => Ok(()),
        }
    }
}

/// Letters as they are looked up: of any width, in lower case.
fn plain(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

/// Whether a password says little besides this name and its words, whatever stands between letters.
fn is_little_else(password: &str, name: &str) -> bool {
    let bare = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let (password, name) = (bare(password), plain(name));
    let words = name.split(|c: char| !c.is_alphanumeric()).map(str::to_owned);
    let mut words: Vec<_> = words.chain([bare(&name)]).filter(|word| is_telling(word)).collect();
    // The whole name first, then its longest words.
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let rest = words.iter().fold(password.clone(), |rest, word| rest.replace(word, " "));
    rest != password && rest.chars().filter(|c| *c != ' ').count() < BESIDES
}

/// Initials are in many words.
fn is_telling(word: &str) -> bool {
    word.chars().count() >= if word.is_ascii() { 3 } else { 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(password: &str) -> Result<(), WeakPassword> {
        let owner = Owner {
            username: "annabella.c",
            email: "Bella.Carlsen@mail.example.org",
            display_name: "Anna Bella 山田",
            site: "talk.riverside.example",
        };
        owner.check(password)
    }

    #[test]
    fn the_list_is_long_and_in_order() {
        assert!(COMMON.len() >= 3000, "{}", COMMON.len());
        assert!(COMMON.is_sorted_by(|a, b| a < b), "a search by halves needs it");
        for word in COMMON.iter() {
            assert!(word.len() >= SHORTEST && plain(word) == **word, "{word} is never looked for");
            assert!(check(word).is_err(), "{word}");
        }
    }

    #[test]
    fn what_is_tried_first_is_refused() {
        for common in ["password1", "Password1", "ＰＡＳＳＷＯＲＤ１", "iloveyou", "1q2w3e4r5t", "trustno1"] {
            assert_eq!(check(common), Err(WeakPassword::Common), "{common}");
        }
        for (password, what) in [
            ("annabella.c", "username"),
            ("AnnaBella.C2024!", "username"),
            ("annabella-annabella", "username"),
            ("bella-carlsen-99", "email address"),
            ("Carlsen!1987", "email address"),
            ("山田山田山田山田", "display name"),
            ("anna bella 12", "username"),
            ("bella 1234 anna", "display name"),
            ("riverside2024", "name of this site"),
            ("chatdchatdchatd", "name of this site"),
            ("Chatd-1234", "name of this site"),
        ] {
            assert_eq!(check(password), Err(WeakPassword::Similar(what)), "{password}");
        }
    }

    #[test]
    fn anything_else_is_taken() {
        for good in [
            "correct horse",
            "        x",
            "ゆきのパスワード",
            "annabella likes rain",
            "mail.example.org",
            "aaaaaaaaaaaaab",
            "hannah-and-I",
            "🙂🙃🙂🙃🙂🙃🙂🙃",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        assert_eq!(Owner::default().check("ab-cd-ef"), Ok(()), "who has no names");
    }

    #[test]
    fn lengths_are_those_of_characters() {
        assert_eq!(check("1234567"), Err(WeakPassword::Short));
        assert_eq!(check("ゆきのパスワー"), Err(WeakPassword::Short));
        // Seven letters, however they were typed.
        assert_eq!(check("e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}"), Err(WeakPassword::Short));
        assert_eq!(check(&"ゆ".repeat(128)), Ok(()));
        assert_eq!(check(&"x".repeat(129)), Err(WeakPassword::Long));
    }
}
