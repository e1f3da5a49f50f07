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
    use sqlx::{Connection as _, Executor as _, MySqlConnection};

    use super::*;

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
        let name = format!("bounds_{:08x}", rand::random::<u32>());
        let mut run = async |sql: &str| c.execute(sqlx::AssertSqlSafe(sql.to_owned())).await.map(|_| ());
        run(&format!("CREATE DATABASE {name}; USE {name}; CREATE TABLE t (n INT) ENGINE=InnoDB")).await.unwrap();

        run(GALERA.begin).await.unwrap();
        run("INSERT INTO t VALUES (1)").await.unwrap();
        run(GALERA.commit).await.unwrap();

        run(GALERA.begin).await.unwrap();
        run("INSERT INTO t VALUES (2)").await.unwrap();
        run("ROLLBACK").await.unwrap();
        run("INSERT INTO t VALUES (3)").await.unwrap();
        let gone = run(GALERA.commit).await.unwrap_err();
        assert!(matches!(crate::store::error::Fault::from(gone), crate::store::error::Fault::Contended(_)));
        run(GALERA.roll_back).await.unwrap();

        run(GALERA.begin).await.unwrap();
        run("ROLLBACK").await.unwrap();
        run(GALERA.commit).await.expect_err("a commit of nothing");
        run(GALERA.roll_back).await.unwrap();

        run("INSERT INTO t VALUES (4)").await.unwrap();
        run("ROLLBACK").await.unwrap();
        let sql = format!("SELECT n FROM {name}.t ORDER BY n");
        let rows: Vec<i32> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&mut c).await.unwrap();
        assert_eq!(rows, [1, 4]);
        c.execute(sqlx::AssertSqlSafe(format!("DROP DATABASE {name}"))).await.unwrap();
    }
}
