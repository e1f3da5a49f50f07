//! What is reported to the staff.

use async_trait::async_trait;

use super::{Fault, Row, SqlStore, StoreError};
use crate::domain::{NewReport, Report, ReportId, Timestamp};
use crate::store::db::Value;
use crate::store::retry::retrying;
use crate::store::{Closing, Reports};

macro_rules! reports {
    ($rest:literal) => {
        concat!(
            "SELECT p.id, u.username, p.message_id, p.reason, p.content, p.created_at, p.closed_at, s.username \
             FROM reports p LEFT JOIN users u ON u.id = p.reporter_id LEFT JOIN users s ON s.id = p.closed_by WHERE ",
            $rest
        )
    };
}

const ADD: &str = "INSERT INTO reports (reporter_id, message_id, reason, content, created_at) VALUES (?, ?, ?, ?, ?) \
    ON CONFLICT (reporter_id, message_id) DO UPDATE SET message_id = excluded.message_id";
const ID: &str = "SELECT id FROM reports WHERE reporter_id = ? AND message_id = ?";
const ONE: &str = reports!("p.id = ?");
const OPEN: &str = reports!("p.closed_at IS NULL AND p.id < ? ORDER BY p.id DESC LIMIT ?");
const CLOSED: &str = reports!("p.closed_at IS NOT NULL AND p.id < ? ORDER BY p.id DESC LIMIT ?");
const CLOSE: &str = "UPDATE reports SET closed_at = ?, closed_by = ? WHERE id = ?";

pub(super) const ALL: &[&str] = &[ADD, ID, ONE, OPEN, CLOSED, CLOSE];

fn report(mut row: Row) -> Result<Report, Fault> {
    Ok(Report {
        id: row.int()?,
        reporter: row.text()?,
        message: row.int()?,
        reason: row.text()?,
        content: row.text()?,
        created_at: Timestamp(row.int()?),
        closed_at: row.maybe_int()?.map(Timestamp),
        closed_by: row.maybe_text()?,
    })
}

#[async_trait]
impl Reports for SqlStore {
    async fn report(&self, new: &NewReport, now: Timestamp) -> Result<ReportId, StoreError> {
        let key = [new.reporter, new.message].map(Value::Int);
        let args = [key[0], key[1], new.reason.as_str().into(), new.content.as_str().into(), now.0.into()];
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            c.execute(ADD, &args).await?;
            let id = c.row(ID, &key).await?.ok_or(StoreError::NotFound)?.int()?;
            c.commit().await?;
            Ok(id)
        })
        .await
    }

    async fn reports(&self, open: bool, below: ReportId, limit: i64) -> Result<Vec<Report>, StoreError> {
        let statement = if open { OPEN } else { CLOSED };
        retrying(|attempt| async move {
            let rows = self.db.reader(attempt).await?.rows(statement, &[below, limit].map(Value::Int)).await?;
            rows.into_iter().map(report).collect()
        })
        .await
    }

    async fn close_report(
        &self,
        id: ReportId,
        closing: Option<Closing>,
        now: Timestamp,
    ) -> Result<Option<Report>, StoreError> {
        let closed_by = match closing {
            Some(Closing::Staff(user)) => Some(user),
            Some(Closing::Operator) | None => None,
        };
        let args = [closing.map(|_| now.0).into(), closed_by.into(), id.into()];
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            c.execute(CLOSE, &args).await?;
            let found = c.row(ONE, &[id.into()]).await?.map(report).transpose()?;
            c.commit().await?;
            Ok(found)
        })
        .await
    }
}
