//! `chatd report …`: what people reported to those who run this server.

use std::io::Write as _;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{clock, open_store};
use crate::config::Settings;
use crate::domain::Report as Stored;
use crate::store::{Closing, Reports as _};

/// The most that are listed.
const MOST: i64 = 1000;

/// Messages that people reported.
#[derive(Subcommand)]
pub enum Report {
    /// List the reports that are open, newest first
    List(List),
    /// Close a report
    Close(Close),
}

#[derive(Args)]
pub struct List {
    /// Those that are closed
    #[arg(long)]
    closed: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct Close {
    /// As `chatd report list` names it
    id: i64,
}

impl Report {
    pub async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let store = open_store(settings).await?;
        let done = match self {
            Self::List(list) => match store.reports(!list.closed, i64::MAX, MOST).await {
                Ok(reports) => list.print(&reports),
                Err(e) => Err(e.into()),
            },
            Self::Close(Close { id }) => match store.close_report(id, Some(Closing::Operator), clock().now()).await {
                Ok(Some(_)) => Ok(()),
                Ok(None) => Err(anyhow::anyhow!("there is no report {id}")),
                Err(e) => Err(e.into()),
            },
        };
        store.close().await;
        done
    }
}

impl List {
    fn print(&self, reports: &[Stored]) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        if self.json {
            let all: Vec<_> = reports.iter().map(described).collect();
            writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?;
            return Ok(());
        }
        for report in reports {
            writeln!(out, "{}  {}  {} reports:", report.id, report.created_at, report.reporter)?;
            for message in context(report) {
                let mark = if message["id"] == report.message { ">" } else { " " };
                let text = |field: &str| message[field].as_str().unwrap_or_default().replace(char::is_control, " ");
                writeln!(out, "  {mark} {}: {}", text("user"), text("body"))?;
            }
            if !report.reason.is_empty() {
                writeln!(out, "  because: {}", report.reason.replace(char::is_control, " "))?;
            }
        }
        Ok(())
    }
}

fn context(report: &Stored) -> Vec<Value> {
    serde_json::from_str(&report.content).unwrap_or_default()
}

fn described(report: &Stored) -> Value {
    json!({
        "id": report.id,
        "reporter": report.reporter,
        "message": report.message,
        "reason": report.reason,
        "context": context(report),
        "created_at": report.created_at.to_string(),
        "closed_at": report.closed_at.map(|time| time.to_string()),
        "closed_by": report.closed_by,
    })
}
