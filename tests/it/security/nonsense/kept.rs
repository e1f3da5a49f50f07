//! A connection that is kept for one request after the other, as far as the server keeps it.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// An answer takes at most so long.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Kept {
    port: u16,
    stream: Option<TcpStream>,
}

impl Kept {
    pub fn new(port: u16) -> Self {
        Self { port, stream: None }
    }

    /// A whole request, and what is answered; empty if the server just closes.
    pub async fn ask(&mut self, request: &[u8]) -> String {
        // The server may have ended a connection that was kept, behind its answer: then nothing comes, and once more.
        if let Some(stream) = self.stream.take() {
            let answer = self.ask_on(stream, request).await;
            if !answer.is_empty() {
                return answer;
            }
        }
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.expect("the server takes connections");
        self.ask_on(stream, request).await
    }

    async fn ask_on(&mut self, mut stream: TcpStream, request: &[u8]) -> String {
        // It may have answered and closed before it has read everything.
        let _ = stream.write_all(request).await;
        let mut answer = Vec::with_capacity(4096);
        let whole = tokio::time::timeout(PATIENCE, async {
            loop {
                match whole(&answer, request.starts_with(b"HEAD ")) {
                    Some(kept) => return kept,
                    None if stream.read_buf(&mut answer).await.unwrap_or(0) == 0 => return false,
                    None => {}
                }
            }
        });
        let shown = || String::from_utf8_lossy(request).into_owned();
        if whole.await.unwrap_or_else(|_| panic!("the server neither answers nor closes: {:?}", shown())) {
            self.stream = Some(stream);
        }
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// Whether the connection goes on behind this answer; none while there is more of it to come.
fn whole(answer: &[u8], is_head: bool) -> Option<bool> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let header = |name: &str| head.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned));
    let bodiless = is_head || ["http/1.1 204", "http/1.1 304"].iter().any(|status| head.starts_with(status));
    let length = if bodiless { Some(0) } else { header("content-length").and_then(|n| n.parse::<usize>().ok()) };
    // Without a length it goes on to the end of the connection; so does what is HTTP no longer.
    let length = length?;
    (answer.len() >= end + length).then(|| header("connection").is_none_or(|value| value != "close"))
}
