//! Reads of SQLite are limited in time: the write-ahead log cannot restart during a read.

use std::time::Instant;

use super::*;
use crate::store::{Database, Statement};

/// Returns a statement that counts to `rows`, from a snapshot of the file.
fn counting(rows: &str) -> Statement {
    let sql = "WITH RECURSIVE n (i) AS (SELECT count(*) FROM requests UNION ALL SELECT i + 1 \
        FROM n LIMIT {rows})
        SELECT CAST(count(*) AS TEXT) FROM n WHERE ?1 NOT NULL";
    Statement {
        sqlite: sql.replace("{rows}", rows).into(),
        postgres: "".into(),
        reads_staging: false,
        is_polled: false,
    }
}

#[tokio::test]
async fn read_ends_in_time_and_the_next_has_its_own_time() {
    let file = File::new();
    let database = Sqlite::open(&file.0).await.unwrap();
    let begin = Instant::now();
    let endless = database.read(&counting("-1"), "0").await.unwrap_err();
    assert!(!endless.is_refusal(), "{endless}");
    assert!((4..9).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
    assert_eq!(database.read(&counting("100000"), "0").await.unwrap(), ["100000"]);
}
