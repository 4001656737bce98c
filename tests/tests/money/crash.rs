//! Gateways that are killed (`kill -9`) at random moments, under a load of priced calls with keys:
//! every acknowledged call has a row and one charge, no charge is without a row, no key is stuck
//! for longer than its lease, no effect `once` happens twice, and the ledger balances.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::Duration,
};

use futures_util::future::join_all;
use gateway_runtime::{prelude::*, store::Store};
use tokio::time::Instant;

use super::kiosk::{
    Answer, Customer, EFFECTS, FOLDER, PRICE, READING, balance, fund, settings_with,
};
use crate::database::{Database, each_database};

/// The number of kills.
const ROUNDS: u64 = 50;
/// The number of concurrent customers.
const CUSTOMERS: usize = 16;
/// The number of `CUSTOMERS` that read, and have no keys.
const READERS: usize = 4;
const LEASE: Duration = Duration::from_secs(1);
const FUNDS: i64 = 1_000_000 * PRICE;
pub(super) const SETTINGS: &str = "gateway.toml";

/// The gateway that is killed: this program again, with only this test.
#[test]
#[ignore = "what other tests start and kill"]
fn serve() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let settings = std::fs::read_to_string(Path::new(&folder).join(SETTINGS)).unwrap();
    Gateway::from_toml(&settings).unwrap().run().unwrap();
}

/// A gateway in a process of its own.
pub(super) struct Process {
    child: Child,
    pub(super) url: String,
}

impl Process {
    pub(super) fn start(folder: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "money::crash::serve", "--nocapture"])
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
        // The child would block on a full pipe that nobody reads.
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

/// The customers' records.
#[derive(Default)]
struct Memory {
    /// The keys of all purchases, including failed ones.
    tried: Mutex<BTreeSet<String>>,
    /// The keys of acknowledged purchases.
    acknowledged: Mutex<BTreeSet<String>>,
    readings: Mutex<usize>,
}

impl Memory {
    async fn buy(&self, customer: &Customer, key: &str) -> Option<Answer> {
        self.tried.lock().unwrap().insert(key.to_owned());
        let answer = customer
            .buy(key, "lasting", &[("idempotency-key", key), ("x-request-id", key)])
            .await?;
        if answer.status == 200 {
            self.acknowledged.lock().unwrap().insert(key.to_owned());
        }
        Some(answer)
    }

    /// Buys under new keys, each twice, until the gateway is gone.
    async fn keep_buying(&self, url: &str, stem: &str) {
        let customer = Customer::of(url);
        for number in 0.. {
            let key = format!("{stem}-{}", number / 2);
            if self.buy(&customer, &key).await.is_none() {
                return;
            }
        }
    }

    async fn keep_reading(&self, url: &str) {
        let customer = Customer::of(url);
        while let Some(answer) = customer.get("read").await {
            assert_eq!(answer.status, 200, "{answer:?}");
            *self.readings.lock().unwrap() += 1;
        }
    }
}

fn effects(folder: &Path) -> BTreeMap<String, u32> {
    let mut effects = BTreeMap::new();
    for line in BufReader::new(File::open(folder.join(EFFECTS)).unwrap()).lines() {
        *effects.entry(line.unwrap()).or_default() += 1;
    }
    effects
}

each_database! {
    async fn nothing_is_lost_executed_twice_or_charged_twice_after_a_kill(database: Database) {
        let folder = database.folder();
        let more = format!(
            "http.request_timeout = '1s'\nbilling.grace = '200ms'\nlog.format = 'json'\n\
             idempotency.lease = '{}s'",
            LEASE.as_secs()
        );
        std::fs::write(folder.join(SETTINGS), settings_with(&database, &more)).unwrap();
        let books = database.books().await;
        fund(&books, FUNDS).await;
        let memory = Memory::default();
        for round in 0..ROUNDS {
            let gateway = Process::start(folder);
            let url = gateway.url.clone();
            let stems: Vec<_> =
                (READERS..CUSTOMERS).map(|customer| format!("{round}-{customer}")).collect();
            let buying = join_all(stems.iter().map(|stem| memory.keep_buying(&url, stem)));
            let reading = join_all((0..READERS).map(|_| memory.keep_reading(&url)));
            let killing = async {
                tokio::time::sleep(Duration::from_millis(20 + fastrand::u64(..400))).await;
                drop(gateway);
            };
            tokio::join!(buying, reading, killing);
        }
        check(&memory, folder, &books).await;
    }
}

async fn check(memory: &Memory, folder: &Path, books: &Store) {
    let acknowledged = memory.acknowledged.lock().unwrap().clone();
    assert!(acknowledged.len() > 200, "there was hardly any load: {}", acknowledged.len());

    // Every key again, including those whose outcome is unknown.
    let gateway = Process::start(folder);
    let customer = Customer::of(&gateway.url);
    let tried = memory.tried.lock().unwrap().clone();
    let patience = Instant::now() + LEASE + Duration::from_secs(1);
    let mut unknown = BTreeSet::new();
    for key in &tried {
        let answer = loop {
            let answer = memory.buy(&customer, key).await.unwrap();
            if answer.status != 409 {
                break answer;
            }
            assert!(Instant::now() < patience, "{key} is stuck for longer than its lease");
        };
        match (answer.status, &*answer.code) {
            (200, _) => assert!(
                answer.replayed || !acknowledged.contains(key),
                "{key} was carried out again"
            ),
            (504, "outcome-unknown") => {
                assert!(!acknowledged.contains(key), "{key} was acknowledged");
                unknown.insert(key.clone());
            }
            other => panic!("{key}: {other:?}"),
        }
    }
    let done = effects(folder);
    let twice: Vec<_> = done.iter().filter(|(_, times)| **times != 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert!(tried.iter().all(|key| done.contains_key(key) || unknown.contains(key)));

    // Holds of interrupted calls are released if the call could only read, and stay otherwise.
    let end = Instant::now() + Duration::from_secs(20);
    while !books.abandoned_holds(i64::MAX).await.unwrap().is_empty() {
        assert!(Instant::now() < end, "money of calls that never ended is looked after");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    drop(gateway);

    let rows = books.recent_requests(10_000_000).await.unwrap();
    let charged: Vec<_> =
        rows.iter().filter(|row| row.price.is_some_and(|price| price > 0)).collect();
    assert!(charged.iter().all(|row| row.fulfilled && !row.replay));
    let bought: Vec<_> =
        charged.iter().filter(|row| row.method == "buy").map(|row| &row.request_id).collect();
    let once: BTreeSet<_> = bought.iter().map(|key| (*key).clone()).collect();
    assert_eq!(bought.len(), once.len(), "a call is charged once");
    assert!(acknowledged.is_subset(&once), "what was acknowledged is written down and charged");
    assert!(once.is_disjoint(&unknown));
    assert_eq!(once.len() + unknown.len(), tried.len());
    let readings = charged.iter().filter(|row| row.method == "read").count();
    assert!(
        readings >= *memory.readings.lock().unwrap(),
        "what was read is written down and charged"
    );

    let (available, held) = balance(books).await;
    let spent = PRICE * count(bought.len()) + READING * count(readings);
    assert_eq!(
        available + held,
        FUNDS - spent,
        "no charge without a row, and no row without its charge"
    );
    assert!(
        held % PRICE == 0 && held <= PRICE * count(unknown.len()),
        "{held} for {} unknown",
        unknown.len()
    );
    println!(
        "{ROUNDS} kills: {} bought, {readings} read, {} unknown, {} rows",
        bought.len(),
        unknown.len(),
        rows.len()
    );
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap()
}
