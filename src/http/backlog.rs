//! Who may connect: how many may wait to be accepted, and nobody any more when the process is about to end.
//!
//! Rocket neither takes a listener nor shows its own, so it is found among this process's files.
//!
//! It listens with room for 128. When more come at once (everybody reconnects after a restart, or many sign in), the
//! kernel drops their first packet, and each is tried again a second later. Listening once more widens the queue.
//!
//! Who waits behind a listener that is closed is reset: their requests are lost though they were let in. So before the
//! end the kernel drops what newcomers send, for the moment in which the last ones are accepted.

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
/// A classic BPF program of one instruction: return 0, nothing of the packet is kept.
const DROP: [SockFilter; 1] = [SockFilter::new(0x06, 0, 0, 0)];

/// Makes room behind every listening socket of this process; an error where the system does not let it be found.
pub fn widen() -> io::Result<()> {
    for socket in listeners()? {
        listen(&socket, WAITING)?;
    }
    Ok(())
}

/// Lets nobody else connect, and returns when everybody who had has been accepted. To close the listener is the caller's,
/// at once: newcomers wait for a second if they find this, and not at all if nobody listens.
pub async fn shut() -> io::Result<()> {
    let listeners: Vec<_> = listeners()?.into_iter().map(Socket::from).collect();
    for listener in &listeners {
        listener.attach_filter(&DROP)?;
    }
    for _ in 0..1000 {
        let mut waiting: Vec<_> = listeners.iter().map(|listener| PollFd::new(listener, PollFlags::IN)).collect();
        if poll(&mut waiting, Some(&Timespec::default()))? == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

fn listeners() -> io::Result<Vec<OwnedFd>> {
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
        if sockopt::socket_acceptconn(&socket).unwrap_or(false) {
            found.push(socket);
        }
    }
    Ok(found)
}
