//! Tests against the PostgreSQL server that `TEST_POSTGRES_URL` names.

use tokio::sync::OnceCell;

use super::*;
use crate::base::secret::Secret;
use crate::store::{Postgres, migrations::GATEWAY, sql::postgres};

/// Returns the store on the server; `None` if there is no server. The tests of one run share the
/// store, so each uses names of its own.
pub(super) async fn store() -> Option<Store> {
    static SHARED: OnceCell<Option<Secret>> = OnceCell::const_new();
    let database = SHARED.get_or_init(new_database).await.as_ref()?;
    Some(Store::new(Postgres::connect(database, 2).await.unwrap()))
}

fn url() -> Option<String> {
    let url = std::env::var("TEST_POSTGRES_URL").ok();
    if url.is_none() {
        eprintln!("not run: TEST_POSTGRES_URL names no server");
    }
    url
}

/// Creates an empty database for one test, and returns its URL.
pub(super) async fn new_database() -> Option<Secret> {
    let url = url()?;
    let name = name("test").replace('-', "_");
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&pool)
        .await
        .unwrap();
    let (server, options) = url.split_once('?').unwrap_or((&url, ""));
    Some(Secret::new(format!("{}/{name}?{options}", server.rsplit_once('/').unwrap().0)))
}

#[tokio::test]
async fn migrations_go_back_and_forth() {
    let Some(database) = new_database().await else { return };
    let store = Store::new(Postgres::connect(&database, 1).await.unwrap());
    let account = account(&store, 5).await;
    postgres::migrator(&database).await.unwrap().migrate_to(&GATEWAY, 0).await.unwrap();
    let store = Store::new(Postgres::connect(&database, 1).await.unwrap());
    assert_eq!(balance(&store, &account).await, (0, 0), "what a migration keeps goes with it");
}

#[tokio::test]
async fn error_has_no_password_when_the_server_is_unreachable() {
    let url = Secret::new("postgres://gateway:planted-password@127.0.0.1:1/gateway");
    let error = Postgres::connect(&url, 1).await.unwrap_err().to_string();
    assert!(error.contains("cannot be reached") && !error.contains("planted"), "{error}");
    let error =
        Postgres::connect(&Secret::new("planted-password"), 1).await.unwrap_err().to_string();
    assert!(error.contains("write `postgres://") && !error.contains("planted"), "{error}");
}

#[tokio::test]
async fn connection_is_replaced_when_the_server_has_closed_it() {
    let Some(database) = new_database().await else { return };
    let store = Store::new(Postgres::connect(&database, 2).await.unwrap());
    let account = account(&store, 5).await;
    let pool = sqlx::PgPool::connect(database.expose()).await.unwrap();
    for left in [3, 1] {
        let ended: i64 = sqlx::query_scalar(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() \
                AND backend_type = 'client backend'",
        )
        .fetch_one(&pool)
        .await
        .unwrap();
        assert!(ended >= 1, "the books had no connection");
        let outcomes = store.commit(&[Command::Hold(hold(&account, 2))]).await.unwrap();
        assert_eq!(outcomes, [CommandOutcome::Hold(HoldOutcome::Held)]);
        assert_eq!(balance(&store, &account).await.0, left);
    }
}

/// A rejected batch leaves no trace in the database, and leaves a usable connection.
#[tokio::test]
async fn deferred_writes_are_rolled_back_together() {
    let Some(database) = new_database().await else { return };
    let store = Store::new(Postgres::connect(&database, 2).await.unwrap());
    let account = account(&store, 5).await;
    let first = hold(&account, 1);
    let again = Command::Hold(first.clone());
    store.commit(&[Command::Hold(first.clone())]).await.unwrap();
    let error = store.commit(&[Command::Hold(hold(&account, 1)), again]).await.unwrap_err();
    assert!(error.is_duplicate(), "{error}");
    assert_eq!(balance(&store, &account).await, (4, 1));
    store.commit(&[Command::Hold(hold(&account, 1))]).await.unwrap();
    assert_eq!(balance(&store, &account).await, (3, 2));
}
