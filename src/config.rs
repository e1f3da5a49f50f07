//! Settings: defaults < `Rocket.toml` < `local_settings.toml` < `CHATD_*` variables < flags, in one struct.
//!
//! A key may be written `MESSAGES_TO_LOAD` or `messages_to_load`; keys are lower-cased before the layers are merged.
//! To add one: a field with its default here, a line in `local_settings.toml.example`, a rule in `validate` if it can
//! be wrong. A test loads the example with every line uncommented.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::{Dict, Map};
use figment::{Figment, Metadata, Profile, Provider};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize};

/// Everything that can be set.
#[derive(Clone, Deserialize, Serialize)]
pub struct Settings {
    /// Where `serve` listens.
    pub address: IpAddr,
    pub port: u16,
    /// Where the embedded database and the made secret are kept.
    pub data_dir: PathBuf,
    /// `sqlite:PATH` or `mysql://USER:PASSWORD@HOST/NAME`; none is SQLite in `data_dir`.
    #[serde(deserialize_with = "maybe_text")]
    pub database_url: Option<String>,
    /// The bus between several processes; none is one process.
    #[serde(deserialize_with = "maybe_text")]
    pub redis_url: Option<String>,
    /// Where people find chatd, with the path if it is not at the root: links and the allowed host come from it.
    #[serde(deserialize_with = "maybe_text")]
    pub public_url: Option<String>,
    /// Further names by which a request may call this server.
    #[serde(deserialize_with = "list")]
    pub allowed_hosts: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    #[serde(deserialize_with = "list")]
    pub trusted_proxies: Vec<String>,
    /// None: made on the first start and kept in `data_dir`.
    #[serde(deserialize_with = "maybe_text")]
    pub secret_key: Option<String>,
    /// Messages of a page of `message/`, and of the client's first load.
    pub messages_to_load: u32,
    /// The longest text, in Unicode scalar values.
    pub message_max_length: usize,
    pub session_days: u32,
    /// The oldest is closed when a user opens one more.
    pub sockets_per_user: usize,
    pub event_log_days: u32,
    /// The most rows of one user's log.
    pub event_log_max: u32,
    /// How long `serve` goes on answering after it was asked to end.
    pub drain_seconds: u32,
    /// HTTP Basic on `/api/v1/` and `/api/v1/user/`.
    pub basic_auth: bool,
    /// Wrong passwords a minute, for each account and for each address.
    pub login_failures_per_minute: u32,
    /// How often each process reads the heads of its connected users, whatever the bus says.
    pub head_poll_seconds: u32,
    /// The most connections to MySQL.
    pub database_connections: u32,
    /// `error`, `warn`, `info` or `debug`.
    pub log: String,
    /// `text` or `json`.
    pub log_format: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 8000,
            data_dir: "data".into(),
            database_url: None,
            redis_url: None,
            public_url: None,
            allowed_hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            secret_key: None,
            messages_to_load: 15,
            message_max_length: 10_000,
            session_days: 14,
            sockets_per_user: 10,
            event_log_days: 30,
            event_log_max: 100_000,
            drain_seconds: 5,
            basic_auth: true,
            login_failures_per_minute: 10,
            head_poll_seconds: 5,
            database_connections: 16,
            log: "info".to_owned(),
            log_format: "text".to_owned(),
        }
    }
}

/// Settings that cannot be used: each line names a key and where it was set.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadSettings(pub String);

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
    /// Loads and checks the layers. `file` replaces `local_settings.toml`, and must then be there.
    pub fn load(file: Option<&Path>, flags: Dict) -> Result<Loaded, BadSettings> {
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
        Self::from_layers(&given.select(profile))
    }

    fn from_layers(given: &Figment) -> Result<Loaded, BadSettings> {
        let all = Figment::from(Serialized::defaults(Self::default())).merge(given.clone());
        let all = all.select(given.profile().clone());
        let settings: Self = all.extract().map_err(|e| BadSettings(explain(e)))?;
        settings.validate().map_err(|errors| {
            let lines = errors.into_iter().map(|(key, what)| {
                let source = given.find_metadata(key).map_or_else(|| "default".to_owned(), source_name);
                format!("{} ({source}): {what}", key.to_uppercase())
            });
            BadSettings(lines.collect::<Vec<_>>().join("\n"))
        })?;
        Ok(Loaded { settings, warnings: unknown_keys(given) })
    }

    fn validate(&self) -> Result<(), Vec<(&'static str, String)>> {
        let mut errors = Vec::new();
        let mut check = |good: bool, key, what: &str| {
            if !good {
                errors.push((key, what.to_owned()));
            }
        };
        let range = "must lie between";
        check((1..=1000).contains(&self.messages_to_load), "messages_to_load", &format!("{range} 1 and 1000"));
        let length = (1..=1_000_000).contains(&self.message_max_length);
        check(length, "message_max_length", &format!("{range} 1 and 1000000"));
        check((1..=3650).contains(&self.session_days), "session_days", &format!("{range} 1 and 3650"));
        check((1..=1000).contains(&self.sockets_per_user), "sockets_per_user", &format!("{range} 1 and 1000"));
        check((1..=3650).contains(&self.event_log_days), "event_log_days", &format!("{range} 1 and 3650"));
        check(self.event_log_max >= 100, "event_log_max", "must be at least 100");
        check(self.drain_seconds <= 300, "drain_seconds", "must be at most 300");
        let failures = (1..=100_000).contains(&self.login_failures_per_minute);
        check(failures, "login_failures_per_minute", &format!("{range} 1 and 100000"));
        check((1..=3600).contains(&self.head_poll_seconds), "head_poll_seconds", &format!("{range} 1 and 3600"));
        check((2..=1000).contains(&self.database_connections), "database_connections", &format!("{range} 2 and 1000"));
        check(["error", "warn", "info", "debug"].contains(&&*self.log), "log", "must be error, warn, info or debug");
        check(["text", "json"].contains(&&*self.log_format), "log_format", "must be text or json");
        let url = self.database_url.as_deref();
        let known = url.is_none_or(|url| url.starts_with("sqlite:") || url.starts_with("mysql://"));
        check(known, "database_url", "must begin with sqlite: or mysql://");
        let known =
            self.redis_url.as_deref().is_none_or(|url| url.starts_with("redis:") || url.starts_with("redis+unix:"));
        check(known, "redis_url", "must begin with redis://");
        let proxies = self.trusted_proxies.iter().all(|proxy| parse_net(proxy).is_some());
        check(proxies, "trusted_proxies", "must be addresses or networks, as 127.0.0.1 or 10.0.0.0/8");
        check(
            self.public_url.is_none() || self.origin().is_some(),
            "public_url",
            "must be http(s)://HOST[:PORT][/PATH]",
        );
        if let Some(key) = &self.secret_key {
            check(key != "ABC1234", "secret_key", "is the published one of the predecessor; remove it or choose one");
            check(key.len() >= 32, "secret_key", "must have at least 32 characters; remove it to have one made");
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// The database's address.
    pub fn database(&self) -> String {
        self.database_url.clone().unwrap_or_else(|| format!("sqlite:{}", self.data_dir.join("chat.sqlite3").display()))
    }

    /// The embedded database's file; none with MySQL.
    pub fn sqlite_path(&self) -> Option<PathBuf> {
        let url = self.database();
        url.strip_prefix("sqlite:").map(|path| PathBuf::from(path.trim_start_matches("//")))
    }

    /// `PUBLIC_URL` in its parts.
    pub fn origin(&self) -> Option<Origin> {
        Origin::parse(self.public_url.as_deref()?)
    }

    /// The path under which everything lies: `/`, or `/PATH/`.
    pub fn base(&self) -> String {
        self.origin().map_or_else(|| "/".to_owned(), |origin| origin.base)
    }

    /// The proxies whose word is believed.
    pub fn proxies(&self) -> Vec<IpNet> {
        self.trusted_proxies.iter().filter_map(|proxy| parse_net(proxy)).collect()
    }

    pub fn session_length(&self) -> Duration {
        Duration::from_secs(u64::from(self.session_days) * 86_400)
    }

    /// The largest request body, in bytes: a JSON escape is at most 12 bytes a character.
    pub fn body_limit(&self) -> usize {
        12 * self.message_max_length + 8 * 1024
    }
}

/// Never with its secrets.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.listing())
    }
}

impl Settings {
    /// Every key and value, a line each, with secrets as `***`.
    pub fn listing(&self) -> String {
        let mut out = String::new();
        let map = serde_json::to_value(self).unwrap_or_default();
        for (key, value) in map.as_object().into_iter().flatten() {
            let value = match (key.as_str(), value.as_str()) {
                ("secret_key", Some(_)) => "\"***\"".to_owned(),
                ("database_url" | "redis_url", Some(url)) => format!("{:?}", without_password(url)),
                _ => value.to_string(),
            };
            let _ = writeln!(out, "{} = {value}", key.to_uppercase());
        }
        out
    }
}

/// An address without its password, for people to read.
pub fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(start), Some(end)) if start < end => {
            let who = &url[start + 3..end];
            let name = who.split(':').next().unwrap_or_default();
            let secret = if who.contains(':') { ":***" } else { "" };
            format!("{}{name}{secret}{}", &url[..start + 3], &url[end..])
        }
        _ => url.to_owned(),
    }
}

/// `PUBLIC_URL` in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub https: bool,
    /// Host and port, as the `Host` header has them.
    pub host: String,
    /// `/` or `/PATH/`.
    pub base: String,
}

impl Origin {
    fn parse(url: &str) -> Option<Self> {
        let (https, rest) = match url.split_once("://")? {
            ("https", rest) => (true, rest),
            ("http", rest) => (false, rest),
            _ => return None,
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
        let path = path.trim_matches('/');
        let path_ok = path.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c)) && !path.contains("//");
        if host.is_empty() || !host.chars().all(plain) || !path_ok {
            return None;
        }
        let base = if path.is_empty() { "/".to_owned() } else { format!("/{path}/") };
        Some(Self { https, host: host.to_ascii_lowercase(), base })
    }
}

fn parse_net(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
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
        if key.is_empty() { format!("{source}: {what}") } else { format!("{key} ({source}): {what}") }
    });
    lines.collect::<Vec<_>>().join("\n")
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
fn maybe_text<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    let text = Option::<Scalar>::deserialize(d)?.map(String::from);
    Ok(text.filter(|text| !text.is_empty()))
}

/// A list, or its items in one text with commas between.
fn list<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<String>, D::Error> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn load(rocket: &str, local: &str) -> Result<Loaded, BadSettings> {
        let given = Figment::new()
            .merge(Lowered(Toml::string(rocket).nested()))
            .merge(Lowered(Toml::string(local).profile(Profile::Global)));
        Settings::from_layers(&given.select("debug"))
    }

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
    fn unknown_keys_have_a_nearest_match() {
        let loaded = load("", "MESSAGE_TO_LOAD = 7").unwrap();
        assert_eq!(loaded.warnings.len(), 1);
        assert!(loaded.warnings[0].ends_with("did you mean MESSAGES_TO_LOAD?"), "{:?}", loaded.warnings);
    }

    #[test]
    fn secrets_are_not_shown() {
        let settings = Settings {
            secret_key: Some("s".repeat(40)),
            database_url: Some("mysql://me:hidden@db/chat".to_owned()),
            ..Settings::default()
        };
        let shown = format!("{settings:?}");
        assert!(shown.contains("SECRET_KEY = \"***\"") && shown.contains("mysql://me:***@db/chat"), "{shown}");
        assert!(!shown.contains("hidden") && !shown.contains("sss"));
    }

    #[test]
    fn origins() {
        let of = |url| Origin::parse(url).map(|o| (o.https, o.host, o.base));
        assert_eq!(of("https://Chat.example:8443"), Some((true, "chat.example:8443".into(), "/".into())));
        assert_eq!(of("http://x/a/b/"), Some((false, "x".into(), "/a/b/".into())));
        for bad in ["chat.example", "ftp://x", "https://", "https://a b", "https://x/?y"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
