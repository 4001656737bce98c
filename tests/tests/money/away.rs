//! A database that is stopped or frozen: priced calls are refused in time and can be retried, free
//! calls continue, and service resumes without a restart when the database does.

use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use gateway_runtime::{prelude::*, provider::HttpClientSettings};

use super::kiosk::{Customer, PRICE, balance, fund, settings_with};
use crate::database::Database;

/// The longest wait of a call for the database, with a margin for a busy machine.
const PATIENCE: Duration = Duration::from_secs(13);

/// A PostgreSQL server of this test's own.
pub(crate) struct Server {
    folder: PathBuf,
    pub(crate) url: String,
}

impl Server {
    /// Starts a server; `None` if the tests run without PostgreSQL.
    pub(crate) fn start() -> Option<Self> {
        if std::env::var_os("TEST_POSTGRES_URL").is_none() {
            eprintln!("not run: TEST_POSTGRES_URL names no server");
            return None;
        }
        // Outside of the test user's folders: the server runs as a user of its own.
        let folder =
            std::env::temp_dir().join(format!("gateway-postgres-{:08x}", fastrand::u32(..)));
        let url = tool("start", &folder);
        Some(Self { folder, url: url.trim().to_owned() })
    }

    pub(crate) fn run(&self, what: &str) {
        tool(what, &self.folder);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.run("stop");
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn tool(what: &str, folder: &PathBuf) -> String {
    let tool = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/postgres");
    let output = Command::new(tool).arg(what).arg(folder).output().unwrap();
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn priced_calls_wait_for_the_database_and_free_calls_do_not() {
    let Some(server) = Server::start() else { return };
    let database = Database::at(&server.url);
    let books = database.books().await;
    fund(&books, 1000 * PRICE).await;
    let gateway = Gateway::from_toml(&settings_with(&database, "admin.listen = '127.0.0.1:0'"))
        .unwrap()
        .start()
        .await
        .unwrap();
    let customer = Customer::of(&gateway.url());
    let http = HttpClient::new(&HttpClientSettings::default()).unwrap();
    let ready = async || {
        let url = format!("http://{}/readyz", gateway.admin_address().unwrap());
        http.get(url).send_any().await.unwrap().status()
    };
    let mut bought = 0;
    for (take_away, bring_back) in [("stop", "start"), ("freeze", "thaw")] {
        assert_eq!(customer.buy("bread", "well", &[]).await.unwrap().status, 200);
        assert_eq!(ready().await, 200);
        bought += 1;

        server.run(take_away);
        for _ in 0..3 {
            let begin = Instant::now();
            let refused = customer.buy("bread", "well", &[]).await.unwrap();
            assert_eq!(
                (refused.status, &*refused.code, refused.retryable),
                (503, "overloaded", true),
                "{take_away}"
            );
            assert!(begin.elapsed() < PATIENCE, "{take_away}: refused after {:?}", begin.elapsed());
            let begin = Instant::now();
            assert_eq!(customer.get("look").await.unwrap().status, 200, "{take_away}");
            assert!(begin.elapsed() < Duration::from_secs(2), "{take_away}: free and slow");
        }
        assert_eq!(ready().await, 503, "{take_away}");
        server.run(bring_back);

        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let answer = customer.buy("bread", "well", &[]).await.unwrap();
            if answer.status == 200 {
                bought += 1;
                break;
            }
            assert!(Instant::now() < end, "{bring_back}: {answer:?}");
        }
        assert_eq!(ready().await, 200, "{bring_back}");
    }
    gateway.stop().await.unwrap();
    // Holds of refused calls have been released.
    let end = Instant::now() + Duration::from_secs(30);
    while balance(&books).await != ((1000 - bought) * PRICE, 0) {
        assert!(Instant::now() < end, "{:?} after {bought} calls", balance(&books).await);
        tokio::task::yield_now().await;
    }
    let rows = books.recent_requests(1000).await.unwrap();
    let refused = rows.iter().filter(|row| row.code.as_deref() == Some("overloaded")).count();
    let looked = rows.iter().filter(|row| row.method == "look").count();
    assert_eq!((refused >= 6, looked), (true, 6), "what happened meanwhile is written down");
}
