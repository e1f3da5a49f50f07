//! The command line: one file for each subcommand.
//!
//! Exit codes: 0 ok, 1 failure, 2 usage, 69 database or mail server unreachable, 78 bad settings.

#[cfg(feature = "faults")]
mod bugs;
mod createsuperuser;
mod demo;
mod embedded;
mod input;
mod invite;
mod mail;
mod migrate;
mod openapi;
mod report;
mod secret;
mod serve;
mod test_data;
mod user;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use figment::value::Dict;

use crate::auth::Auth;
use crate::bus::{self, Bus, LocalBus, RedisBus};
use crate::config::{BadSettings, Settings, Wrong, without_password};
use crate::domain::{Clock, SystemClock};
use crate::limits::{Kind, Limits, Rate};
use crate::mail::{DeliveryError, Stage};
use crate::store::{self, Options, SqlStore, Store, StoreError};

const UNREACHABLE: u8 = 69;
const BAD_SETTINGS: u8 = 78;

/// A self-hosted person-to-person message center.
#[derive(Parser)]
#[command(version, about, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Global {
    /// A settings file instead of local_settings.toml
    #[arg(long, global = true, value_name = "FILE", env = "CHATD_SETTINGS")]
    settings: Option<PathBuf>,
    /// sqlite:PATH or mysql://USER:PASSWORD@HOST/NAME
    #[arg(long, global = true, value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,
    /// Where the embedded database is kept
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::Serve),
    /// Bring the database's schema up to date
    Migrate(migrate::Migrate),
    /// Make an account that may administer this server
    Createsuperuser(createsuperuser::CreateSuperuser),
    /// Fill the database with believable people and conversations
    TestData(test_data::TestData),
    /// Accounts
    #[command(subcommand)]
    User(user::User),
    /// Links with which people make their accounts
    #[command(subcommand)]
    Invite(invite::Invite),
    #[command(subcommand)]
    Report(report::Report),
    /// Outgoing mail
    #[command(subcommand)]
    Mail(mail::Mail),
    /// Print the API's description (OpenAPI 3.1, JSON)
    Openapi,
}

/// Runs the command line; returns the exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return fail(&anyhow::Error::from(e).context("the runtime cannot start")),
    };
    match runtime.block_on(run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(&e),
    }
}

fn fail(e: &anyhow::Error) -> ExitCode {
    eprintln!("chatd: {e:#}");
    if let Some(advice) = advice(e) {
        eprintln!("chatd: {advice}");
    }
    let no_database = |cause: &&(dyn Error + 'static)| matches!(cause.downcast_ref(), Some(StoreError::Unavailable(_)));
    let no_mail_server = |cause: &&(dyn Error + 'static)| {
        let at = cause.downcast_ref().map(|e: &DeliveryError| e.at);
        matches!(at, Some(Stage::Connecting | Stage::Greeting))
    };
    let unreachable = e.chain().any(|cause| no_database(&cause) || no_mail_server(&cause));
    let settings = e.chain().any(|cause| cause.downcast_ref::<BadSettings>().is_some());
    ExitCode::from(if settings {
        BAD_SETTINGS
    } else if unreachable {
        UNREACHABLE
    } else {
        1
    })
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    if matches!(cli.command, Command::Openapi) {
        return openapi::run();
    }
    let flags = flags(&cli.global, if let Command::Serve(serve) = &cli.command { serve.flags() } else { Dict::new() });
    let loaded = Settings::load(cli.global.settings.as_deref(), flags, unusable_addresses)?;
    for warning in loaded.warnings {
        eprintln!("chatd: warning: {warning}");
    }
    let settings = loaded.settings;
    match cli.command {
        Command::Serve(command) => command.run(settings).await,
        Command::Migrate(command) => command.run(&settings).await,
        Command::Createsuperuser(command) => command.run(&settings).await,
        Command::TestData(command) => command.run(&settings).await,
        Command::User(command) => command.run(&settings).await,
        Command::Invite(command) => command.run(&settings).await,
        Command::Report(command) => command.run(&settings).await,
        Command::Mail(command) => command.run(&settings).await,
        Command::Openapi => Ok(()),
    }
}

/// What those who use the addresses cannot use of them.
fn unusable_addresses(settings: &Settings) -> Wrong {
    let database = store::check_url(&settings.database()).err().map(|why| ("database_url", why));
    let redis = settings.redis_url.as_deref().and_then(|url| bus::check_url(url).err());
    let redis = redis.map(|why| ("redis_url", why.to_string()));
    database.into_iter().chain(redis).chain(mail::unusable(settings)).collect()
}

fn flags(global: &Global, mut flags: Dict) -> Dict {
    if let Some(url) = &global.database_url {
        flags.insert("database_url".into(), url.as_str().into());
    }
    if let Some(dir) = &global.data_dir {
        flags.insert("data_dir".into(), dir.display().to_string().into());
    }
    flags
}

/// Opens the database. The embedded one is made and migrated; MySQL must have been migrated by the operator.
async fn open_store(settings: &Settings) -> anyhow::Result<Arc<SqlStore>> {
    let url = settings.database();
    let shown = without_password(&url);
    if settings.sqlite_path().is_some() {
        embedded::prepare(settings)?;
        SqlStore::migrate(&url).await.with_context(|| format!("cannot prepare the database {shown}"))?;
    } else {
        let status = SqlStore::status(&url).await.with_context(|| cannot_open(&shown))?;
        anyhow::ensure!(
            status.pending.is_empty(),
            "the database {shown} lacks migrations ({}); run: chatd migrate",
            status.pending.join(", ")
        );
        let unknown = status.unknown;
        if !unknown.is_empty() {
            eprintln!("chatd: warning: the database {shown} was migrated by a later version of chatd ({unknown:?})");
        }
    }
    let options = Options { connections: settings.database_connections, ..Options::default() };
    let store = SqlStore::open(&url, &options).await.with_context(|| cannot_open(&shown))?;
    Ok(Arc::new(store))
}

fn cannot_open(shown: &str) -> String {
    format!("cannot open the database {shown}")
}

/// What to do about an error, where there is something.
fn advice(e: &anyhow::Error) -> Option<&'static str> {
    if let Some(e) = e.downcast_ref::<DeliveryError>() {
        return Some(mail::advice(e));
    }
    let text = format!("{e:#}");
    let says = |part: &str| text.contains(part);
    if says("RSA auth backend") {
        Some(
            "this server's passwords (caching_sha2_password) travel over TLS or a socket alone: \
             add ?ssl-mode=REQUIRED to DATABASE_URL, or ?socket=/run/mysqld/mysqld.sock",
        )
    } else if says("Access denied") {
        Some("check the user, the password and the grants in DATABASE_URL")
    } else if says("Unknown database") {
        Some("make it first: CREATE DATABASE chat CHARACTER SET utf8mb4")
    } else {
        None
    }
}

fn open_bus(settings: &Settings, store: &dyn Store) -> anyhow::Result<Arc<dyn Bus>> {
    Ok(match &settings.redis_url {
        Some(url) => {
            Arc::new(RedisBus::start(url, store.install()).map_err(|e| BadSettings(format!("REDIS_URL {e}")))?)
        }
        None => Arc::new(LocalBus::default()),
    })
}

/// How much each user may ask for, of all processes together where there is Redis.
fn open_limits(settings: &Settings, store: &dyn Store) -> Arc<Limits> {
    let messages = Rate::new(settings.messages_per_second, Duration::from_secs(1), settings.messages_burst);
    let limits = Limits::new([
        (Kind::Messages, messages),
        (Kind::Reads, Rate::a_minute(settings.reads_per_minute)),
        (Kind::Logins, Rate::a_minute(settings.logins_per_minute)),
    ]);
    Arc::new(match &settings.redis_url {
        Some(url) => limits.shared(url, store.install()),
        None => limits,
    })
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// What account commands work with.
async fn open_auth(settings: &Settings) -> anyhow::Result<(Arc<SqlStore>, Auth)> {
    let store = open_store(settings).await?;
    let bus = open_bus(settings, &*store)?;
    // A command signs nobody in.
    let auth = Auth::new(store.clone(), store.clone(), bus, clock(), Arc::new(Limits::new([])), settings);
    Ok((store, auth))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn verify_cli() {
        super::Cli::command().debug_assert();
    }
}
