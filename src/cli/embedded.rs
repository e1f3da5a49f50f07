//! The files of the embedded database: made for their owner alone, and served by one process.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::config::Settings;

/// Makes the directories and the file that are not there yet, for their owner alone. SQLite gives the files beside it
/// (`-wal`, `-shm`) the rights of the file.
pub fn prepare(settings: &Settings) -> anyhow::Result<()> {
    let database = settings.sqlite_path();
    let dirs = [Some(settings.data_dir.as_path()), database.as_deref().and_then(Path::parent)];
    for dir in dirs.into_iter().flatten().filter(|dir| !dir.as_os_str().is_empty() && !dir.is_dir()) {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.with_context(|| format!("cannot make the directory {}", dir.display()))?;
    }
    if let Some(path) = database {
        let opened = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        opened.with_context(|| format!("cannot write the database {}", path.display()))?;
    }
    Ok(())
}

/// One server on one SQLite file: a second would have its own idea of who is connected. The lock goes by the file
/// itself, whatever symbolic links lead to it. [`prepare`] has made the file.
pub fn lock(settings: &Settings) -> anyhow::Result<Option<File>> {
    let Some(path) = settings.sqlite_path() else { return Ok(None) };
    let path = lock_path(&path).with_context(|| format!("cannot find {}", path.display()))?;
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = file.with_context(|| format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            anyhow::bail!("another chatd serves this database ({} is locked)", path.display())
        }
        Err(TryLockError::Error(e)) => Err(e).with_context(|| format!("cannot lock {}", path.display())),
    }
}

fn lock_path(database: &Path) -> io::Result<PathBuf> {
    let mut path = OsString::from(database.canonicalize()?);
    path.push(".lock");
    Ok(path.into())
}

/// Whether somebody else than the owner may read it.
pub fn is_readable_by_others(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.mode() & 0o077 != 0)
}
