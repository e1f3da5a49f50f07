//! An export on its way into the database.

use std::io::{Read as _, Write as _};
use std::time::Instant;

use async_trait::async_trait;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::entry::Entry;
use super::{ExportError, Exporter, KEPT, Sink};
use crate::domain::{ExportJob, ExportPart};

/// A piece is stored when it has so many bytes, before it is compressed.
const PIECE: usize = 192 * 1024;
/// The least pause after a piece; else twice as long as storing it took.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(10);

struct File {
    part: ExportPart,
    text: String,
    /// Pieces stored.
    stored: i64,
}

/// The pieces of one attempt.
pub(super) struct Pieces<'a> {
    exporter: &'a Exporter,
    job: ExportJob,
    files: [File; 2],
    /// Whether it was said how much there is.
    begun: bool,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(exporter: &'a Exporter, job: ExportJob) -> Self {
        let files = [ExportPart::Lines, ExportPart::Page].map(|part| File { part, text: String::new(), stored: 0 });
        Self { exporter, job, files, begun: false }
    }

    async fn store(&mut self, least: usize) -> Result<bool, ExportError> {
        let mut stored = false;
        for file in self.files.iter_mut().filter(|file| file.text.len() >= least) {
            let began = Instant::now();
            let text = std::mem::take(&mut file.text);
            let packed = packed(text.as_bytes())?;
            let store = &self.exporter.accounts;
            if !store.add_export_chunk(self.job, file.part, file.stored, &packed).await? {
                return Err(ExportError::Lost);
            }
            file.stored += 1;
            stored = true;
            tokio::time::sleep(PAUSE.max(began.elapsed() * 2)).await;
        }
        Ok(stored)
    }

    /// Stores what is left, and lets it be fetched.
    pub(super) async fn finish(mut self, done: i64) -> Result<(), ExportError> {
        self.store(1).await?;
        let until = self.exporter.clock.now().plus(KEPT);
        let mine = self.exporter.accounts.finish_export(self.job, done, until).await?;
        if mine { Ok(()) } else { Err(ExportError::Lost) }
    }
}

#[async_trait]
impl Sink for Pieces<'_> {
    async fn put(&mut self, entry: Entry, done: i64, total: i64) -> Result<(), ExportError> {
        self.files[0].text.push_str(&entry.line);
        self.files[1].text.push_str(&entry.page);
        let stored = self.store(PIECE).await?;
        if stored || !self.begun {
            self.begun = true;
            let until = self.exporter.turn();
            if !self.exporter.accounts.note_export(self.job, done, total, until).await? {
                return Err(ExportError::Lost);
            }
        }
        Ok(())
    }
}

fn packed(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// A piece as it was before it was compressed.
pub fn unpacked(packed: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut bytes)?;
    Ok(bytes)
}
