//! What becomes of a handler that panics, shown with routes that a program of ours does not have.

use std::io::Write;
use std::sync::{Arc, Mutex};

use rocket::http::{Header, Method, Status};
use rocket::local::asynchronous::{Client, LocalResponse};
use rocket::request::Request;
use rocket::route::{BoxFuture as Answer, Route};

use super::{App, server};
use crate::auth::Auth;
use crate::bus::LocalBus;
use crate::chat::Chat;
use crate::config::Settings;
use crate::domain::SystemClock;
use crate::export::Exporter;
use crate::limits::Limits;
use crate::store::{Options, SqlStore};

const SECRET: &str = "the detail that nobody is told";

/// Before there is anything to wait for.
fn at_once<'r>(_: &'r Request<'_>, _: rocket::Data<'r>) -> Answer<'r> {
    panic!("{SECRET}");
}

/// In the middle, with a socket and a subscription in its hands: their ends take the locks of all sockets.
fn half_way<'r>(req: &'r Request<'_>, _: rocket::Data<'r>) -> Answer<'r> {
    Box::pin(async move {
        let app = super::app(req);
        let _open = app.sockets.open(1, "a session", 10);
        let _subscription = app.chat.subscribe(1).await;
        tokio::task::yield_now().await;
        panic!("{SECRET}");
    })
}

/// Where the log goes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

async fn app(dir: &std::path::Path) -> Arc<App> {
    let url = format!("sqlite:{}", dir.join("chat.sqlite3").display());
    SqlStore::migrate(&url).await.unwrap();
    let store = Arc::new(SqlStore::open(&url, &Options::default()).await.unwrap());
    let (bus, clock, settings) = (Arc::new(LocalBus::default()), Arc::new(SystemClock), Settings::default());
    let chat = Chat::new(store.clone(), bus.clone(), clock.clone());
    let limits = Arc::new(Limits::new([]));
    let exporter = Exporter::new(store.clone(), store.clone(), clock.clone());
    let auth = Auth::new(store.clone(), store, bus, clock.clone(), limits, &settings);
    Arc::new(App::new(settings, chat, auth, exporter, clock))
}

async fn get<'c>(client: &'c Client, path: &'static str) -> LocalResponse<'c> {
    client.get(path).header(Header::new("Host", "localhost")).dispatch().await
}

#[tokio::test]
async fn a_panic_is_a_500_without_detail_and_harms_nobody_else() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _log = tracing::subscriber::set_default(subscriber);
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path()).await;
    let rocket = server(app.clone()).mount(
        "/",
        [
            Route::new(Method::Get, "/falls", at_once as super::Handle),
            Route::new(Method::Get, "/api/v1/falls", half_way as super::Handle),
        ],
    );
    let client = Client::untracked(rocket).await.unwrap();
    for _ in 0..3 {
        for (path, kind, said) in [
            ("/falls", "text/html; charset=utf-8", "The server has a problem at the moment. Try again shortly."),
            ("/api/v1/falls", "application/json", "Something went wrong here. It has been noted."),
        ] {
            let answer = get(&client, path).await;
            assert_eq!(answer.status(), Status::InternalServerError, "{path}");
            let header = |name: &str| answer.headers().get_one(name).unwrap_or_default().to_owned();
            assert_eq!(header("Content-Type"), kind);
            assert_eq!(header("X-Content-Type-Options"), "nosniff", "an answer like others");
            let id = header("X-Request-Id");
            let body = answer.into_string().await.unwrap();
            assert!(body.contains(said), "{body}");
            for detail in [SECRET, "panic", "src/", "status 500"] {
                assert!(!body.contains(detail), "{detail} in {body}");
            }
            let noted = log.text();
            let of_this = |line: &&str| line.contains("ERROR") && line.contains(&format!("request=\"{id}\""));
            assert_eq!(noted.lines().filter(of_this).count(), 1, "{id} in {noted}");
        }
        // The same server answers what needs the database, and what it opened is closed.
        assert_eq!(get(&client, "/readyz").await.status(), Status::Ok);
        assert_eq!(app.sockets.count(), 0);
        assert_eq!(app.chat.bus.registry().users(), [] as [i64; 0]);
    }
}
