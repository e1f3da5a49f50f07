//! Where settings come from, what is said of those that cannot be used, and of keys that nobody knows.

use std::collections::BTreeSet;
use std::path::Path;

use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::{Dict, Map};
use figment::{Figment, Metadata, Profile, Provider};
use serde::{Deserialize, Deserializer};

use super::Settings;

/// Settings that cannot be used: each line names a key and where it was set.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadSettings(pub String);

/// Keys that cannot be used, each with why.
pub type Wrong = Vec<(&'static str, String)>;

/// What was loaded, and what to tell the operator about it.
pub struct Loaded {
    pub settings: Settings,
    /// Unknown keys, each with the nearest known one.
    pub warnings: Vec<String>,
}

/// Rocket's own keys, which may stand in `Rocket.toml`.
const ROCKETS: [&str; 13] = [
    "workers",
    "max_blocking",
    "keep_alive",
    "limits",
    "ident",
    "ip_header",
    "temp_dir",
    "log_level",
    "cli_colors",
    "shutdown",
    "tls",
    "profile",
    "async_runtime",
];
/// Variables that begin like a setting and are none.
const NO_SETTINGS: [&str; 2] = ["superuser_password", "settings"];

impl Settings {
    /// Loads and checks the layers. `file` replaces `local_settings.toml`, and must then be there. `more` says what is
    /// wrong that only others can know, by key.
    pub fn load(file: Option<&Path>, flags: Dict, more: impl Fn(&Self) -> Wrong) -> Result<Loaded, BadSettings> {
        if let Some(file) = file.filter(|file| !file.is_file()) {
            return Err(BadSettings(format!("{}: there is no such file", file.display())));
        }
        let local = file.unwrap_or(Path::new("local_settings.toml"));
        let env = Env::prefixed("CHATD_").filter(|key| {
            let key = key.as_str().to_ascii_lowercase();
            !key.starts_with("test_") && !NO_SETTINGS.contains(&key.as_str())
        });
        let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
        let mut given = Figment::new();
        // Where the program is started, and nowhere above it.
        if Path::new("Rocket.toml").is_file() {
            given = given.merge(Lowered(Toml::file_exact("Rocket.toml").nested()));
        }
        if local.is_file() {
            given = given.merge(Lowered(Toml::file_exact(local).profile(Profile::Global)));
        }
        let given = given.merge(env.profile(Profile::Global)).merge(Serialized::from(flags, Profile::Global));
        Self::from_layers(&given.select(profile), more)
    }

    fn from_layers(given: &Figment, more: impl Fn(&Self) -> Wrong) -> Result<Loaded, BadSettings> {
        let all = Figment::from(Serialized::defaults(Self::default())).merge(given.clone());
        let all = all.select(given.profile().clone());
        let settings: Self = all.extract().map_err(|e| BadSettings(explain(e)))?;
        let mut wrong = settings.validate();
        wrong.extend(more(&settings));
        if wrong.is_empty() {
            return Ok(Loaded { settings, warnings: unknown_keys(given) });
        }
        let lines = wrong.into_iter().map(|(key, what)| {
            let source = given.find_metadata(key).map_or_else(|| "default".to_owned(), source_name);
            format!("{} ({source}): {what}", key.to_uppercase())
        });
        Err(BadSettings(lines.collect::<Vec<_>>().join("\n")))
    }
}

/// A provider with its keys in lower case, so that two spellings in two files are one key.
struct Lowered<P>(P);

impl<P: Provider> Provider for Lowered<P> {
    fn metadata(&self) -> Metadata {
        self.0.metadata()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let lower = |dict: Dict| dict.into_iter().map(|(key, value)| (key.to_lowercase(), value)).collect();
        Ok(self.0.data()?.into_iter().map(|(profile, dict)| (profile, lower(dict))).collect())
    }
}

fn source_name(metadata: &Metadata) -> String {
    match &metadata.source {
        Some(figment::Source::File(path)) => {
            path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
        }
        _ if metadata.name.contains("environment") => "environment".to_owned(),
        _ => "command line".to_owned(),
    }
}

fn explain(errors: figment::Error) -> String {
    let lines = errors.into_iter().map(|e| {
        let source = e.metadata.as_ref().map_or_else(|| "settings".to_owned(), source_name);
        let key = e.path.join(".").to_uppercase();
        let secret = key.contains("SECRET") || key.ends_with("_URL");
        let what = if secret { "has the wrong type".to_owned() } else { e.kind.to_string() };
        if key.is_empty() {
            format!("{source}: {}", without_excerpt(&what))
        } else {
            format!("{key} ({source}): {what}")
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What is wrong with a file, and where, in one line. The file's own line, which is printed below that, may hold a
/// secret.
fn without_excerpt(what: &str) -> String {
    let is_excerpt = |line: &&str| line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ').starts_with('|');
    what.lines().filter(|line| !line.is_empty() && !is_excerpt(line)).collect::<Vec<_>>().join("; ")
}

fn unknown_keys(given: &Figment) -> Vec<String> {
    let known = serde_json::to_value(Settings::default()).unwrap_or_default();
    let known: BTreeSet<String> = known.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect();
    let Ok(data) = given.data() else { return Vec::new() };
    let keys: BTreeSet<_> = data.values().flat_map(|dict| dict.keys()).collect();
    let unknown = keys.into_iter().filter(|key| !known.contains(*key));
    let warnings = unknown.filter_map(|key| {
        let source = given.find_metadata(key).map_or_else(|| "settings".to_owned(), source_name);
        if source == "Rocket.toml" && ROCKETS.contains(&key.as_str()) {
            return None;
        }
        let near = known.iter().min_by_key(|k| strsim::damerau_levenshtein(k, key));
        let near = near.filter(|k| strsim::damerau_levenshtein(k, key) <= 4);
        let hint = near.map_or_else(String::new, |k| format!("; did you mean {}?", k.to_uppercase()));
        Some(format!("{} ({source}) is not a setting{hint}", key.to_uppercase()))
    });
    warnings.collect()
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
}

impl From<Scalar> for String {
    fn from(s: Scalar) -> Self {
        match s {
            Scalar::Text(s) => s,
            Scalar::Int(n) => n.to_string(),
            Scalar::Float(n) => n.to_string(),
            Scalar::Bool(b) => b.to_string(),
        }
    }
}

/// A text, also where a variable's value looks like a number; empty is none.
pub(super) fn maybe_text<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    let text = Option::<Scalar>::deserialize(d)?.map(String::from);
    Ok(text.filter(|text| !text.is_empty()))
}

/// A list, or its items in one text with commas between.
pub(super) fn list<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        Many(Vec<String>),
        One(Scalar),
    }
    Ok(match OneOrMany::deserialize(d)? {
        OneOrMany::Many(items) => items,
        OneOrMany::One(text) => {
            let text = String::from(text);
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
        }
    })
}

/// The two files, from texts.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn load_texts(rocket: &str, local: &str) -> Result<Loaded, BadSettings> {
    let given = Figment::new()
        .merge(Lowered(Toml::string(rocket).nested()))
        .merge(Lowered(Toml::string(local).profile(Profile::Global)));
    Settings::from_layers(&given.select("debug"), |_| vec![])
}

#[cfg(test)]
mod tests {
    use super::load_texts as load;

    #[test]
    fn both_spellings_and_the_later_layer_wins() {
        let loaded = load("[default]\nMESSAGES_TO_LOAD = 7\nport = 1", "messages_to_load = 9").unwrap();
        assert_eq!((loaded.settings.messages_to_load, loaded.settings.port), (9, 1));
        assert!(loaded.warnings.is_empty());
    }

    #[test]
    fn errors_name_the_key() {
        let error = load("", "MESSAGES_TO_LOAD = \"many\"").err().unwrap().0;
        assert!(error.starts_with("MESSAGES_TO_LOAD ("), "{error}");
        let error = load("", "message_max_length = 0\nSECRET_KEY = 'ABC1234'").err().unwrap().0;
        assert!(error.contains("MESSAGE_MAX_LENGTH") && error.contains("published"), "{error}");
        assert!(!error.contains("ABC1234"), "a secret in an error: {error}");
    }

    #[test]
    fn a_broken_file_is_not_quoted() {
        for (broken, place) in
            [("SECRET_KEY = hush-hush", "line 1, column 14"), ("a = 1\nREDIS_URL = \"hush", "line 2")]
        {
            let error = load("", broken).err().unwrap().0;
            assert!(error.contains(place) && error.lines().count() == 1 && !error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn unknown_keys_have_a_nearest_match() {
        let loaded = load("", "MESSAGE_TO_LOAD = 7").unwrap();
        assert_eq!(loaded.warnings.len(), 1);
        assert!(loaded.warnings[0].ends_with("did you mean MESSAGES_TO_LOAD?"), "{:?}", loaded.warnings);
    }
}
