//! Gateways that are killed (`kill -9`) at random moments under load: what was acknowledged has been written down, and
//! nothing that must happen once happens twice.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::Duration,
};

use futures_util::future::join_all;
use gateway_runtime::{
    prelude::*,
    provider::HttpClientSettings,
    store::{Books, Sqlite},
};
use serde_json::json;

use super::till::{self, Answer, BOOKS};

/// Where the gateway in a process of its own has its books, and the effects of its calls.
const FOLDER: &str = "GATEWAY_TEST_FOLDER";
const EFFECTS: &str = "effects";

/// The effect of a sale that lasts whatever becomes of the gateway: a line in a file.
pub(super) fn last(name: &str) -> Result<()> {
    let folder = std::env::var(FOLDER).map_err(|_| Error::internal("only in a process of its own"))?;
    let mut file = OpenOptions::new().append(true).create(true).open(Path::new(&folder).join(EFFECTS))?;
    // One write, so that two lines never mix.
    file.write_all(format!("{name}\n").as_bytes())?;
    Ok(())
}

/// The gateway that is killed: this program again, with this test alone.
#[test]
#[ignore = "what other tests start and kill"]
fn serve() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let settings = till::settings(Path::new(&folder)) + "idempotency = { lease = '1s' }\nlog = { format = 'json' }";
    Gateway::from_toml(&settings).unwrap().run().unwrap();
}

/// A gateway in a process of its own.
struct Process {
    child: Child,
    url: String,
}

impl Process {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "books::crash::serve", "--nocapture"])
            .env(FOLDER, folder)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let url = loop {
            let line = lines.next().expect("it ended before it listened").unwrap();
            if let Some(at) = line.find("http://127.0.0.1:") {
                break line[at..].split('"').next().unwrap().to_owned();
            }
        };
        // Whoever writes into a pipe that nobody reads stops.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGKILL.
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

struct Customers {
    http: HttpClient,
    /// What each key's first answer was.
    answered: Mutex<BTreeMap<String, u16>>,
}

impl Customers {
    async fn buy(&self, url: &str, key: &str) -> Option<Answer> {
        let request = self.http.post(format!("{url}/services/till/v1/sell")).header("idempotency-key", key);
        let response = request.json(&json!({ "name": key, "how": "lasting" })).send_any().await.ok()?;
        let answer = till::answer(response).await?;
        if answer.status == 200 {
            self.answered.lock().unwrap().insert(key.to_owned(), answer.status);
        }
        Some(answer)
    }

    /// Buys under new keys until the gateway is gone.
    async fn keep_buying(&self, url: &str, stem: &str) {
        for number in 0.. {
            if self.buy(url, &format!("{stem}-{number}")).await.is_none() {
                return;
            }
        }
    }
}

fn effects(folder: &Path) -> BTreeMap<String, u32> {
    let mut effects = BTreeMap::new();
    if let Ok(file) = File::open(folder.join(EFFECTS)) {
        for line in BufReader::new(file).lines() {
            *effects.entry(line.unwrap()).or_default() += 1;
        }
    }
    effects
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn killed_at_any_moment_nothing_acknowledged_is_lost_or_done_twice() {
    const ROUNDS: u64 = 10;
    let folder = Folder(std::env::temp_dir().join(format!("gateway-crash-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).unwrap();
    let customers =
        Customers { http: HttpClient::new(&HttpClientSettings::default()).unwrap(), answered: Mutex::default() };
    for round in 0..ROUNDS {
        let gateway = Process::start(&folder.0);
        let url = gateway.url.clone();
        let stems: Vec<_> = (0..16).map(|customer| format!("{round}-{customer}")).collect();
        let buying = join_all(stems.iter().map(|stem| customers.keep_buying(&url, stem)));
        let killing = async {
            tokio::time::sleep(Duration::from_millis(20 + 37 * round % 200)).await;
            drop(gateway);
        };
        tokio::join!(buying, killing);
    }
    let done = effects(&folder.0);
    assert!(done.len() > 100, "there was hardly any load: {}", done.len());

    // Every key again, those too of which nobody knows how they ended.
    let gateway = Process::start(&folder.0);
    let acknowledged = customers.answered.lock().unwrap().clone();
    let (mut replayed, mut unknown) = (0, 0);
    for key in done.keys() {
        let answer = loop {
            let answer = customers.buy(&gateway.url, key).await.unwrap();
            // Until the lease of the gateway that died is over.
            if answer.status != 409 {
                break answer;
            }
        };
        match (answer.status, answer.body["code"].as_str()) {
            (200, _) => replayed += u32::from(answer.replayed),
            (504, Some("outcome-unknown")) => {
                unknown += 1;
                assert!(!acknowledged.contains_key(key), "{key} was acknowledged");
            }
            other => panic!("{key}: {other:?}"),
        }
    }
    assert_eq!(replayed + unknown, u32::try_from(done.len()).unwrap());
    let twice: Vec<_> = effects(&folder.0).into_iter().filter(|(_, times)| *times != 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert!(acknowledged.keys().all(|key| done.contains_key(key)));
    drop(gateway);

    let books = Books::new(Sqlite::open(&folder.0.join(BOOKS)).await.unwrap());
    let rows = books.recent_requests(1_000_000).await.unwrap();
    let fulfilled = rows.iter().filter(|row| row.fulfilled && !row.replay).count();
    assert!(fulfilled >= acknowledged.len(), "{fulfilled} rows for {} acknowledged calls", acknowledged.len());
}
