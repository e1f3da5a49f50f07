//! `chatd migrate`.

use anyhow::Context as _;
use clap::Args;

use super::{cannot_open, embedded};
use crate::config::{Settings, without_password};
use crate::store::SqlStore;

/// Bring the database's schema up to date.
#[derive(Args)]
pub struct Migrate {
    /// Only say what is missing; exit 1 if anything is
    #[arg(long)]
    check: bool,
}

impl Migrate {
    pub async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let url = settings.database();
        let shown = without_password(&url);
        if self.check {
            let status = SqlStore::status(&url).await.with_context(|| cannot_open(&shown))?;
            for name in &status.pending {
                println!("missing: {name}");
            }
            for number in &status.unknown {
                println!("unknown: {number:04}, applied by another version of chatd");
            }
            anyhow::ensure!(status.is_current(), "{shown} is not up to date");
            println!("{shown} is up to date");
            return Ok(());
        }
        if settings.sqlite_path().is_some() {
            embedded::prepare(settings)?;
        }
        let applied = SqlStore::migrate(&url).await.with_context(|| cannot_open(&shown))?;
        println!("{shown}: {applied} migrations applied");
        Ok(())
    }
}
