//! A WebSocket client.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::server::Client;

/// How long a frame may take.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// What a handshake was answered with instead of 101.
#[derive(Debug)]
pub struct Refused {
    pub status: u16,
    pub headers: Vec<(String, String)>,
}

impl Socket {
    pub async fn try_open(client: &Client, path: &str, headers: &[(&str, &str)]) -> Result<Self, Refused> {
        let url = format!("{}{path}", client.base.replacen("http", "ws", 1));
        let mut request = url.into_client_request().expect("a request");
        let cookies = client.cookies();
        if !cookies.is_empty() {
            request.headers_mut().insert("Cookie", cookies.parse().expect("cookies"));
        }
        for (name, value) in headers {
            let name: tokio_tungstenite::tungstenite::http::HeaderName = name.parse().expect("a name");
            request.headers_mut().insert(name, value.parse().expect("a value"));
        }
        match timeout(PATIENCE, tokio_tungstenite::connect_async(request)).await.expect("an answer in time") {
            Ok((stream, _)) => Ok(Self { stream }),
            Err(Error::Http(response)) => Err(Refused {
                status: response.status().as_u16(),
                headers: response
                    .headers()
                    .iter()
                    .map(|(n, v)| (n.as_str().to_owned(), String::from_utf8_lossy(v.as_bytes()).into_owned()))
                    .collect(),
            }),
            Err(e) => panic!("the handshake failed: {e}"),
        }
    }

    pub async fn open(client: &Client, path: &str) -> Self {
        Self::try_open(client, path, &[]).await.unwrap_or_else(|e| panic!("refused: {e:?}"))
    }

    /// A socket for events, past its hello.
    pub async fn events(client: &Client, after: Option<&str>) -> Self {
        let after = after.map_or_else(String::new, |after| format!("&after={after}"));
        let mut socket = Self::open(client, &format!("/ws?events=1{after}")).await;
        let hello = socket.json().await;
        assert_eq!(hello["type"], "hello");
        socket
    }

    pub async fn send(&mut self, message: Message) {
        self.stream.send(message).await.expect("the frame is sent");
    }

    /// Sends what may be refused half-way.
    pub async fn try_send(&mut self, message: Message) {
        let _ = self.stream.send(message).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.send(Message::Text(text.into())).await;
    }

    /// The next frame of any kind; none at the end.
    pub async fn next(&mut self) -> Option<Message> {
        timeout(PATIENCE, self.stream.next()).await.expect("a frame in time").and_then(Result::ok)
    }

    /// The next text frame; control frames are passed over.
    pub async fn text(&mut self) -> String {
        loop {
            match self.next().await {
                Some(Message::Text(text)) => return text.to_string(),
                Some(Message::Ping(_) | Message::Pong(_)) => {}
                other => panic!("{other:?} instead of text"),
            }
        }
    }

    pub async fn json(&mut self) -> Value {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e} in {text}"))
    }

    /// The next text frame as JSON, however long it takes.
    pub async fn patient_json(&mut self) -> Value {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).expect("JSON"),
                Some(Ok(_)) => {}
                other => panic!("{other:?} instead of text"),
            }
        }
    }

    /// The next event; `head` frames are passed over.
    pub async fn event(&mut self) -> Value {
        loop {
            let frame = self.json().await;
            match frame["type"].as_str() {
                Some("event") => return frame,
                Some("head") => {}
                _ => panic!("{frame} instead of an event"),
            }
        }
    }

    /// The code of the close frame that ends the stream; texts before it are passed over.
    pub async fn close_code(&mut self) -> Option<u16> {
        loop {
            if let Message::Close(frame) = self.next().await? {
                return frame.map(|frame| u16::from(frame.code));
            }
        }
    }

    /// Shows that nothing was said. The server may answer one ping before it looks at what it has to tell, but not
    /// each of several; where a message may be sent, the number of the next one shows it better.
    pub async fn assert_silent(&mut self) {
        for _ in 0..4 {
            self.send(Message::Ping("marker".into())).await;
            match self.next().await {
                Some(Message::Pong(data)) if &data[..] == b"marker" => {}
                other => panic!("{other:?} instead of silence"),
            }
        }
    }
}
