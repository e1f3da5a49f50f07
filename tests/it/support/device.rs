//! A device as people have them: it listens, loses its connection, comes back, and goes on from its cursor.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::server::Client;

/// What a device has been told, in order.
#[derive(Default)]
pub struct Heard {
    pub events: Vec<Value>,
    pub connections: usize,
    cursor: Option<String>,
}

pub struct Device {
    heard: Arc<Mutex<Heard>>,
    task: JoinHandle<()>,
}

impl Device {
    /// Starts listening from `cursor` on, and never gives up.
    pub fn start(client: &Client, cursor: String) -> Self {
        let heard = Arc::new(Mutex::new(Heard { cursor: Some(cursor), ..Heard::default() }));
        let (url, cookies) = (client.base.replacen("http", "ws", 1), client.cookies());
        let shared = heard.clone();
        let task = tokio::spawn(async move {
            loop {
                listen(&url, &cookies, &shared).await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        Self { heard, task }
    }

    pub fn count(&self) -> usize {
        self.heard.lock().unwrap().events.len()
    }

    pub fn connections(&self) -> usize {
        self.heard.lock().unwrap().connections
    }

    /// The numbers told of a conversation, in the order in which they were told.
    pub fn seqs(&self, conversation: i64) -> Vec<i64> {
        let heard = self.heard.lock().unwrap();
        let messages = heard.events.iter().filter(|e| e["type"] == "message_created").map(|e| &e["message"]);
        messages.filter(|m| m["conversation"] == conversation).filter_map(|m| m["seq"].as_i64()).collect()
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(url: &str, cookies: &str, heard: &Mutex<Heard>) {
    let cursor = heard.lock().unwrap().cursor.clone().expect("a cursor");
    let mut request = format!("{url}/ws?events=1&after={cursor}").into_client_request().expect("a request");
    request.headers_mut().insert("Cookie", cookies.parse().expect("cookies"));
    let Ok((mut stream, _)) = tokio_tungstenite::connect_async(request).await else { return };
    heard.lock().unwrap().connections += 1;
    while let Some(Ok(frame)) = stream.next().await {
        let Message::Text(text) = frame else { continue };
        let frame: Value = serde_json::from_str(&text).expect("JSON");
        assert_ne!(frame["type"], "reset", "a device was sent back to the start");
        if frame["type"] == "event" {
            let mut heard = heard.lock().unwrap();
            heard.cursor = frame["cursor"].as_str().map(str::to_owned);
            heard.events.push(frame["event"].clone());
        }
    }
}
