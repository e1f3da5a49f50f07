//! A connection of which nothing is read ahead.
//!
//! lettre reads through a buffer that it keeps when STARTTLS is done. What somebody between put behind the server's last
//! open answer would wait in there, and be taken for the answer to the first encrypted command, each answer from then on
//! for the one to the command after it: in the end mail counts as taken that was not. Read byte by byte, what is too much
//! stays outside, where the handshake meets it and fails. It costs a call for each byte, of a few thousand.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A connection that is read byte by byte.
#[derive(Debug)]
pub struct Unhurried(pub TcpStream);

impl AsyncTokioStream for Unhurried {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }
}

impl AsyncRead for Unhurried {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut byte = [0];
        let most = buf.remaining().min(1);
        let mut one = ReadBuf::new(&mut byte[..most]);
        ready!(Pin::new(&mut self.get_mut().0).poll_read(cx, &mut one))?;
        buf.put_slice(one.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Unhurried {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }
}
