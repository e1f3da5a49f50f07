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
        Self::shake_hands(socket, server, &client.cookies(), path).await
    }

    /// Over a socket of the caller's making.
    pub async fn shake_hands(socket: TcpSocket, server: u16, cookies: &str, path: &str) -> Self {
        socket.set_recv_buffer_size(4096).expect("a size");
        let mut stream = socket.connect(([127, 0, 0, 1], server).into()).await.expect("it connects");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nCookie: {cookies}\r\n\r\n"
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

    /// Whether a process has the server's end open.
    pub fn is_held(&self) -> bool {
        held(self.server, &[self.port()]) > 0
    }

    /// The client's own.
    pub fn port(&self) -> u16 {
        self.stream.local_addr().expect("an address").port()
    }
}

/// How many of the connections from these ports a process has open at the server's end: the kernel's list shows the
/// inode of each.
pub fn held(server: u16, clients: &[u16]) -> usize {
    let list = std::fs::read_to_string("/proc/net/tcp").expect("the kernel's list");
    let port = |column: &str| column.rsplit(':').next().and_then(|hex| u16::from_str_radix(hex, 16).ok());
    let ends = list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let held = ends.filter(|columns| columns.len() > 9 && columns[9] != "0" && port(columns[1]) == Some(server));
    held.filter(|columns| port(columns[2]).is_some_and(|port| clients.contains(&port))).count()
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
