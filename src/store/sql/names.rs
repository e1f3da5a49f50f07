//! By what people are found: see `domain::places`. Rows are there for active people alone, and change in the transaction
//! that changes the name, or whether somebody is active.

use std::collections::HashMap;
use std::sync::Arc;

use super::users::{user, user_columns};
use super::{Fault, Repeat, SqlStore, StoreError, lock_heads};
use crate::domain::{NamePrefix, PeoplePage, Place, User, UserId, UserKey, places};
use crate::store::db::{Connection, Db, Value};
use crate::store::retry::{retrying, retrying_at_leisure};

/// How many people's names are noted in one transaction.
const AT_ONCE: usize = 1000;
/// The most parts of one statement.
const PARTS: usize = 16;
/// A part without names, for statements of few sizes.
const NO_PART: i64 = -1;

/// The first of each part: as many rows are read, however many people there are. What bounds them is compared byte by
/// byte on both databases.
const PAGE: Repeat = Repeat {
    head: "SELECT place, user_id FROM (",
    row: "SELECT place, user_id FROM people_names WHERE part = ? AND place > ? AND place < ? ORDER BY place LIMIT ?",
    between: ") AS part UNION ALL SELECT place, user_id FROM (",
    tail: ") AS part",
};
const BY_IDS: Repeat = Repeat {
    head: concat!("SELECT ", user_columns!(), " FROM users u WHERE u.id IN ("),
    row: "?",
    between: ", ",
    tail: ")",
};
const NOTE: Repeat = Repeat {
    head: "INSERT INTO people_names (part, place, user_id) VALUES ",
    row: "(?, ?, ?)",
    between: ", ",
    tail: " ON CONFLICT (part, place) DO UPDATE SET user_id = excluded.user_id",
};
const FORGET: &str = "DELETE FROM people_names WHERE user_id = ?";
const MORE: &str = "SELECT id FROM users WHERE id > ? ORDER BY id LIMIT 1000";
/// Whoever has a display name has it here.
const NAMES: Repeat = Repeat {
    head: "SELECT u.id, u.username_key, COALESCE(o.display_name, '') FROM users u \
        LEFT JOIN profiles o ON o.user_id = u.id WHERE u.is_active = 1 AND u.id IN (",
    row: "?",
    between: ", ",
    tail: ")",
};
const NOTED: &str = "SELECT value FROM meta WHERE name = 'people_names_up_to'";
const NOTE_NOTED: &str = "INSERT INTO meta (name, value) VALUES ('people_names_up_to', ?) \
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";

pub(super) const ALL: &[&str] = &[FORGET, MORE, NOTED, NOTE_NOTED];
pub(super) const REPEATS: &[&Repeat] = &[&PAGE, &BY_IDS, &NOTE, &NAMES];

/// Notes anew by what a user is found. Whoever changes a name holds the user's head.
pub(super) async fn note_names(c: &mut Connection<'_>, user: UserId) -> Result<(), Fault> {
    forget_names(c, user).await?;
    note_names_of(c, &[user]).await
}

/// From now on the user is not found.
pub(super) async fn forget_names(c: &mut Connection<'_>, user: UserId) -> Result<(), Fault> {
    c.execute(FORGET, &[user.into()]).await.map(drop)
}

/// Notes again by what users are found, of those who are active.
pub(super) async fn note_names_of(c: &mut Connection<'_>, users: &[UserId]) -> Result<(), Fault> {
    let ids: Vec<_> = users.iter().map(|id| (*id).into()).collect();
    let mut found = Vec::new();
    for mut row in c.rows_many(&NAMES, 1, &ids).await? {
        let (id, key, display_name) = (row.int()?, row.text()?, row.text()?);
        found.extend(UserKey::new(&key).map(|key| (id, key, display_name)));
    }
    add(c, &found).await
}

/// Notes by what people are found of whom nothing is noted yet: their numbers, keys and display names.
pub(super) async fn add(c: &mut Connection<'_>, people: &[(UserId, UserKey, String)]) -> Result<(), Fault> {
    let names = people.iter().flat_map(|(id, key, shown)| places(*id, key, shown).into_iter().map(|name| (*id, name)));
    let names: Vec<(UserId, (i64, Place))> = names.collect();
    let values = names.iter().flat_map(|(id, (part, place))| [(*part).into(), Value::Bytes(&place.0), (*id).into()]);
    c.execute_many(&NOTE, 3, &values.collect::<Vec<_>>()).await
}

/// Notes by what up to 1,000 more users are found, of those who were there before that was noted, or whom an older
/// version has added since. False: of all.
pub(super) async fn note_more(db: &Db) -> Result<bool, StoreError> {
    retrying_at_leisure(|attempt| async move {
        let mut c = db.reader(attempt).await?;
        let noted = match c.row(NOTED, &[]).await? {
            Some(mut row) => row.text()?.parse().unwrap_or(0),
            None => 0i64,
        };
        let rows = c.rows(MORE, &[noted.into()]).await?;
        drop(c);
        let ids: Vec<UserId> = rows.into_iter().map(|mut row| row.int()).collect::<Result<_, _>>()?;
        let Some(last) = ids.last() else { return Ok(false) };
        let mut c = db.writer(attempt).await?;
        // Nobody is deactivated or renamed meanwhile.
        lock_heads(&mut c, &ids).await?;
        note_names_of(&mut c, &ids).await?;
        let last = last.to_string();
        c.execute(NOTE_NOTED, &[last.as_str().into()]).await?;
        c.commit().await?;
        Ok(ids.len() == AT_ONCE)
    })
    .await
}

/// See [`Users::people`](crate::store::Users::people).
pub(super) async fn people(
    db: &Arc<Db>,
    me: UserId,
    prefix: &NamePrefix,
    after: Option<&Place>,
    limit: i64,
) -> Result<PeoplePage, StoreError> {
    let parts: Vec<i64> = prefix.parts().collect();
    let (from, to) = prefix.bounds();
    let from = after.map_or(&from, |place| (&place.0).max(&from));
    // One more, to see whether there are more, and one that may be oneself.
    let most = limit + 2;
    retrying(|attempt| {
        let (parts, to) = (&parts, &to);
        async move {
            let mut c = db.reader(attempt).await?;
            let mut found: Vec<(Place, UserId)> = Vec::new();
            for parts in parts.chunks(PARTS) {
                let size = parts.len().next_power_of_two();
                let asked = parts.iter().copied().chain(std::iter::repeat(NO_PART)).take(size);
                let args = asked
                    .flat_map(|part| [part.into(), Value::Bytes(from), Value::Bytes(to), most.into()])
                    .collect::<Vec<_>>();
                for mut row in c.rows_repeated(&PAGE, size, &args).await? {
                    found.push((Place(row.bytes()?), row.int()?));
                }
            }
            // Of each part the first ones: the first of all are among them.
            found.sort();
            page(&mut c, me, found, limit).await
        }
    })
    .await
}

async fn page(
    c: &mut Connection<'_>,
    me: UserId,
    mut found: Vec<(Place, UserId)>,
    limit: i64,
) -> Result<PeoplePage, Fault> {
    let limit = usize::try_from(limit).unwrap_or(0);
    found.retain(|(_, user)| *user != me);
    let next = (found.len() > limit).then(|| found[..limit].last().map(|(place, _)| place.clone())).flatten();
    found.truncate(limit);
    if found.is_empty() {
        return Ok(PeoplePage { people: Vec::new(), next });
    }
    let ids: Vec<_> = found.iter().map(|(_, user)| (*user).into()).collect();
    let mut users: HashMap<UserId, User> = HashMap::new();
    for mut row in c.rows_many(&BY_IDS, 1, &ids).await? {
        let user = user(&mut row)?;
        users.insert(user.id, user);
    }
    // Taken out, so that nobody is in a page twice whose name was changed between two statements. An older version does
    // not know that whoever is not active has no names.
    let people = found.iter().filter_map(|(_, id)| users.remove(id)).filter(|user| user.is_active).collect();
    Ok(PeoplePage { people, next })
}

impl SqlStore {
    /// Notes by what people are found who were added by a version that did not.
    pub async fn note_people(&self) -> Result<(), StoreError> {
        while note_more(&self.db).await? {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::retry::Attempt;
    use crate::store::sql::Options;

    /// However many people there are, no more is read than what a page holds. On MariaDB the rows are counted, by a test
    /// of the store.
    #[tokio::test]
    async fn a_page_is_read_along_the_key() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("chat.sqlite3").display());
        SqlStore::migrate(&url).await.unwrap();
        let store = SqlStore::open(&url, &Options::default()).await.unwrap();
        let explained = Repeat { head: "EXPLAIN QUERY PLAN SELECT place, user_id FROM (", ..PAGE };
        assert!(explained.head.ends_with(PAGE.head), "the same statement");
        for parts in [1, 2, 16] {
            let mut c = store.db.reader(Attempt::only()).await.unwrap();
            let args = [1.into(), Value::Bytes(b"a"), Value::Bytes(b"b"), 22.into()].repeat(parts);
            let mut plan = Vec::new();
            for mut row in c.rows_repeated(&explained, parts, &args).await.unwrap() {
                for _ in 0..3 {
                    row.int().unwrap();
                }
                plan.push(row.text().unwrap());
            }
            let key = "SEARCH people_names USING PRIMARY KEY (part=? AND place>? AND place<?)";
            assert_eq!(plan.iter().filter(|line| *line == key).count(), parts, "{plan:#?}");
            assert!(!plan.iter().any(|line| line.contains("SCAN people_names")), "{plan:#?}");
            assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{plan:#?}");
        }
    }
}
