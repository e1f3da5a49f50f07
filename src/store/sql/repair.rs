//! Recomputing what is kept for speed from what is true.

use super::{Fault, lock_heads};
use crate::domain::UserId;
use crate::store::db::{Db, Value};
use crate::store::retry::Attempt;

/// What a user's list rows should say, in numbers from the messages themselves.
const TRUTH: &str = "SELECT mine.conversation_id, mine.peer_id, mine.last_seq, mine.last_activity, mine.peer_sent, \
    mine.peer_sent_read, \
    (SELECT MAX(m.seq) FROM messages m WHERE m.conversation_id = mine.conversation_id), \
    (SELECT MAX(m.sent_at) FROM messages m WHERE m.conversation_id = mine.conversation_id), \
    (SELECT COUNT(*) FROM messages m WHERE m.conversation_id = mine.conversation_id \
        AND m.sender_id = mine.peer_id AND mine.peer_id <> mine.user_id), \
    (SELECT COUNT(*) FROM messages m WHERE m.conversation_id = mine.conversation_id \
        AND m.sender_id = mine.peer_id AND mine.peer_id <> mine.user_id AND m.seq <= mine.read_seq) \
    FROM user_conversations mine WHERE mine.user_id = ?";
const PEERS: &str = "SELECT peer_id FROM user_conversations WHERE user_id = ?";
const MEND: &str = "UPDATE user_conversations SET last_seq = ?, last_activity = ?, peer_sent = ?, \
    peer_sent_read = ? WHERE user_id = ? AND conversation_id = ?";

pub(super) const ALL: &[&str] = &[TRUTH, PEERS, MEND];

pub(super) async fn conversations(db: &Db, attempt: Attempt, user: UserId) -> Result<u64, Fault> {
    let peers = db.reader(attempt).await?.rows(PEERS, &[user.into()]).await?;
    let mut people = peers.into_iter().map(|mut row| row.int()).collect::<Result<Vec<_>, _>>()?;
    people.push(user);
    let mut c = db.writer(attempt).await?;
    lock_heads(&mut c, &people).await?;
    let mut mended = 0;
    for mut row in c.rows(TRUTH, &[user.into()]).await? {
        let (conversation, peer) = (row.int()?, row.int()?);
        if !people.contains(&peer) {
            continue;
        }
        let kept = [row.int()?, row.int()?, row.int()?, row.int()?];
        let truth = [row.int()?, row.int()?, row.int()?, row.int()?];
        if kept != truth {
            let args = [truth[0], truth[1], truth[2], truth[3], user, conversation].map(Value::Int);
            mended += c.execute(MEND, &args).await?.rows;
        }
    }
    c.commit().await?;
    Ok(mended)
}
