//! Tests of `gateway db` on SQLite and, if a server is configured, on PostgreSQL.

use std::ffi::OsString;

use gateway_runtime::{Gateway, migrations, sqlx};

use crate::program::Folder;

/// The beginning of the status when nothing is applied.
const MISSING: &str = "gateway     1  missing  books\ngateway     2  missing  operator\n";

/// Migrates forward, back and forward again.
fn migrate_forward_and_back(folder: &Folder) {
    let missing = folder.run("db status").done();
    assert!(missing.starts_with(MISSING) && !missing.contains("applied"), "{missing}");
    assert_eq!(folder.run("db migrate --to 1").done(), missing.replacen("missing", "applied", 1));
    let applied = missing.replace("missing", "applied");
    assert_eq!(folder.run("db migrate").done(), applied);
    assert_eq!(folder.run("db migrate").done(), applied);
    assert_eq!(folder.run("db migrate --to 0").done(), missing);
    assert_eq!(folder.run("db status").done(), missing);
    let error = folder.run("db migrate --to 99").failed();
    assert!(error.contains("`gateway` has no migration 99"), "{error}");
    let error = folder.run("db migrate --owner nobody --to 1").failed();
    assert!(
        error.contains("unknown owner of migrations `nobody`\nhelp: use one of gateway"),
        "{error}"
    );
}

/// Returns the error of a gateway that does not migrate at start, with this database.
fn start_error(folder: &Folder) -> String {
    folder.run("serve --listen 127.0.0.1:0 --set store.migrate=false").failed()
}

#[test]
fn sqlite_migrates_forward_and_back() {
    let folder = Folder::new();
    folder.write("gateway.toml", "[store]\npath = 'books.db'");
    assert!(folder.run("db status").done().starts_with(MISSING));
    assert!(!folder.0.join("books.db").exists(), "asking makes no file");
    let error = start_error(&folder);
    assert!(
        error.contains("gateway 1 (books), gateway 2 (operator)")
            && error.contains("`gateway db migrate`"),
        "{error}"
    );
    migrate_forward_and_back(&folder);
    folder.run("db migrate --to 1").done();
    let error = start_error(&folder);
    assert!(error.contains("it lacks gateway 2 (operator)") && !error.contains("books"), "{error}");
}

#[test]
fn postgres_migrates_forward_and_back() {
    let Ok(server) = std::env::var("TEST_POSTGRES_URL") else {
        eprintln!("not run: TEST_POSTGRES_URL names no server");
        return;
    };
    let name = format!("test_cli_{}", std::process::id());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let pool = sqlx::PgPool::connect(&server).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&pool)
            .await
            .unwrap();
    });
    let (address, options) = server.split_once('?').unwrap_or((&server, ""));
    let url = format!("{}/{name}?{options}", address.rsplit_once('/').unwrap().0);
    let folder = Folder::new();
    folder.write("gateway.toml", &format!("[store]\nurl = '{url}'"));
    migrate_forward_and_back(&folder);
    let error = start_error(&folder);
    assert!(error.contains("`gateway db migrate`"), "{error}");
}

#[test]
fn without_a_database_there_is_nothing_to_migrate() {
    let folder = Folder::new();
    for line in ["db status", "db migrate"] {
        let error = folder.run(line).failed();
        assert!(error.contains("no database is configured") && error.contains("DB_URL"), "{error}");
    }
}

/// Runs the same commands in an author's program, which has migrations of its own.
#[test]
fn an_authors_migrations_are_counted_on_their_own() {
    let folder = Folder::new();
    let path = folder.0.join("books.db");
    let run = |line: &str, build: fn(Gateway) -> Gateway| {
        let options = format!("{line} --set store.path={}", path.display());
        gateway_cli::run_from("", build, options.split_whitespace().map(OsString::from))
    };
    let own: fn(Gateway) -> Gateway = |gateway| gateway.migrations(migrations!("tests/migrations"));
    let columns = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let pool =
                sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
            let columns =
                sqlx::query_scalar::<_, String>("SELECT name FROM pragma_table_info('guests')");
            columns.fetch_all(&pool).await.unwrap()
        })
    };
    run("db migrate", own).unwrap();
    assert_eq!(columns(), ["name", "since"]);
    run("db migrate --owner gateway-cli --to 1", own).unwrap();
    assert_eq!(columns(), ["name"]);
    run("db migrate --owner gateway-cli --to 0", own).unwrap();
    assert!(columns().is_empty());

    run("db migrate", own).unwrap();
    let older: fn(Gateway) -> Gateway = |gateway| {
        let known = migrations!("tests/migrations");
        gateway.migrations(gateway_runtime::db::Migrations { steps: &known.steps[..1], ..known })
    };
    let error = run("serve --listen 127.0.0.1:0", older).unwrap_err();
    assert!(
        error.contains("newer than this program: it has the unknown migration 2 of `gateway-cli`"),
        "{error}"
    );

    let twice: fn(Gateway) -> Gateway = |gateway| {
        gateway
            .migrations(migrations!("tests/migrations"))
            .migrations(migrations!("tests/migrations"))
    };
    let error = run("serve --listen 127.0.0.1:0", twice).unwrap_err();
    assert!(error.contains("duplicate owner of migrations `gateway-cli`"), "{error}");
}
