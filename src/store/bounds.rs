//! How a transaction is begun and ended, on each kind of database.
//!
//! A Galera cluster takes a transaction back when another node was quicker, and was seen not to say so: the statement
//! after it was carried out by itself and stayed, half a send without the other half. So there nothing is carried out by
//! itself while a transaction is meant to be open, and in the end it has to be the one that was begun.

/// What is said at the ends of a transaction.
pub(super) struct Bounds {
    pub(super) begin: &'static str,
    /// An error that says that the transaction has gone is one of contention.
    pub(super) commit: &'static str,
    pub(super) roll_back: &'static str,
}

pub(super) const SQLITE: Bounds = Bounds { begin: "BEGIN IMMEDIATE", commit: "COMMIT", roll_back: "ROLLBACK" };
pub(super) const MYSQL: Bounds = Bounds { begin: "BEGIN", ..SQLITE };
/// A savepoint ends with its transaction. Each line is one packet: nothing comes between its statements.
pub(super) const GALERA: Bounds = Bounds {
    begin: "SET autocommit = 0; BEGIN; SAVEPOINT whole",
    commit: "RELEASE SAVEPOINT whole; COMMIT; SET autocommit = 1",
    roll_back: "ROLLBACK; SET autocommit = 1",
};

#[cfg(test)]
mod tests {
    use sqlx::{Connection as _, Executor as _, MySqlConnection, Row as _};

    use super::*;
    use crate::store::error::Fault;

    /// On any MariaDB: the transaction is ended behind the back of who means to be in it, as a cluster does.
    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "where the test finds a database")]
    async fn what_follows_on_a_transaction_that_has_gone_does_not_stay() {
        let Ok(url) = std::env::var("CHATD_TEST_MARIADB_URL") else {
            let required = std::env::var("CHATD_TEST_REQUIRE").unwrap_or_default();
            assert!(!required.contains("mariadb"), "no MariaDB");
            return;
        };
        let mut c = MySqlConnection::connect(&url).await.unwrap();
        c.execute("CREATE DATABASE IF NOT EXISTS chatd_bounds; USE chatd_bounds").await.unwrap();
        c.execute("CREATE TEMPORARY TABLE t (n INT) ENGINE=InnoDB").await.unwrap();

        c.execute(GALERA.begin).await.unwrap();
        c.execute("INSERT INTO t VALUES (1)").await.unwrap();
        c.execute(GALERA.commit).await.unwrap();

        c.execute(GALERA.begin).await.unwrap();
        c.execute("INSERT INTO t VALUES (2)").await.unwrap();
        c.execute("ROLLBACK").await.unwrap();
        c.execute("INSERT INTO t VALUES (3)").await.unwrap();
        let gone = c.execute(GALERA.commit).await.unwrap_err();
        assert!(matches!(Fault::from(gone), Fault::Contended(_)));
        c.execute(GALERA.roll_back).await.unwrap();

        c.execute(GALERA.begin).await.unwrap();
        c.execute("ROLLBACK").await.unwrap();
        c.execute(GALERA.commit).await.expect_err("a commit of nothing");
        c.execute(GALERA.roll_back).await.unwrap();

        // Outside of a transaction everything is as it was.
        c.execute("INSERT INTO t VALUES (4)").await.unwrap();
        c.execute("ROLLBACK").await.unwrap();
        let rows = c.fetch_all("SELECT n FROM t ORDER BY n").await.unwrap();
        let rows: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(rows, [1, 4]);
    }
}
