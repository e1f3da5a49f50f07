//! Who may connect: how many may wait to be accepted, and nobody any more when the process is about to end. And who is
//! connected still.
//!
//! Rocket neither takes a listener nor shows its own, nor its connections, so they are found among this process's files.
//!
//! It listens with room for 128. When more come at once (everybody reconnects after a restart, or many sign in), the
//! kernel drops their first packet, and each is tried again a second later. Listening once more widens the queue.
//!
//! Who waits behind a listener that is closed is reset: their requests are lost though they were let in. So before the
//! end the kernel drops the first packets of newcomers, for the moment in which the last ones are accepted. Only these:
//! somebody half through the handshake may believe that they are connected, and have sent a request.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{listen, sockopt};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use socket2::{SockFilter, Socket};

/// The kernel takes less where `net.core.somaxconn` is less.
const WAITING: i32 = 4096;
/// A classic BPF program, on packets from their TCP header on: of one that has SYN and not ACK nothing is kept.
const NO_NEWCOMERS: [SockFilter; 5] = [
    // The byte of the flags, of these SYN and ACK, equal to SYN.
    SockFilter::new(0x30, 0, 0, 13),
    SockFilter::new(0x54, 0, 0, 0x12),
    SockFilter::new(0x15, 0, 1, 0x02),
    // Nothing, or all.
    SockFilter::new(0x06, 0, 0, 0),
    SockFilter::new(0x06, 0, 0, u32::MAX),
];
/// So many looks, a millisecond apart, at which nobody waits are the end: in this time handshakes come to theirs, from
/// machines nearby.
const QUIET_LOOKS: u32 = 25;

/// Makes room behind every listening socket of this process; an error where the system does not let it be found.
pub fn widen() -> io::Result<()> {
    for socket in listeners()? {
        listen(&socket, WAITING)?;
    }
    Ok(())
}

/// Lets nobody else connect, and returns when everybody who had has been accepted. To close the listener is the caller's,
/// at once: newcomers wait for a second if they find this, and not at all if nobody listens.
pub async fn shut() -> io::Result<Inside> {
    let listeners: Vec<_> = listeners()?.into_iter().map(Socket::from).collect();
    let ports = listeners.iter().filter_map(port).collect();
    for listener in &listeners {
        listener.attach_filter(&NO_NEWCOMERS)?;
    }
    let mut quiet = 0;
    for _ in 0..1000 {
        let mut waiting: Vec<_> = listeners.iter().map(|listener| PollFd::new(listener, PollFlags::IN)).collect();
        quiet = if poll(&mut waiting, Some(&Timespec::default()))? == 0 { quiet + 1 } else { 0 };
        if quiet == QUIET_LOOKS {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(Inside { ports })
}

/// Who came through the door before it was shut.
pub struct Inside {
    ports: Vec<u16>,
}

impl Inside {
    /// How many are connected, whether they ask for something or not.
    pub fn count(&self) -> io::Result<usize> {
        let all = sockets()?.into_iter().map(Socket::from);
        Ok(all.filter(|socket| port(socket).is_some_and(|port| self.ports.contains(&port))).count())
    }
}

/// The port at this end.
fn port(socket: &Socket) -> Option<u16> {
    socket.local_addr().ok()?.as_socket().map(|address| address.port())
}

fn listeners() -> io::Result<Vec<OwnedFd>> {
    let all = sockets()?.into_iter();
    Ok(all.filter(|socket| sockopt::socket_acceptconn(socket).unwrap_or(false)).collect())
}

/// Doubles of all sockets of this process; a connection ends when its double does too.
fn sockets() -> io::Result<Vec<OwnedFd>> {
    let this = pidfd_open(getpid(), PidfdFlags::empty())?;
    let mut found = Vec::new();
    for file in std::fs::read_dir("/proc/self/fd")?.flatten() {
        let Some(fd) = file.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if !std::fs::read_link(file.path()).is_ok_and(|to| to.to_string_lossy().starts_with("socket:")) {
            continue;
        }
        let socket = match pidfd_getfd(&this, fd, PidfdGetfdFlags::empty()) {
            Ok(socket) => socket,
            // A connection that has ended meanwhile.
            Err(Errno::BADF) => continue,
            Err(e) => return Err(e.into()),
        };
        found.push(socket);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read as _, Write as _};
    use std::net::SocketAddr;

    use socket2::{Domain, Type};

    use super::*;

    /// The answer to the first packet is kept from the client, so that its handshake takes until the kernel's second
    /// attempt, and is not over when the door shuts.
    #[test]
    fn who_is_half_through_the_handshake_is_let_in() {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        listener.listen(8).unwrap();
        let address = listener.local_addr().unwrap();

        let late = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        late.attach_filter(&[SockFilter::new(0x06, 0, 0, 0)]).unwrap();
        late.set_nonblocking(true).unwrap();
        late.connect(&address).unwrap_err();
        listener.attach_filter(&NO_NEWCOMERS).unwrap();
        late.detach_filter().unwrap();
        late.set_nonblocking(false).unwrap();
        late.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
        (&late).write_all(b"hello").unwrap();

        let newcomer = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let refused = newcomer.connect_timeout(&address, Duration::from_millis(1500)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::TimedOut);

        listener.set_nonblocking(true).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        accepted.set_nonblocking(false).unwrap();
        accepted.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut said = [0; 5];
        (&accepted).read_exact(&mut said).unwrap();
        assert_eq!(&said, b"hello");
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    }
}
