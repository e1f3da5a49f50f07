//! Names that people choose for themselves: none that pretends to be somebody, or the operator.

use std::collections::HashSet;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};
use unicode_security::{MixedScript as _, skeleton};

use super::{UserId, UserKey, Username};

/// Why somebody may not call themselves that. An operator may name an account so all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefusedName {
    /// Letters that no script has together: `а` and `a` in one name.
    #[error("This name mixes letters of different scripts.")]
    Mixed,
    /// It reads as if the operator wrote.
    #[error("This name is reserved.")]
    Reserved,
    /// Nothing but `@ . + - _`.
    #[error("A name needs a letter or a digit.")]
    NoLetter,
}

/// What reads as if the operator, or the program, wrote.
const RESERVED: &[&str] = &[
    "abuse",
    "admin",
    "administrator",
    "all",
    "announcement",
    "anonymous",
    "billing",
    "bot",
    "chatd",
    "contact",
    "deleted",
    "deletedaccount",
    "deleteduser",
    "everybody",
    "everyone",
    "help",
    "helpdesk",
    "here",
    "hostmaster",
    "info",
    "mailerdaemon",
    "me",
    "mod",
    "moderator",
    "news",
    "nobody",
    "noreply",
    "null",
    "official",
    "operator",
    "owner",
    "postmaster",
    "root",
    "security",
    "service",
    "staff",
    "superuser",
    "support",
    "sysadmin",
    "system",
    "team",
    "undefined",
    "unknown",
    "webmaster",
    "you",
];

impl Username {
    /// Whether somebody may choose this name in signing up.
    pub fn check_chosen(&self) -> Result<(), RefusedName> {
        let key = self.key();
        let bare: String = key.as_str().chars().filter(|c| !"@.+-_".contains(*c)).collect();
        if bare.is_empty() {
            return Err(RefusedName::NoLetter);
        }
        if !bare.as_str().is_single_script() {
            return Err(RefusedName::Mixed);
        }
        if is_reserved(&bare) {
            return Err(RefusedName::Reserved);
        }
        Ok(())
    }
}

/// What the reserved words look like.
static RESERVED_LOOKS: LazyLock<HashSet<String>> = LazyLock::new(|| RESERVED.iter().map(|word| look(word)).collect());
/// How the name of an erased account begins, in what it looks like.
static ERASED_LOOK: LazyLock<String> = LazyLock::new(|| look("deleted"));

/// Whether letters and digits read as if the operator wrote.
pub(super) fn is_reserved(bare: &str) -> bool {
    let looks = look(bare);
    // In what it looks like, `0` is `o` and `1` is `l`.
    let erased =
        looks.strip_prefix(ERASED_LOOK.as_str()).is_some_and(|rest| rest.chars().all(|c| "23456789ol".contains(c)));
    erased || RESERVED_LOOKS.contains(&looks)
}

/// What an erased account is called: a name that [`Username::new`] gives to nobody. `again` follows where somebody has had
/// that name since before it was kept free.
pub fn placeholder(user: UserId, again: Option<u32>) -> UserKey {
    UserKey(again.map_or_else(|| format!("{PLACEHOLDER}{user}"), |again| format!("{PLACEHOLDER}{user}-{again:08x}")))
}

const PLACEHOLDER: &str = "deleted-";

/// Whether an erased account may be called so.
pub(super) fn is_placeholder(key: &UserKey) -> bool {
    key.as_str().strip_prefix(PLACEHOLDER).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

impl UserKey {
    /// A hash of what the name looks like (UTS 39): two names with the same one cannot be told apart by the eye.
    pub fn look_hash(&self) -> String {
        Sha256::digest(look(self.as_str()).as_bytes()).iter().fold(String::with_capacity(64), |mut text, byte| {
            use std::fmt::Write as _;
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// The skeleton, in lower case: `0`, `O` and `o` look alike, and so do `l`, `1` and `I`.
fn look(name: &str) -> String {
    let lower = skeleton(name).flat_map(char::to_lowercase).collect::<String>();
    skeleton(&lower).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(name: &str) -> Result<(), RefusedName> {
        Username::new(name).unwrap().check_chosen()
    }

    #[test]
    fn names_of_one_script_may_be_chosen() {
        for name in ["ann", "böb", "anna.maria-2", "ゆき", "山田はなこ", "Ольга", "محمد", "नमस्ते", "김철수", "x"]
        {
            assert_eq!(chosen(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn what_pretends_is_refused() {
        for name in ["аnn", "boв", "раypal", "Οmega"] {
            assert_eq!(chosen(name), Err(RefusedName::Mixed), "{name}");
        }
        for name in [
            "admin",
            "ADMIN",
            "ad.min",
            "adrnin",
            "r00t",
            "supp0rt",
            "chatd",
            "no-reply",
            "_root_",
            "Deleted.7",
            "de1eted10",
        ] {
            assert_eq!(chosen(name), Err(RefusedName::Reserved), "{name}");
        }
        assert_eq!(chosen("..."), Err(RefusedName::NoLetter));
    }

    #[test]
    fn names_that_look_alike_have_one_look() {
        let look = |name: &str| UserKey::new(name).unwrap().look_hash();
        for (one, other) in [("paypal", "paypa1"), ("mary", "rnary"), ("bob", "b0b"), ("аре", "ape"), ("ANN", "ann")]
        {
            assert_eq!(look(one), look(other), "{one} {other}");
        }
        for (one, other) in [("ann", "anna"), ("bob", "böb"), ("ann2", "ann3")] {
            assert_ne!(look(one), look(other), "{one} {other}");
        }
    }
}
