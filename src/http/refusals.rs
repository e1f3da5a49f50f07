//! Why something is refused, in the languages of the pages. What refuses says it in English, for programs too; the
//! client and the pages for people without a session have the same lists of other words for it.

use std::collections::HashMap;
use std::sync::LazyLock;

type Words = HashMap<String, String>;

/// `#` stands for a number, in both of a pair.
static ALL: LazyLock<HashMap<&'static str, Words>> = LazyLock::new(|| {
    [
        ("de", include_str!("../../frontend/src/words/refusals-de.json")),
        ("ar", include_str!("../../frontend/src/words/refusals-ar.json")),
    ]
    .map(|(lang, list)| (lang, serde_json::from_str(list).unwrap_or_default()))
    .into()
});

/// The sentence in a language; as it stands where there are no other words for it.
pub fn said(lang: &str, sentence: &str) -> String {
    let pieces: Vec<_> = sentence.split(|c: char| !c.is_ascii_digit()).filter(|piece| !piece.is_empty()).collect();
    let general = pieces.iter().fold(sentence.to_owned(), |general, number| general.replacen(number, "#", 1));
    let Some(words) = ALL.get(lang).and_then(|words| words.get(sentence).or_else(|| words.get(&general))) else {
        return sentence.to_owned();
    };
    pieces.iter().fold(words.clone(), |said, number| said.replacen('#', number, 1))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// For programs, or for whoever runs the server.
    const NOT_FOR_PEOPLE: &[&str] = &[
        "Accounts are made by those who run this server.",
        "Enter a valid cursor.",
        "Enter a valid value: # to # letters, digits, hyphens or underscores.",
        "Select a valid choice: en, de, ar, or nothing.",
    ];

    fn general(sentence: &str) -> String {
        let mut general = String::new();
        let mut rest = sentence;
        while let Some(at) = rest.find(|c: char| c == '{' || c.is_ascii_digit()) {
            general += &rest[..at];
            general.push('#');
            rest = &rest[at..];
            rest = match rest.find('}') {
                Some(end) if rest.starts_with('{') => &rest[end + 1..],
                _ => rest.trim_start_matches(|c: char| c.is_ascii_digit()),
            };
        }
        general + rest
    }

    fn sentences(dir: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(dir).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                sentences(&path, found);
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap_or_default();
            let said = source.lines().filter_map(|line| line.trim().strip_prefix("#[error(\"")?.strip_suffix("\")]"));
            found.extend(said.filter(|text| text.starts_with(char::is_uppercase)).map(general));
        }
    }

    #[test]
    fn every_refusal_has_words_in_every_language() {
        let mut found = BTreeSet::new();
        for dir in ["auth", "domain", "chat"] {
            sentences(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(dir), &mut found);
        }
        found.retain(|sentence| !NOT_FOR_PEOPLE.contains(&sentence.as_str()));
        let similar = "The password is too similar to the #.";
        assert!(found.remove(similar) && found.len() > 25, "{found:?}");
        for what in ["username", "email address", "display name", "name of this site"] {
            found.insert(similar.replace('#', what));
        }
        let keys = |lang: &str| ALL[lang].keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(keys("de"), keys("ar"));
        let missing: Vec<_> = found.difference(&keys("de")).cloned().collect();
        assert!(missing.is_empty(), "{missing:?}");
        for (lang, words) in ALL.iter() {
            for (sentence, said) in words {
                let numbers = |text: &str| text.matches('#').count();
                assert_eq!(numbers(said), numbers(sentence), "{lang}: {sentence}");
            }
        }
    }

    #[test]
    fn numbers_stand_where_they_belong() {
        let range = "Ensure this value is between 1 and 1000.";
        assert_eq!(said("de", range), "Hier muss eine Zahl von 1 bis 1000 stehen.");
        assert_eq!(said("de", "This is not your password."), "Das ist nicht dein Passwort.");
        assert_eq!(said("en", range), range);
        assert_eq!(said("de", "Nobody has said 5 of this."), "Nobody has said 5 of this.");
    }
}
