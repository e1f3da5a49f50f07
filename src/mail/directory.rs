//! Mail as files in a directory, for trying it out.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::{Address, DeliveryError, Mailer, Stage, Step, Tell};

/// A directory that takes everything; made if it is missing, for its owner alone, as each file is: a mail may hold a
/// link that lets somebody in.
pub struct Directory(pub PathBuf);

#[async_trait]
impl Mailer for Directory {
    async fn deliver(&self, _: &Address, message: &[u8], tell: Tell<'_>) -> Result<(), DeliveryError> {
        let (dir, bytes) = (self.0.clone(), message.to_vec());
        let written = tokio::task::spawn_blocking(move || write(&dir, &bytes)).await;
        match written.unwrap_or_else(|e| Err(io::Error::other(e))) {
            Ok(path) => {
                tell(Step::Written(path));
                Ok(())
            }
            Err(e) => Err(DeliveryError { at: Stage::Writing, why: e.to_string(), is_final: false }),
        }
    }
}

/// Whole or not at all: whoever looks for `*.eml` finds no half of one.
fn write(dir: &Path, message: &[u8]) -> io::Result<PathBuf> {
    if !dir.is_dir() {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    }
    let path = dir.join(format!("{:016x}.eml", rand::random::<u64>()));
    let part = path.with_extension("part");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
    file.write_all(message)?;
    file.sync_all()?;
    std::fs::rename(&part, &path)?;
    Ok(path)
}
