//! A WebSocket client that shakes hands and then reads nothing more.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use super::server::Client;

pub struct Stuck {
    stream: TcpStream,
    server: u16,
}

impl Stuck {
    /// With a small buffer, so that what is not read is soon the server's.
    pub async fn open(client: &Client, path: &str) -> Self {
        let server: u16 = client.base.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a size");
        let mut stream = socket.connect(([127, 0, 0, 1], server).into()).await.expect("it connects");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nCookie: {}\r\n\r\n",
            client.cookies()
        );
        stream.write_all(request.as_bytes()).await.expect("the request is sent");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 101");
        Self { stream, server }
    }

    /// Waits until the server has let go of the connection, whatever of it is still on its way.
    pub async fn given_up(&self, within: Duration) {
        super::until("the server to close a socket that does not read", within, || async {
            (!self.is_held()).then_some(())
        })
        .await;
    }

    /// Whether a process has the server's end open: the kernel's list shows its inode.
    fn is_held(&self) -> bool {
        let ours = self.stream.local_addr().expect("an address").port();
        let ends = (format!(":{:04X}", self.server), format!(":{ours:04X}"));
        let list = std::fs::read_to_string("/proc/net/tcp").expect("the kernel's list");
        list.lines().any(|line| {
            let columns: Vec<_> = line.split_whitespace().collect();
            columns.len() > 9 && columns[1].ends_with(&ends.0) && columns[2].ends_with(&ends.1) && columns[9] != "0"
        })
    }
}

/// Two hundred messages of 40 KB: more than the buffers between a server and a client that does not read will hold.
pub async fn fill(sender: &Client, to: &str) {
    let body = "🎉".repeat(10_000);
    let lane = async || {
        for _ in 0..50 {
            sender.say(to, &body).await;
        }
    };
    tokio::join!(lane(), lane(), lane(), lane());
}
