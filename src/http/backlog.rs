//! How many connections may wait to be accepted.
//!
//! Rocket listens with room for 128. When more come at once (everybody reconnects after a restart, or many sign in), the
//! kernel drops their first packet, and each is tried again a second later. Rocket neither takes a listener nor shows
//! its own, so it is found among this process's files, and listening once more widens its queue.

use std::io;

use rustix::io::Errno;
use rustix::net::{listen, sockopt};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

/// The kernel takes less where `net.core.somaxconn` is less.
const WAITING: i32 = 4096;

/// Makes room behind every listening socket of this process; an error where the system does not let it be found.
pub fn widen() -> io::Result<()> {
    let this = pidfd_open(getpid(), PidfdFlags::empty())?;
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
            listen(&socket, WAITING)?;
        }
    }
    Ok(())
}
