//! What goes into a statement and what comes out of it, the same for both databases.

use sqlx::Row as _;
use sqlx::mysql::MySqlRow;
use sqlx::sqlite::SqliteRow;

use super::dialect::pad;
use super::error::Fault;

/// A bound parameter.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Int(i64),
    MaybeInt(Option<i64>),
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl From<i64> for Value<'_> {
    fn from(v: i64) -> Self {
        Self::Int(v)
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(v: Option<i64>) -> Self {
        Self::MaybeInt(v)
    }
}

impl From<bool> for Value<'_> {
    fn from(v: bool) -> Self {
        Self::Int(i64::from(v))
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(v: &'a str) -> Self {
        Self::Text(v)
    }
}

/// Repeats the last of these rows up to one of the sizes. There is at least one.
pub(super) fn padded<'a>(rows: &[Value<'a>], width: usize) -> (Vec<Value<'a>>, usize) {
    let size = pad(rows.len() / width);
    let last = &rows[rows.len() - width..];
    let missing = last.iter().copied().cycle().take(size * width - rows.len());
    (rows.iter().copied().chain(missing).collect(), size)
}

/// What a write did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    pub rows: u64,
    pub last_id: i64,
}

/// A statement with its parameters.
macro_rules! bind {
    ($sql:expr, $args:expr) => {{
        let mut query = sqlx::query($sql);
        for arg in $args {
            query = match *arg {
                Value::Int(v) => query.bind(v),
                Value::MaybeInt(v) => query.bind(v),
                Value::Text(v) => query.bind(v.to_owned()),
                Value::Bytes(v) => query.bind(v.to_owned()),
            };
        }
        query
    }};
}
pub(super) use bind;

/// A row of either database.
pub(super) enum Cells {
    Sqlite(SqliteRow),
    MySql(MySqlRow),
}

/// A row, read from its first column on.
pub(super) struct Row {
    cells: Cells,
    at: usize,
}

macro_rules! column {
    ($name:ident, $type:ty) => {
        /// The next column.
        pub(super) fn $name(&mut self) -> Result<$type, Fault> {
            let at = self.at;
            self.at += 1;
            Ok(match &self.cells {
                Cells::Sqlite(row) => row.try_get_unchecked(at)?,
                Cells::MySql(row) => row.try_get_unchecked(at)?,
            })
        }
    };
}

impl Row {
    pub(super) fn new(cells: Cells) -> Self {
        Self { cells, at: 0 }
    }

    column!(int, i64);
    column!(maybe_int, Option<i64>);
    column!(text, String);
    column!(maybe_text, Option<String>);
    column!(bytes, Vec<u8>);

    /// The next column, as yes or no.
    pub(super) fn flag(&mut self) -> Result<bool, Fault> {
        Ok(self.int()? != 0)
    }
}
