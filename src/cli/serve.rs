//! `chatd serve`: prepares, listens, drains.

use std::io::{IsTerminal as _, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use figment::value::Dict;
use rocket::error::ErrorKind;
use tokio::signal::unix::{SignalKind, signal};

use super::secret::keep_secret;
use super::{clock, demo, embedded, mail, open_bus, open_store};
use crate::auth::{Auth, Outbox};
use crate::chat::{Chat, Keeper};
use crate::config::Settings;
use crate::export::Exporter;
use crate::http::{self, App};
use crate::store::{SqlStore, Store, Users as _};

/// Run the server.
#[derive(Args)]
pub struct Serve {
    #[arg(long)]
    address: Option<IpAddr>,
    #[arg(long)]
    port: Option<u16>,
    /// Show the whole product: fills an empty database and prints two sign-ins; this machine only
    #[arg(long)]
    demo: bool,
}

/// How often it is noted which sessions were used.
const NOTING: Duration = Duration::from_mins(1);
/// How many steps the sockets' farewell is spread over.
const STEPS: u32 = 10;
/// How long the last sockets are waited for. Requests are still answered meanwhile.
const FAREWELLS: Duration = Duration::from_secs(3);
/// How long the last answers are waited for: the database has three seconds for each.
const LAST_ANSWERS: Duration = Duration::from_secs(4);
/// How long mail that is under way is waited for; what takes longer is sent again later.
const LAST_MAIL: Duration = Duration::from_secs(3);
/// Nothing is going on when nothing was for so long: who was accepted last has been read, what was written is away.
const SETTLED: Duration = Duration::from_millis(50);

impl Serve {
    pub fn flags(&self) -> Dict {
        let mut flags = Dict::new();
        if let Some(address) = self.address {
            flags.insert("address".into(), address.to_string().into());
        }
        if let Some(port) = self.port {
            flags.insert("port".into(), u32::from(port).into());
        }
        flags
    }

    pub async fn run(self, mut settings: Settings) -> anyhow::Result<()> {
        start_log(&settings);
        if self.demo {
            // Its passwords are public: its data is kept apart from a server's own.
            let defaults = Settings::default();
            if settings.database_url.is_none() && settings.data_dir == defaults.data_dir {
                settings.data_dir = "demo-data".into();
            }
            // Whoever tries it out, or shows it, is in a hurry.
            settings.loosen_limits();
            anyhow::ensure!(
                settings.address.is_loopback(),
                "serve --demo listens on this machine only, not on {}: its passwords are printed",
                settings.address
            );
        }
        embedded::prepare(&settings)?;
        let _lock = embedded::lock(&settings)?;
        keep_secret(&mut settings)?;
        warn_of_readers(&settings);
        let store = open_store(&settings).await?;
        for warning in store.durability_warnings().await? {
            tracing::warn!("acknowledged messages are not safe: {warning}");
            say_on_stderr(&format!("warning: acknowledged messages are not safe: {warning}"));
        }
        if self.demo {
            demo::fill(&store).await?;
        }
        let (outbox, sending) = mail::start(&settings, &store)?.unzip();
        let app = assemble(&settings, &store, outbox)?;
        let rocket = http::server(app.clone()).attach(rocket::fairing::AdHoc::on_liftoff("ready", {
            let (app, demo, store) = (app.clone(), self.demo, store.clone());
            move |rocket| {
                Box::pin(async move {
                    #[cfg(target_os = "linux")]
                    if let Err(e) = http::widen_door() {
                        tracing::warn!(error = %e, "more than 128 who connect at once will wait for a second");
                    }
                    announce(&app, &store, rocket.config().port, demo).await;
                })
            }
        }));
        let rocket = rocket.ignite().await.map_err(|e| anyhow::anyhow!("the server cannot start: {e}"))?;
        let at = SocketAddr::new(settings.address, settings.port);
        let shutdown = rocket.shutdown();
        // Rocket's own shutdown comes late, and is not waited for: it resets whoever was accepted and not read yet, and
        // stays for two seconds if a single connection is open. Dropped, it listens no more; what it has begun goes on.
        let connected = tokio::select! {
            // Signals are listened for before anybody is told that the server is there.
            biased;
            connected = drain_on_signal(&app) => connected,
            launched = rocket.launch() => {
                launched.map_err(|e| match e.kind() {
                    ErrorKind::Bind(e) => anyhow::anyhow!("cannot listen on {at}: {e}"),
                    kind => anyhow::anyhow!("the server failed: {kind}"),
                })?;
                Box::new(|| 0)
            }
        };
        quiet(|| app.unanswered()).await;
        // Ends the connections on which nothing is asked, while the store can still answer who was quicker. What is left
        // are requests, also such whose body is still on the way; and sockets, which were told.
        shutdown.notify();
        quiet(|| app.unanswered().max(connected().saturating_sub(app.sockets.count()))).await;
        if let Some(sending) = sending {
            sending.stop(LAST_MAIL).await;
        }
        // A database that does not answer must not keep the process.
        let _ = tokio::time::timeout(Duration::from_secs(3), store.close()).await;
        Ok(())
    }
}

fn assemble(settings: &Settings, store: &Arc<SqlStore>, outbox: Option<Outbox>) -> anyhow::Result<Arc<App>> {
    let clock = clock();
    let bus = open_bus(settings, &**store)?;
    let (accounts, sql) = (store.clone(), store.clone());
    #[cfg(not(feature = "faults"))]
    let store: Arc<dyn Store> = store.clone();
    #[cfg(feature = "faults")]
    let (store, bus) = super::bugs::spoil(store, bus);
    let chat = Chat::new(store.clone(), bus.clone(), clock.clone());
    let limits = super::open_limits(settings, &*store);
    let exporter = Exporter::new(store.clone(), accounts.clone(), clock.clone());
    let auth = Auth::new(store, accounts, bus, clock.clone(), limits, settings).with_mail(outbox, settings);
    let app = Arc::new(App::new(settings.clone(), chat.clone(), auth, exporter, clock));
    app.exporter.start();
    Keeper {
        chat,
        sockets: app.sockets.clone(),
        attending: app.attending.clone(),
        head_poll: Duration::from_secs(u64::from(settings.head_poll_seconds)),
        shared: settings.redis_url.is_some(),
        keep_events_for: Duration::from_secs(u64::from(settings.event_log_days) * 86_400),
        keep_events: i64::from(settings.event_log_max),
    }
    .start();
    let (noting, added) = (app.clone(), sql);
    tokio::spawn(async move {
        if let Err(e) = added.note_people().await {
            tracing::warn!(error = %e, "some people who were added by an older version are not found by their names yet");
        }
        if let Err(e) = noting.auth.note_looks().await {
            tracing::warn!(error = %e, "what older names look like is not known: the next start goes on with it");
        }
        loop {
            tokio::time::sleep(NOTING).await;
            noting.auth.note_uses().await;
            noting.auth.forget_links().await;
        }
    });
    Ok(app)
}

fn start_log(settings: &Settings) {
    let filter = tracing_subscriber::EnvFilter::new(format!("{},sqlx=warn,rocket=off,hyper=warn", settings.log));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Unread(std::io::stderr()))
        .log_internal_errors(false);
    let set = if settings.log_format == "json" {
        log.json().try_init()
    } else {
        log.with_ansi(std::io::stderr().is_terminal()).try_init()
    };
    if let Err(e) = set {
        say_on_stderr(&format!("the log cannot start: {e}"));
    }
}

/// Standard error whose reader may have gone: what cannot be written is nobody's loss. Without it a pipe that ends
/// would turn every line of the log, and so every request, into a panic.
struct Unread(std::io::Stderr);

impl std::io::Write for Unread {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let _ = self.0.write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}

fn say_on_stderr(text: &str) {
    let _ = writeln!(Unread(std::io::stderr()), "chatd: {text}");
}

/// What others on this machine could read.
fn warn_of_readers(settings: &Settings) {
    for path in [Some(settings.data_dir.join("secret_key")), settings.sqlite_path()].into_iter().flatten() {
        if embedded::is_readable_by_others(&path) {
            let path = path.display();
            tracing::warn!("others on this machine can read {path}");
            say_on_stderr(&format!("warning: others on this machine can read {path}; run: chmod 600 {path}"));
        }
    }
}

async fn announce(app: &App, store: &SqlStore, port: u16, demo: bool) {
    let settings = &app.settings;
    let at = SocketAddr::new(settings.address, port);
    let url =
        settings.public_url.clone().map_or_else(|| format!("http://{at}"), |url| url.trim_end_matches('/').to_owned());
    let host = url.strip_suffix(app.path("").trim_end_matches('/')).unwrap_or(&url);
    let mut text = format!("chatd {} listens on http://{at}{}\n", env!("CARGO_PKG_VERSION"), app.path(""));
    if demo {
        text += &demo::sign_ins(&format!("{host}{}", app.path("")));
        text.push('\n');
    } else if settings.sqlite_path().is_some() && matches!(store.has_superuser().await, Ok(false)) {
        let link = app.path(&app.setup.open());
        text += "Make the first account here (the link works once): ";
        text.extend([host, &link, "\n"]);
    }
    // A pipe without a reader is no reason to end.
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// On SIGTERM: stop being sent requests, answer those that come, send the sockets away little by little, let nobody in.
/// On SIGINT (somebody at a terminal): the same without the wait. A second signal ends the wait. Returns what tells how
/// many are connected.
async fn drain_on_signal(app: &App) -> Box<dyn Fn() -> usize + Send> {
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        tracing::error!("signals cannot be heard; only SIGKILL will end this process");
        return std::future::pending().await;
    };
    let patient = tokio::select! {
        _ = term.recv() => true,
        _ = int.recv() => false,
    };
    app.start_draining();
    tracing::info!("draining");
    let wait = if patient { Duration::from_secs(u64::from(app.settings.drain_seconds)) } else { Duration::ZERO };
    let spread = async {
        // A proxy needs a while to see that it shall send nobody here, and that another process is back: who is sent
        // away before comes back at once, and is refused.
        tokio::time::sleep(wait / 3).await;
        for left in (1..=STEPS).rev() {
            tokio::time::sleep(wait * 2 / 3 / STEPS).await;
            app.sockets.restart_some(usize::try_from(left).unwrap_or(1));
        }
    };
    tokio::select! {
        () = spread => {}
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    app.sockets.restart_some(1);
    // Their close frames are on the way; each has its own time limit for a client that does not answer.
    let told = Instant::now();
    while app.sockets.count() > 0 && told.elapsed() < FAREWELLS {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    #[cfg(target_os = "linux")]
    match http::shut_door().await {
        Ok(inside) => return Box::new(move || inside.count().unwrap_or(0)),
        Err(e) => tracing::warn!(error = %e, "who connects at this moment may be cut off"),
    }
    Box::new(|| 0)
}

/// Waits until nobody waits for an answer. What takes too long is not waited for.
async fn quiet(waiting: impl Fn() -> usize) {
    let begun = Instant::now();
    let mut last = begun;
    while last.elapsed() < SETTLED && begun.elapsed() < LAST_ANSWERS {
        tokio::time::sleep(Duration::from_millis(5)).await;
        if waiting() > 0 {
            last = Instant::now();
        }
    }
}
