//! What clients read of whom one hears from, and what the staff reads of reports.

use serde::Serialize;
use serde_json::Value;

use crate::domain::{Blocked, Face, Report};

/// Somebody whom one blocks.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Block)]
pub struct BlockJson {
    user: String,
    /// Empty: by their name.
    display_name: String,
    /// The name of their picture, or null.
    avatar: Option<String>,
    /// RFC 3339, UTC.
    since: String,
}

impl BlockJson {
    pub fn new(blocked: Blocked, face: Face) -> Self {
        let Face { display_name, avatar } = face;
        Self { user: blocked.username, display_name, avatar, since: blocked.since.to_string() }
    }
}

/// Whom one blocks.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Blocks)]
pub struct BlocksJson {
    /// Newest first; at most 1,000.
    pub results: Vec<BlockJson>,
}

/// A report that was taken.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = NewReport)]
pub struct NewReportJson {
    pub id: i64,
}

/// A report, for the staff.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Report)]
pub struct ReportJson {
    id: i64,
    /// The name of who reported it.
    reporter: String,
    reason: String,
    created_at: String,
    closed_at: Option<String>,
    closed_by: Option<String>,
    /// The message as it was then.
    #[schema(value_type = Object)]
    message: Value,
    /// The message and those around it, oldest first.
    #[schema(value_type = Vec<Object>)]
    context: Vec<Value>,
}

impl ReportJson {
    /// What is damaged is shown as nothing.
    pub fn new(report: Report) -> Self {
        let context: Vec<Value> = serde_json::from_str(&report.content).unwrap_or_default();
        let message = context.iter().find(|message| message["id"] == report.message).cloned();
        Self {
            id: report.id,
            reporter: report.reporter,
            reason: report.reason,
            created_at: report.created_at.to_string(),
            closed_at: report.closed_at.map(|time| time.to_string()),
            closed_by: report.closed_by,
            message: message.unwrap_or_default(),
            context,
        }
    }
}
