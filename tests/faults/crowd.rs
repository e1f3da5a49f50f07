//! Many sockets that cost the harness little: each listens, and notes where its log stands.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

/// A handshake and the first frame behind it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a socket connects, and as whom.
#[derive(Clone)]
pub struct Place {
    pub port: u16,
    pub cookie: Arc<str>,
}

/// One socket that listens.
pub struct Listener {
    stream: WebSocketStream<TcpStream>,
    pub place: Place,
    pub cursor: String,
    /// Events that came and have not been asked for.
    heard: VecDeque<Value>,
}

impl Listener {
    /// Opens a socket behind `after`, past its hello; why not, otherwise.
    pub async fn open(place: Place, after: Option<String>) -> Result<Self, String> {
        let opened = async {
            let socket = TcpSocket::new_v4().map_err(|e| e.to_string())?;
            let to = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, place.port));
            let stream = socket.connect(to).await.map_err(|e| format!("no connection: {e}"))?;
            let behind = after.as_ref().map_or_else(String::new, |after| format!("&after={after}"));
            let url = format!("ws://127.0.0.1:{}/ws?events=1{behind}", place.port);
            let mut request = url.into_client_request().expect("a request");
            request.headers_mut().insert("Cookie", place.cookie.parse().expect("a cookie"));
            let config = WebSocketConfig::default().read_buffer_size(1024).write_buffer_size(0);
            let shaken = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
            let (stream, _) = shaken.map_err(|e| match e {
                Error::Http(response) => format!("answered {}", response.status()),
                other => format!("no handshake: {other}"),
            })?;
            let mut listener = Self { stream, place, cursor: String::new(), heard: VecDeque::new() };
            let hello = listener.frame().await?;
            if hello["type"] != "hello" {
                return Err(format!("no hello but {hello}"));
            }
            listener.cursor = after.unwrap_or_else(|| hello["cursor"].as_str().unwrap_or_default().to_owned());
            Ok(listener)
        };
        timeout(PATIENCE, opened).await.unwrap_or_else(|_| Err(format!("not open after {PATIENCE:?}")))
    }

    /// The next frame of text.
    async fn frame(&mut self) -> Result<Value, String> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).map_err(|e| e.to_string()),
                Some(Ok(Message::Ping(_))) => self.stream.flush().await.map_err(|e| e.to_string())?,
                Some(Ok(other)) => return Err(format!("{other:?}")),
                Some(Err(e)) => return Err(e.to_string()),
                None => return Err("it ended".to_owned()),
            }
        }
    }

    /// Takes a frame, whatever it is. May be dropped and asked again.
    async fn hear(&mut self) -> Result<(), String> {
        let mut frame = self.frame().await?;
        if frame["type"] == "event" {
            frame["cursor"].as_str().unwrap_or_default().clone_into(&mut self.cursor);
            self.heard.push_back(frame["event"].take());
        }
        Ok(())
    }

    /// The next event.
    pub async fn event(&mut self) -> Result<Value, String> {
        let event = async {
            loop {
                match self.heard.pop_front() {
                    Some(event) => return Ok(event),
                    None => self.hear().await?,
                }
            }
        };
        timeout(PATIENCE, event).await.unwrap_or_else(|_| Err("no event came".to_owned()))
    }

    /// Takes so many events, however long that is.
    pub async fn events(&mut self, count: usize) -> Result<(), String> {
        while self.heard.len() < count {
            self.hear().await?;
        }
        self.heard.clear();
        Ok(())
    }

    /// Ends the connection as a machine that has lost its power does when it is asked again: with a reset.
    pub fn kill(self) -> (Place, String) {
        let _ = self.stream.get_ref().set_zero_linger();
        (self.place, self.cursor)
    }
}

/// Sockets that are open, and answer pings.
pub struct Crowd {
    stop: watch::Sender<bool>,
    members: JoinSet<Result<Listener, String>>,
}

impl Crowd {
    /// Opens all of these, so many at once; how many could not be opened, and why the first one.
    pub async fn open(places: Vec<(Place, Option<String>)>, at_once: usize) -> (Self, usize, String) {
        let turns = Arc::new(Semaphore::new(at_once));
        let (stop, stopped) = watch::channel(false);
        let (report, mut reports) = mpsc::unbounded_channel();
        let mut members = JoinSet::new();
        for (place, after) in places {
            let (turns, report, stopped) = (turns.clone(), report.clone(), stopped.clone());
            members.spawn(async move {
                let turn = turns.acquire().await.expect("it stays open");
                let opened = Listener::open(place, after).await;
                drop((turn, report.send(opened.as_ref().err().cloned())));
                stay(opened?, stopped).await
            });
        }
        drop(report);
        let (mut failed, mut why) = (0, String::new());
        for _ in 0..members.len() {
            if let Some(Some(reason)) = reports.recv().await {
                failed += 1;
                why = reason;
            }
        }
        (Self { stop, members }, failed, why)
    }

    /// They go on being there.
    pub fn of(listeners: Vec<Listener>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let members = listeners.into_iter().map(|listener| stay(listener, stopped.clone())).collect();
        Self { stop, members }
    }

    /// Those that are still open.
    pub async fn members(mut self) -> Vec<Listener> {
        self.stop.send_replace(true);
        let mut open = Vec::new();
        while let Some(member) = self.members.join_next().await {
            open.extend(member.expect("it ends well").ok());
        }
        open
    }
}

async fn stay(mut listener: Listener, mut stopped: watch::Receiver<bool>) -> Result<Listener, String> {
    loop {
        tokio::select! {
            heard = listener.hear() => heard?,
            _ = stopped.wait_for(|stop| *stop) => return Ok(listener),
        }
    }
}

/// How much memory of a process is in use, in KiB.
pub fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
    line.trim().trim_end_matches(" kB").trim().parse().expect("a number")
}

/// How many descriptors a process has open.
pub fn descriptors(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

/// Lets this process, and those that it starts, have as many descriptors as the system allows.
pub fn raise_descriptors() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
