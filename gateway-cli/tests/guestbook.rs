//! Tests of a service with a table of its own in the database, injected as a field and as an
//! argument.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, and says what it does not run"
)]

use gateway_runtime::{
    migrations,
    prelude::*,
    provider::{HttpClient, HttpClientSettings},
    sqlx,
};

/// A guestbook.
#[service(name = "guestbook")]
struct Guestbook {
    db: Db,
}

/// A guest.
#[model]
struct Guest {
    /// The name of the guest.
    name: String,
}

#[service]
impl Guestbook {
    /// Adds a guest.
    #[expose_method(POST)]
    async fn sign(&self, guest: Guest, db: Db) -> Result<()> {
        let insert = "INSERT INTO guests (name) VALUES ($1)";
        if let Ok(postgres) = db.postgres() {
            sqlx::query(insert).bind(guest.name).execute(postgres).await?;
        } else {
            sqlx::query(insert).bind(guest.name).execute(db.sqlite()?).await?;
        }
        Ok(())
    }

    /// Returns the number of guests.
    #[expose_method(GET)]
    async fn count(&self) -> Result<i64> {
        let count = "SELECT count(*) FROM guests";
        Ok(match self.db.postgres() {
            Ok(postgres) => sqlx::query_scalar(count).fetch_one(postgres).await?,
            Err(_) => sqlx::query_scalar(count).fetch_one(self.db.sqlite()?).await?,
        })
    }
}

fn gateway(store: &str) -> Gateway {
    let settings = format!("http = {{ listen = '127.0.0.1:0', workers = 1 }}\n{store}");
    Gateway::from_toml(&settings).unwrap().migrations(migrations!("tests/migrations"))
}

async fn guests_are_stored(store: &str) {
    let running = gateway(store).start().await.unwrap();
    let http = HttpClient::new(&HttpClientSettings::default()).unwrap();
    let url = |method: &str| format!("{}/services/guestbook/v1/{method}", running.url());
    for name in ["Ada", "Grace"] {
        let signed = http
            .post(url("sign"))
            .json(&serde_json::json!({ "name": name }))
            .send_any()
            .await
            .unwrap();
        assert_eq!(signed.status(), 204);
    }
    assert_eq!(http.get(url("count")).send_any().await.unwrap().text().await.unwrap(), "2");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn guests_are_kept_in_a_file() {
    let folder = std::env::temp_dir().join(format!("gateway-guestbook-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    guests_are_stored(&format!("store = {{ path = '{}' }}", folder.join("books.db").display()))
        .await;
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn guests_are_kept_on_a_server() {
    let Ok(server) = std::env::var("TEST_POSTGRES_URL") else {
        eprintln!("not run: TEST_POSTGRES_URL names no server");
        return;
    };
    let name = format!("test_guestbook_{}", std::process::id());
    let pool = sqlx::PgPool::connect(&server).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&pool)
        .await
        .unwrap();
    let (address, options) = server.split_once('?').unwrap_or((&server, ""));
    guests_are_stored(&format!(
        "store = {{ url = '{}/{name}?{options}' }}",
        address.rsplit_once('/').unwrap().0
    ))
    .await;
}

#[tokio::test]
async fn start_without_a_database_explains_how_to_configure_one() {
    let error = gateway("").start().await.unwrap_err().to_string();
    assert!(
        error.contains("`services.guestbook` requires a `Db`") && error.contains("[store]"),
        "{error}"
    );
}
