//! Databases of tests, each empty and used by one test: a file of SQLite, or a database on the
//! server of PostgreSQL that `TEST_POSTGRES_URL` names, as `./test` does.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use gateway_runtime::{
    Secret,
    store::{Postgres, Sqlite, Store},
};
use sqlx::Connection;

/// Declares a test once for each database.
macro_rules! each_database {
    ($($(#[$attribute:meta])* async fn $name:ident($database:ident: Database) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn test($database: Database) $body

            $(#[$attribute])*
            #[tokio::test]
            async fn sqlite() {
                test(Database::sqlite()).await;
            }

            $(#[$attribute])*
            #[tokio::test]
            async fn postgres() {
                if let Some(database) = Database::postgres().await {
                    let name = database.name().to_owned();
                    test(database).await;
                    crate::database::remove(&name).await;
                }
            }
        }
    )*};
}
pub(crate) use each_database;

/// An empty database, and a folder for other files of the test.
pub(crate) struct Database {
    folder: PathBuf,
    url: Option<Secret>,
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        let folder = std::env::temp_dir().join(name());
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder, url: None }
    }

    /// Creates a database on the server; prints a line and returns `None` if there is no server. A
    /// test that passes has it [`remove`]d.
    pub(crate) async fn postgres() -> Option<Self> {
        let Ok(server) = std::env::var("TEST_POSTGRES_URL") else {
            eprintln!("not run: TEST_POSTGRES_URL names no server");
            return None;
        };
        let name = name().replace('-', "_");
        let pool = sqlx::PgPool::connect(&server).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&pool)
            .await
            .unwrap();
        let (path, options) = server.split_once('?').unwrap_or((&server, ""));
        Some(Self::at(&format!("{}/{name}?{options}", path.rsplit_once('/').unwrap().0)))
    }

    /// Creates a database on a server of the test's own.
    pub(crate) fn at(url: &str) -> Self {
        let mut this = Self::sqlite();
        this.url = Some(Secret::new(url));
        this
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the section of a gateway's settings.
    pub(crate) fn section(&self) -> String {
        match &self.url {
            Some(url) => format!("[store]\nurl = '{}'\n", url.expose()),
            None => format!("[store]\npath = '{}'\n", self.file().display()),
        }
    }

    pub(crate) async fn books(&self) -> Store {
        match &self.url {
            Some(url) => Store::new(Postgres::connect(url, 2).await.unwrap()),
            None => Store::new(Sqlite::open(&self.file()).await.unwrap()),
        }
    }

    /// Returns how many transactions the server has committed in this database, as far as it has
    /// counted them.
    pub(crate) async fn commits(&self) -> i64 {
        self.ask("SELECT xact_commit FROM pg_stat_database WHERE datname = $1").await
    }

    /// Returns whether there are connections to it.
    pub(crate) async fn is_used(&self) -> bool {
        self.ask("SELECT count(*) FROM pg_stat_activity WHERE datname = $1").await > 0
    }

    /// Queries the server about this database, from another one.
    async fn ask(&self, question: &'static str) -> i64 {
        sqlx::query_scalar(question).bind(self.name()).fetch_one(&mut server().await).await.unwrap()
    }

    /// Returns the name on the server.
    pub(crate) fn name(&self) -> &str {
        let url = self.url.as_ref().unwrap().expose();
        url.split('?').next().and_then(|path| path.rsplit('/').next()).unwrap()
    }

    /// Executes SQL, in the dialect of each database.
    pub(crate) async fn run(&self, sqlite: &str, postgres: &str) {
        match &self.url {
            Some(url) => {
                let pool = sqlx::PgPool::connect(url.expose()).await.unwrap();
                sqlx::raw_sql(sqlx::AssertSqlSafe(postgres.to_owned()))
                    .execute(&pool)
                    .await
                    .unwrap();
            }
            None => {
                let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", self.file().display()))
                    .await
                    .unwrap();
                sqlx::raw_sql(sqlx::AssertSqlSafe(sqlite.to_owned())).execute(&pool).await.unwrap();
            }
        }
    }

    /// Returns the rows of a query with one text column.
    pub(crate) async fn texts(&self, query: &str) -> Vec<String> {
        let query = sqlx::AssertSqlSafe(query.to_owned());
        match &self.url {
            Some(url) => {
                let mut connection = sqlx::PgConnection::connect(url.expose()).await.unwrap();
                sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap()
            }
            None => {
                let url = format!("sqlite:{}", self.file().display());
                let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
                sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap()
            }
        }
    }

    /// Locks a table, or the whole file of SQLite, against writes of all others, until it is
    /// released.
    pub(crate) async fn lock(&self, table: &str) -> Lock {
        match &self.url {
            Some(url) => {
                let mut connection = sqlx::PgConnection::connect(url.expose()).await.unwrap();
                let lock = format!("BEGIN; LOCK TABLE {table} IN EXCLUSIVE MODE");
                sqlx::raw_sql(sqlx::AssertSqlSafe(lock)).execute(&mut connection).await.unwrap();
                Lock::Postgres(connection)
            }
            None => {
                let url = format!("sqlite:{}", self.file().display());
                let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
                sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
                Lock::Sqlite(connection)
            }
        }
    }

    /// Returns the file of SQLite.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join("books.db")
    }

    /// Returns the URL of PostgreSQL.
    pub(crate) fn url(&self) -> Option<String> {
        self.url.as_ref().map(|url| url.expose().to_owned())
    }
}

/// A lock that another connection holds.
pub(crate) enum Lock {
    Sqlite(sqlx::SqliteConnection),
    Postgres(sqlx::PgConnection),
}

impl Lock {
    pub(crate) async fn release(self) {
        match self {
            Self::Sqlite(connection) => connection.close().await.unwrap(),
            Self::Postgres(connection) => connection.close().await.unwrap(),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Drops a database on the server of all tests, with all its connections: the server would keep it.
pub(crate) async fn remove(name: &str) {
    let drop = sqlx::AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"));
    sqlx::query(drop).execute(&mut server().await).await.unwrap();
}

/// Connects to the server of all tests, to a database that no test uses.
async fn server() -> sqlx::PgConnection {
    sqlx::PgConnection::connect(&std::env::var("TEST_POSTGRES_URL").unwrap()).await.unwrap()
}

fn name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    format!("gateway-test-{process}-{number}-{:08x}", fastrand::u32(..))
}
