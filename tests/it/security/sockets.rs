//! What a client may do on a socket.

use std::time::Duration;

use futures_util::StreamExt as _;
use libtest_mimic::Trial;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::{head, once, raw};
use crate::support::backend::Backend;
use crate::support::server::{Client, LOOSE, World};
use crate::support::socket::Socket;

pub fn trials() -> Vec<Trial> {
    once![
        s15_long_messages_close_1009,
        s15_long_frames_close_1009,
        s15_the_close_is_not_lost_in_a_reset,
        s15_binary_closes_1003,
        s15_too_many_frames_close_1008,
        s15_unknown_text_is_ignored,
        s15_broken_frames_end_the_socket,
        s15_nothing_is_compressed,
    ]
}

const PING: &str = "{\"type\":\"ping\"}";

async fn ann() -> (World, Client) {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let ann = world.person("ann").await;
    (world, ann)
}

async fn expect_pong(socket: &mut Socket) {
    socket.send_text(PING).await;
    assert_eq!(socket.json().await, json!({"type": "pong"}));
}

/// A text in frames of 4 KiB; `ends` is whether the last is the last of the message.
async fn pieces(socket: &mut Socket, count: usize, ends: bool) {
    for i in 0..count {
        let kind = if i == 0 { Data::Text } else { Data::Continue };
        let piece = "x".repeat(4 * 1024);
        let last = ends && i == count - 1;
        // What is over the limit may be refused before its end is sent.
        socket.try_send(Message::Frame(Frame::message(piece, OpCode::Data(kind), last))).await;
    }
}

async fn s15_long_messages_close_1009() {
    let (_world, ann) = ann().await;
    let mut socket = Socket::events(&ann, None).await;
    pieces(&mut socket, 4, true).await;
    expect_pong(&mut socket).await;
    // The whole message counts, not its pieces.
    pieces(&mut socket, 5, true).await;
    assert_eq!(socket.close_code().await, Some(1009));
    // One that does not end is not waited for beyond the library's limit.
    let mut socket = Socket::events(&ann, None).await;
    pieces(&mut socket, 16, false).await;
    socket.assert_silent().await;
    let mut socket = Socket::events(&ann, None).await;
    pieces(&mut socket, 17, false).await;
    assert_eq!(socket.close_code().await, Some(1009));
    // The server has lost nothing by it.
    expect_pong(&mut Socket::events(&ann, None).await).await;
}

async fn s15_long_frames_close_1009() {
    let (_world, ann) = ann().await;
    let mut socket = Socket::events(&ann, None).await;
    socket.send_text(&"x".repeat(4 * 1024)).await;
    expect_pong(&mut socket).await;
    for kib in [5, 16, 60, 200] {
        for _ in 0..20 {
            let mut socket = Socket::events(&ann, None).await;
            socket.try_send(Message::Text("x".repeat(kib * 1024).into())).await;
            assert_eq!(socket.close_code().await, Some(1009), "{kib} KiB");
        }
    }
    let mut socket = Socket::events(&ann, None).await;
    socket.send_text(&"x".repeat(4 * 1024 + 1)).await;
    assert_eq!(socket.close_code().await, Some(1009));
}

/// The frame was refused by its header, and the rest of it lies unread: a connection that ended so would be reset.
async fn s15_the_close_is_not_lost_in_a_reset() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (world, ann) = ann().await;
    let (mut stream, _) = handshake(&world, &ann).await;
    let tcp = stream.get_mut();
    let mut frame = vec![0x81, 0xff];
    frame.extend((60 * 1024_u64).to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(vec![b'x'; 60 * 1024]);
    tcp.write_all(&frame).await.expect("the frame is sent");
    let mut close = [0; 4];
    tcp.read_exact(&mut close).await.expect("a close frame");
    assert_eq!((close[0], u16::from_be_bytes([close[2], close[3]])), (0x88, 1009));
    let mut reason = vec![0; usize::from(close[1]) - 2];
    tcp.read_exact(&mut reason).await.expect("its reason");
    let more = tokio::time::timeout(Duration::from_millis(250), tcp.read(&mut close)).await;
    assert!(more.is_err(), "a client that reads late would find {more:?}");
}

async fn s15_binary_closes_1003() {
    let (_world, ann) = ann().await;
    for path in ["/ws", "/ws?events=1"] {
        let mut socket = Socket::open(&ann, path).await;
        socket.send(Message::Binary(PING.as_bytes().to_vec().into())).await;
        assert_eq!(socket.close_code().await, Some(1003), "{path}");
    }
}

async fn s15_too_many_frames_close_1008() {
    let (_world, ann) = ann().await;
    let frames: [fn() -> Message; 3] =
        [|| Message::Text(PING.into()), || Message::Ping("p".into()), || Message::Pong("p".into())];
    for frame in frames {
        for path in ["/ws", "/ws?events=1"] {
            let mut socket = Socket::open(&ann, path).await;
            for _ in 0..10 {
                socket.send(frame()).await;
            }
            // Ten are answered: the socket stands when the next second begins.
            tokio::time::sleep(Duration::from_millis(1100)).await;
            for _ in 0..11 {
                socket.send(frame()).await;
            }
            assert_eq!(socket.close_code().await, Some(1008), "{path} {:?}", frame());
        }
    }
}

async fn s15_unknown_text_is_ignored() {
    let (world, ann) = ann().await;
    let bob = world.person("bob").await;
    let mut old = Socket::open(&ann, "/ws").await;
    let mut socket = Socket::events(&ann, None).await;
    for text in ["", "nonsense", "{", "[]", "null", "{\"type\":1}", "{\"type\":\"later\"}", "\u{0}\u{10ffff}"] {
        old.send_text(text).await;
        socket.send_text(text).await;
    }
    expect_pong(&mut socket).await;
    // Nothing was said before this.
    let sent = bob.say("ann", "hello").await;
    assert_eq!(old.text().await, format!("{{\"message\": \"{}\"}}", sent["id"]));
    assert_eq!(socket.event().await["event"]["message"], sent);
}

/// Frames that no library would send, written by hand over an open connection.
async fn s15_broken_frames_end_the_socket() {
    let (world, ann) = ann().await;
    let mask = [0u8; 4];
    let masked = |first: u8, body: &[u8]| {
        let mut frame = vec![first, 0x80 | u8::try_from(body.len()).expect("short")];
        frame.extend(mask);
        frame.extend(body);
        frame
    };
    let huge = [&[0x81, 0xff], &u64::MAX.to_be_bytes()[..], &mask].concat();
    for (what, frame) in [
        ("not UTF-8", masked(0x81, b"\xff\xfe")),
        ("unmasked", vec![0x81, 1, b'x']),
        ("a reserved bit", masked(0xc1, b"x")),
        ("a reserved kind", masked(0x83, b"x")),
        ("a piece of nothing", masked(0x80, b"x")),
        ("a ping in pieces", masked(0x09, b"x")),
        ("a length of 2^64 - 1", huge),
    ] {
        let (mut stream, _) = handshake(&world, &ann).await;
        tokio::io::AsyncWriteExt::write_all(stream.get_mut(), &frame).await.expect("the frame is sent");
        let end = async { while let Some(Ok(_)) = stream.next().await {} };
        assert!(tokio::time::timeout(Duration::from_secs(10), end).await.is_ok(), "{what}: the socket lives");
    }
    expect_pong(&mut Socket::events(&ann, None).await).await;
}

type Stream = tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>;

async fn handshake(
    world: &World,
    client: &Client,
) -> (Stream, tokio_tungstenite::tungstenite::handshake::client::Response) {
    use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
    let tcp = tokio::net::TcpStream::connect(("127.0.0.1", world.server.port)).await.expect("connects");
    let url = format!("ws://127.0.0.1:{}/ws", world.server.port);
    let mut request = url.into_client_request().expect("a request");
    request.headers_mut().insert("Cookie", client.cookies().parse().expect("cookies"));
    tokio_tungstenite::client_async(request, tcp).await.expect("a socket")
}

async fn s15_nothing_is_compressed() {
    let (world, ann) = ann().await;
    let headers = format!(
        "Cookie: {}\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n",
        ann.cookies()
    );
    let request = head(&world, "GET /ws", &headers).replace("Connection: close", "Connection: Upgrade");
    // A close frame behind it, so that the answer has an end.
    let answer = raw(&world, &[request.as_bytes(), &[0x88, 0x80, 0, 0, 0, 0]].concat()).await.to_lowercase();
    assert!(answer.starts_with("http/1.1 101"), "{answer}");
    assert!(!answer.contains("sec-websocket-extensions"), "{answer}");
    // Frames with the bit of a compressed one are no frames here.
    let (mut stream, response) = handshake(&world, &ann).await;
    assert!(response.headers().get("sec-websocket-extensions").is_none());
    stream.close(None).await.expect("it closes");
}
