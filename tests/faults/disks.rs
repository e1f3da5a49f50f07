//! File systems of their own, that can be filled.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::backend::may_mount;

/// A small file system on a loop device, unmounted when dropped. Mounting needs root; without it this panics.
pub struct SmallDisk {
    at: PathBuf,
    // Its image, and where it is mounted unless that is elsewhere.
    _dir: TempDir,
}

impl SmallDisk {
    /// An ext4 of so many megabytes.
    pub fn new(megabytes: u64) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let at = dir.path().join("disk");
        std::fs::create_dir(&at).expect("a directory");
        Self::mount(megabytes, dir, at)
    }

    /// The same, mounted over a directory that is there.
    pub fn over(megabytes: u64, at: &Path) -> Self {
        Self::mount(megabytes, tempfile::tempdir().expect("a directory"), at.to_owned())
    }

    fn mount(megabytes: u64, dir: TempDir, at: PathBuf) -> Self {
        assert!(may_mount(), "a small disk is mounted, and that needs root (CAP_SYS_ADMIN)");
        let image = dir.path().join("image");
        File::create(&image).and_then(|file| file.set_len(megabytes << 20)).expect("an image");
        // Nothing is kept back for root, who fills it here.
        let made = Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0"]).arg(&image).status();
        assert!(made.expect("e2fsprogs is installed").success(), "mkfs.ext4");
        let mounted = Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&at).status();
        assert!(mounted.expect("mount is installed").success(), "a file is mounted (this needs loop devices)");
        Self { at, _dir: dir }
    }

    pub fn path(&self) -> &Path {
        &self.at
    }

    /// Takes all space but so many bytes, until it is emptied.
    pub fn fill(&self, left: u64) {
        let mut file = File::create(self.ballast()).expect("a file");
        let mut length = 0;
        // Halved until the last block is taken.
        let mut piece = vec![0; 1 << 20];
        while piece.len() >= 512 {
            match file.write(&piece) {
                Ok(written) => length += written as u64,
                Err(e) if e.kind() == ErrorKind::StorageFull => piece.truncate(piece.len() / 2),
                Err(e) => panic!("the ballast cannot be written: {e}"),
            }
        }
        file.set_len(length.saturating_sub(left)).and_then(|()| file.sync_all()).expect("some of it is given back");
    }

    /// Gives the space back, if it is taken.
    pub fn empty(&self) {
        match std::fs::remove_file(self.ballast()) {
            Err(e) if e.kind() != ErrorKind::NotFound => panic!("the ballast cannot be removed: {e}"),
            _ => {}
        }
    }

    fn ballast(&self) -> PathBuf {
        self.at.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = |lazily: &[&str]| Command::new("umount").args(lazily).arg(&self.at).status();
        // Lazily if a server of a cell that failed is still at it.
        if !unmounted(&["-q"]).is_ok_and(|status| status.success()) {
            let _ = unmounted(&["-l"]);
        }
    }
}
