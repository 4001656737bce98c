//! Written rows are read back; a database of a newer version stays untouched.

use super::*;
use crate::store::{migrations::GATEWAY, sql::sqlite};

each_database! {
    async fn a_request_is_found_as_it_was_written(store: Store) {
        let first = unpaid(name("a"));
        let mut second = unpaid(name("b"));
        second.request.account = None;
        second.request.fulfilled = false;
        second.request.status = 503;
        second.request.code = Some("no-provider".into());
        store.commit(&[settle(first.clone()), settle(second.clone())]).await.unwrap();
        let found = store.requests(&[&first.request.call, &second.request.call, "nothing"]).await.unwrap();
        assert_eq!(found, [second.request, first.request]);
    }

    async fn batch_is_rolled_back_when_one_write_fails(store: Store) {
        let account = account(&store, 100).await;
        let known = hold(&account, 1);
        one(&store, Command::Hold(known.clone())).await;
        let (new, call) = (hold(&account, 10), unpaid(name("call")));
        let refused = store.commit(&[Command::Hold(new), settle(call.clone()), Command::Hold(known)]).await;
        assert!(refused.unwrap_err().is_refusal());
        assert_eq!(balance(&store, &account).await, (99, 1));
        assert_eq!(store.requests(&[&call.request.call]).await.unwrap(), []);
    }

    async fn account_can_be_opened_twice(store: Store) {
        let account = name("account");
        let open = Command::OpenAccount { account, plan: "p".into(), at: 1, who: "ada".into() };
        assert_eq!(one(&store, open.clone()).await, CommandOutcome::Opened(true));
        let again = store.commit(&[open.clone(), open]).await.unwrap();
        assert_eq!(again, [CommandOutcome::Opened(false), CommandOutcome::Opened(false)]);
    }
}

#[tokio::test]
async fn file_keeps_its_rows_when_opened_again() {
    let file = File::new();
    let account = account(&file.store().await, 5).await;
    assert_eq!(balance(&file.store().await, &account).await, (5, 0));
}

#[tokio::test]
async fn staged_rows_are_merged_by_the_thousand() {
    let file = File::new();
    let store = file.store().await;
    let pool =
        sqlx::SqlitePool::connect(&format!("sqlite:{}", file.path().display())).await.unwrap();
    let count = async |table: &str| -> i64 {
        let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap()
    };
    for batch in 0..9 {
        let calls: Vec<_> = (0..250).map(|_| settle(unpaid(name("call")))).collect();
        store.commit(&calls).await.unwrap();
        let found = (count("requests").await, count("latest_requests").await);
        assert_eq!(found, if batch < 8 { (0, 250 * (batch + 1)) } else { (2250, 0) });
    }
    let last = unpaid(name("call"));
    // Rows that an earlier process has staged are counted too.
    drop(store);
    for store in [file.store().await, file.store().await] {
        store.commit(&[settle(unpaid(name("call")))]).await.unwrap();
    }
    let store = file.store().await;
    store.commit(&[settle(last.clone())]).await.unwrap();
    assert_eq!(count("latest_requests").await, 3);
    assert_eq!(store.recent_requests(5000).await.unwrap().len(), 2253);
    assert_eq!((count("requests").await, count("latest_requests").await), (2253, 0));
    // A repetition after an ambiguous commit, whose row has been merged meanwhile.
    store.commit(&[settle(last)]).await.unwrap();
    assert_eq!(store.recent_requests(5000).await.unwrap().len(), 2253);
}

#[tokio::test]
async fn file_that_is_no_database_is_not_overwritten() {
    let file = File::new();
    std::fs::create_dir_all(&file.0).unwrap();
    let path = file.0.join("notes.txt");
    std::fs::write(&path, "these are notes. ".repeat(20)).unwrap();
    let error = Sqlite::open(&path).await.unwrap_err().to_string();
    assert!(error.contains("notes.txt") && error.contains("not a database"), "{error}");
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("these are notes"));
}

#[tokio::test]
async fn migrations_go_back_and_forth() {
    let file = File::new();
    let account = account(&file.store().await, 5).await;
    sqlite::migrator(&file.path()).await.unwrap().migrate_to(&GATEWAY, 0).await.unwrap();
    assert_eq!(
        balance(&file.store().await, &account).await,
        (0, 0),
        "what a migration keeps goes with it"
    );
}

#[tokio::test]
async fn database_of_a_newer_version_is_rejected() {
    let file = File::new();
    drop(file.store().await);
    let pool =
        sqlx::SqlitePool::connect(&format!("sqlite:{}", file.path().display())).await.unwrap();
    let newer =
        "INSERT INTO gateway_migrations (version, description, success, checksum, execution_time)
        VALUES (99, 'of tomorrow', true, x'00', 0)";
    sqlx::query(newer).execute(&pool).await.unwrap();
    let error = Sqlite::open(&file.path()).await.unwrap_err().to_string();
    assert!(error.contains("newer than this program") && error.contains("99"), "{error}");
}
