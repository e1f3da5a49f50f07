//! What is reported to the staff: a message and those around it, as they were when somebody reported it.

use super::{Chat, ChatError};
use crate::domain::{Message, MessageId, NewReport, Report, ReportId, Slice, UserId};
use crate::store::Closing;

/// So many messages are shown to the staff: the reported one, and those around it.
const CONTEXT: i64 = 11;
/// So many reports at once.
pub const REPORTS: i64 = 20;

impl Chat {
    /// A message that a user may report: somebody else's to them, and those around it, oldest first.
    pub async fn reportable(&self, user: UserId, id: MessageId) -> Result<Vec<Message>, ChatError> {
        let message = self.message_for(user, id).await?;
        if message.sender == user {
            return Err(ChatError::Oneself);
        }
        let mut around = self.store.slice(message.conversation, Slice::Around(message.seq), CONTEXT).await?;
        around.sort_unstable_by_key(|message| message.seq);
        Ok(around)
    }

    /// Stores a report; `content` is what [`Self::reportable`] gave, as the staff will read it.
    pub async fn report(&self, new: &NewReport) -> Result<ReportId, ChatError> {
        Ok(self.store.report(new, self.clock.now()).await?)
    }

    /// A page of reports below a number, newest first, and the number from which the next one goes on.
    pub async fn reports(&self, open: bool, below: ReportId) -> Result<(Vec<Report>, Option<ReportId>), ChatError> {
        let mut found = self.store.reports(open, below, REPORTS + 1).await?;
        let size = usize::try_from(REPORTS).unwrap_or(0);
        let more = found.len() > size;
        found.truncate(size);
        let next = found.last().filter(|_| more).map(|last| last.id);
        Ok((found, next))
    }

    /// Closes a report, or opens it again.
    pub async fn close_report(&self, id: ReportId, closed_by: Option<UserId>) -> Result<Report, ChatError> {
        self.store.close_report(id, closed_by.map(Closing::Staff), self.clock.now()).await?.ok_or(ChatError::NotFound)
    }
}
