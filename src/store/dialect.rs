//! The differences between the two databases. SQL is written once, in SQLite's words for an upsert and MySQL's for a
//! row lock; this file turns it into what each understands. If it grows past a screen, stop and think.

use std::collections::HashMap;
use std::sync::RwLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    MySql,
}

impl Dialect {
    /// One statement in this database's words.
    fn translate(self, sql: &str) -> String {
        match self {
            // One writer holds the whole database: there are no rows to lock.
            Self::Sqlite => sql.replace(" FOR UPDATE SKIP LOCKED", "").replace(" FOR UPDATE", ""),
            Self::MySql => {
                // The first table first: SQLite takes CROSS JOIN for that.
                let sql = sql.replace(" CROSS JOIN ", " STRAIGHT_JOIN ");
                let mut out = String::with_capacity(sql.len());
                let mut rest = sql.as_str();
                if let Some(at) = rest.find("ON CONFLICT") {
                    out.push_str(&rest[..at]);
                    let update = rest[at..].find("DO UPDATE SET").map_or(rest.len(), |i| at + i + 13);
                    out.push_str("ON DUPLICATE KEY UPDATE");
                    rest = &rest[update..];
                }
                while let Some(at) = rest.find("excluded.") {
                    let name = &rest[at + 9..];
                    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
                    out.push_str(&rest[..at]);
                    out.push_str("VALUES(");
                    out.push_str(&name[..end]);
                    out.push(')');
                    rest = &name[end..];
                }
                out.push_str(rest);
                out
            }
        }
    }
}

/// A statement whose last part is repeated: rows of an insert, keys of a lookup.
pub(super) struct Repeat {
    pub head: &'static str,
    pub row: &'static str,
    pub between: &'static str,
    pub tail: &'static str,
}

/// Statements in the words of one database, each made once. What is kept is bounded by the program: the statements
/// in it, and for each [`Repeat`] its few sizes.
pub(super) struct Phrasebook {
    dialect: Dialect,
    /// By the statement (a repeating one by its head and its tail: two may begin alike) and the number of rows.
    known: RwLock<HashMap<(&'static str, &'static str, usize), &'static str>>,
}

impl Phrasebook {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, known: RwLock::default() }
    }

    /// A statement, translated.
    pub(super) fn one(&self, sql: &'static str) -> &'static str {
        self.known_or((sql, "", 0), || self.dialect.translate(sql))
    }

    /// A repeating statement with `times` rows; `times` is one of few sizes.
    pub(super) fn many(&self, sql: &Repeat, times: usize) -> &'static str {
        self.known_or((sql.head, sql.tail, times), || {
            let rows = vec![sql.row; times].join(sql.between);
            self.dialect.translate(&format!("{}{rows}{}", sql.head, sql.tail))
        })
    }

    fn known_or(&self, key: (&'static str, &'static str, usize), make: impl FnOnce() -> String) -> &'static str {
        if let Some(sql) = self.known.read().expect("no holder of this lock can panic").get(&key) {
            return sql;
        }
        let mut known = self.known.write().expect("no holder of this lock can panic");
        known.entry(key).or_insert_with(|| make().leak())
    }
}

/// How often a repeated part occurs. Few sizes, so that prepared statements are found again.
pub(super) const SIZES: [usize; 20] =
    [1024, 768, 512, 384, 256, 192, 128, 96, 64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1];

/// What a batch of sends writes goes into one statement, whatever its size: messages, and two log rows for each.
const WHOLE: usize = 128;

/// Cuts `n` rows into sizes, largest first: 1300 is 1024, 256, 16, 4.
pub(super) fn cut(mut n: usize) -> Vec<usize> {
    let mut parts = Vec::new();
    if (1..=WHOLE).contains(&n) {
        return vec![n];
    }
    for size in SIZES {
        while n >= size {
            parts.push(size);
            n -= size;
        }
    }
    parts
}

/// The smallest size that holds `n` keys (the rest repeats the last one).
pub(super) fn pad(n: usize) -> usize {
    SIZES.into_iter().rev().find(|size| *size >= n).unwrap_or(SIZES[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upsert_in_both_languages() {
        let sql = "INSERT INTO t (a, b) VALUES (?, ?) ON CONFLICT (a) DO UPDATE SET b = excluded.b, c = excluded.c";
        assert_eq!(Dialect::Sqlite.translate(sql), sql);
        assert_eq!(
            Dialect::MySql.translate(sql),
            "INSERT INTO t (a, b) VALUES (?, ?) ON DUPLICATE KEY UPDATE b = VALUES(b), c = VALUES(c)"
        );
        assert_eq!(Dialect::Sqlite.translate("SELECT 1 FOR UPDATE"), "SELECT 1");
        assert_eq!(Dialect::Sqlite.translate("SELECT 1 FOR UPDATE SKIP LOCKED"), "SELECT 1");
    }

    #[test]
    fn statements_that_begin_alike_are_two() {
        let of = |tail| Repeat { head: "SELECT a FROM t WHERE b IN (", row: "?", between: ", ", tail };
        let (plain, locking) = (of(")"), of(") FOR UPDATE"));
        for order in [[&plain, &locking], [&locking, &plain]] {
            let phrases = Phrasebook::new(Dialect::MySql);
            let [first, second] = order.map(|repeat| phrases.many(repeat, 2));
            assert_ne!(first, second);
            assert!(phrases.many(&locking, 2).ends_with("FOR UPDATE"));
        }
    }

    #[test]
    fn sizes() {
        assert_eq!((cut(0), cut(13), cut(128)), (vec![], vec![13], vec![128]));
        assert_eq!(cut(1300), [1024, 256, 16, 4]);
        assert_eq!((pad(1), pad(5), pad(64), pad(65)), (1, 6, 64, 96));
    }
}
