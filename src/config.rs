//! Settings: defaults < `Rocket.toml` < `local_settings.toml` < `CHATD_*` variables < flags, in one struct.
//!
//! A key may be written `MESSAGES_TO_LOAD` or `messages_to_load`; keys are lower-cased before the layers are merged.
//! To add one: a field with its default here, a line in `local_settings.toml.example`, a rule in `validate` if it can
//! be wrong. A test loads the example with every line uncommented.

#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod layers;
mod origin;

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

pub use layers::{BadSettings, Loaded, Wrong};
use layers::{list, maybe_text};
pub use origin::Origin;

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
    /// What mail is handed over to: `smtp://…`, `smtps://…` or `dir:PATH`; none is no mail.
    #[serde(deserialize_with = "maybe_text")]
    pub email_url: Option<String>,
    /// Who sends mail: `chatd <chatd@example.org>`.
    #[serde(deserialize_with = "maybe_text")]
    pub email_from: Option<String>,
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
    /// A session that was not used for so long ends before that.
    pub session_idle_days: u32,
    /// The oldest is closed when a user opens one more.
    pub sockets_per_user: usize,
    pub event_log_days: u32,
    /// The most rows of one user's log.
    pub event_log_max: u32,
    /// How long `serve` goes on answering after it was asked to end.
    pub drain_seconds: u32,
    /// HTTP Basic on `/api/v1/` and `/api/v1/user/`.
    pub basic_auth: bool,
    /// The most users that `GET user/` lists whole; 0 is never.
    pub user_list_max: u32,
    /// Wrong passwords a minute, for each account and for each address.
    pub login_failures_per_minute: u32,
    /// What a user may write: so many a second, and so many at once.
    pub messages_per_second: u32,
    pub messages_burst: u32,
    /// What a user may ask for besides.
    pub reads_per_minute: u32,
    /// Sign-ins of a user with the right password.
    pub logins_per_minute: u32,
    /// Who may make an account: `open` (everybody), `invite` or `closed`.
    pub signup: String,
    /// Who may make invites: `staff` or `everybody`.
    pub invites_by: String,
    /// Accounts an hour from one address.
    pub signups_per_hour: u32,
    /// Links for a new password an hour that one address may ask for.
    pub password_resets_per_hour: u32,
    /// Letters an hour to one address that anybody can cause.
    pub mails_per_hour: u32,
    /// Reports to the staff an hour by one user.
    pub reports_per_hour: u32,
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
            email_url: None,
            email_from: None,
            allowed_hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            secret_key: None,
            messages_to_load: 15,
            message_max_length: 10_000,
            session_days: 14,
            session_idle_days: 7,
            sockets_per_user: 10,
            event_log_days: 30,
            event_log_max: 100_000,
            drain_seconds: 5,
            basic_auth: true,
            user_list_max: 10_000,
            login_failures_per_minute: 10,
            messages_per_second: 10,
            messages_burst: 30,
            reads_per_minute: 600,
            logins_per_minute: 5,
            signup: "closed".to_owned(),
            invites_by: "staff".to_owned(),
            signups_per_hour: 20,
            password_resets_per_hour: 20,
            mails_per_hour: 5,
            reports_per_hour: 20,
            head_poll_seconds: 5,
            database_connections: 16,
            log: "info".to_owned(),
            log_format: "text".to_owned(),
        }
    }
}

impl Settings {
    fn validate(&self) -> Wrong {
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
        check((1..=3650).contains(&self.session_idle_days), "session_idle_days", &format!("{range} 1 and 3650"));
        check((1..=1000).contains(&self.sockets_per_user), "sockets_per_user", &format!("{range} 1 and 1000"));
        check((1..=3650).contains(&self.event_log_days), "event_log_days", &format!("{range} 1 and 3650"));
        check(self.event_log_max >= 100, "event_log_max", "must be at least 100");
        check(self.drain_seconds <= 300, "drain_seconds", "must be at most 300");
        let failures = (1..=100_000).contains(&self.login_failures_per_minute);
        check(failures, "login_failures_per_minute", &format!("{range} 1 and 100000"));
        let limits = [
            ("messages_per_second", self.messages_per_second),
            ("messages_burst", self.messages_burst),
            ("reads_per_minute", self.reads_per_minute),
            ("logins_per_minute", self.logins_per_minute),
        ];
        for (key, limit) in limits {
            check((1..=10_000_000).contains(&limit), key, &format!("{range} 1 and 10000000"));
        }
        check(["open", "invite", "closed"].contains(&&*self.signup), "signup", "must be open, invite or closed");
        check(["staff", "everybody"].contains(&&*self.invites_by), "invites_by", "must be staff or everybody");
        let sign_ups = (1..=100_000).contains(&self.signups_per_hour);
        check(sign_ups, "signups_per_hour", &format!("{range} 1 and 100000"));
        let resets = (1..=100_000).contains(&self.password_resets_per_hour);
        check(resets, "password_resets_per_hour", &format!("{range} 1 and 100000"));
        check((1..=100_000).contains(&self.reports_per_hour), "reports_per_hour", &format!("{range} 1 and 100000"));
        check((1..=100_000).contains(&self.mails_per_hour), "mails_per_hour", &format!("{range} 1 and 100000"));
        check((1..=3600).contains(&self.head_poll_seconds), "head_poll_seconds", &format!("{range} 1 and 3600"));
        check((2..=1000).contains(&self.database_connections), "database_connections", &format!("{range} 2 and 1000"));
        check(["error", "warn", "info", "debug"].contains(&&*self.log), "log", "must be error, warn, info or debug");
        check(["text", "json"].contains(&&*self.log_format), "log_format", "must be text or json");
        let proxies = self.trusted_proxies.iter().all(|proxy| parse_net(proxy).is_some());
        check(proxies, "trusted_proxies", "must be addresses or networks, as 127.0.0.1 or 10.0.0.0/8");
        check(
            self.public_url.is_none() || self.origin().is_some(),
            "public_url",
            "must be http(s)://HOST[:PORT][/PATH]",
        );
        let from = self.email_url.is_none() || self.email_from.is_some();
        check(from, "email_from", "must be set beside EMAIL_URL, as in chatd <chatd@example.org>");
        // A link must not lead where somebody's `Host` header wants it to.
        let public = self.email_url.is_none() || self.public_url.is_some();
        check(public, "public_url", "must be set beside EMAIL_URL: links in mails begin with it");
        if let Some(key) = &self.secret_key {
            check(key != "ABC1234", "secret_key", "is the published one of the predecessor; remove it or choose one");
            check(key.len() >= 32, "secret_key", "must have at least 32 characters; remove it to have one made");
        }
        errors
    }

    /// Raises the limits of what each user may ask for that are as nobody set them.
    pub fn loosen_limits(&mut self) {
        let usual = Self::default();
        for (limit, usual) in [
            (&mut self.messages_per_second, usual.messages_per_second),
            (&mut self.messages_burst, usual.messages_burst),
            (&mut self.reads_per_minute, usual.reads_per_minute),
            (&mut self.logins_per_minute, usual.logins_per_minute),
        ] {
            if *limit == usual {
                *limit = usual.saturating_mul(100);
            }
        }
    }

    /// The database's address: `sqlite:PATH` or `mysql://…`.
    pub fn database(&self) -> String {
        match &self.database_url {
            Some(url) => url.strip_prefix("sqlite://").map_or_else(|| url.clone(), |path| format!("sqlite:{path}")),
            None => format!("sqlite:{}", self.data_dir.join("chat.sqlite3").display()),
        }
    }

    /// The embedded database's file; none with MySQL.
    pub fn sqlite_path(&self) -> Option<PathBuf> {
        self.database().strip_prefix("sqlite:").map(PathBuf::from)
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

    pub fn session_idle(&self) -> Duration {
        Duration::from_secs(u64::from(self.session_idle_days) * 86_400)
    }

    /// The largest request body, in bytes: a JSON escape is at most 12 bytes a character.
    pub fn body_limit(&self) -> usize {
        12 * self.message_max_length + 8 * 1024
    }
}

fn parse_net(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
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
                ("database_url" | "redis_url" | "email_url", Some(url)) => format!("{:?}", without_password(url)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let settings = Settings {
            secret_key: Some("s".repeat(40)),
            database_url: Some("mysql://me:hidden@db/chat".to_owned()),
            email_url: Some("smtp://me:hidden@mail?tls=none".to_owned()),
            ..Settings::default()
        };
        let shown = format!("{settings:?}");
        assert!(shown.contains("SECRET_KEY = \"***\"") && shown.contains("mysql://me:***@db/chat"), "{shown}");
        assert!(shown.contains("smtp://me:***@mail?tls=none"), "{shown}");
        assert!(!shown.contains("hidden") && !shown.contains("sss"));
    }
}
