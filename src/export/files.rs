//! An export on its way into a directory.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use async_trait::async_trait;

use super::entry::Entry;
use super::{ExportError, Sink};

/// The two files.
pub struct Files {
    lines: BufWriter<File>,
    page: BufWriter<File>,
}

impl Files {
    /// Makes the directory and the files, readable by their owner alone; an error if there is one of them.
    pub fn new(directory: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let open = |name: &str| {
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            options.open(directory.join(name)).map(BufWriter::new)
        };
        Ok(Self { lines: open("data.jsonl")?, page: open("index.html")? })
    }

    /// Writes what is left.
    pub fn finish(mut self) -> std::io::Result<()> {
        self.lines.flush()?;
        self.page.flush()
    }
}

#[async_trait]
impl Sink for Files {
    async fn put(&mut self, entry: Entry, _done: i64, _total: i64) -> Result<(), ExportError> {
        self.lines.write_all(entry.line.as_bytes())?;
        Ok(self.page.write_all(entry.page.as_bytes())?)
    }
}
