//! A gateway that is restarted repeatedly under a load of jobs with effect `once` and without ids:
//! on SIGTERM it cuts none and makes none a dead letter; killed, it executes none twice.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use gateway_runtime::{
    Secret,
    bus::{AmqpBroker, Broker as _, BusSettings, CallQueue, Deliveries, Message, Subscription},
    prelude::Gateway,
};
use serde_json::json;

use super::{
    chores::{FOLDER, notes},
    office::Broker,
};

/// The rate of jobs.
const JOBS_PER_SECOND: u32 = 150;
/// The time limit of the last jobs.
const PATIENCE: Duration = Duration::from_secs(60);
const SETTINGS: &str = "gateway.toml";

/// The gateway that is restarted: this program again, with only this test.
#[test]
#[ignore = "what other tests start"]
fn serve() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let settings = std::fs::read_to_string(Path::new(&folder).join(SETTINGS)).unwrap();
    Gateway::from_toml(&settings).unwrap().run().unwrap();
}

/// A gateway in a process of its own.
struct Process(Child);

impl Process {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "messages::restarts::serve", "--nocapture"])
            .env(FOLDER, folder)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let listens = lines.any(|line| line.unwrap().contains("listening"));
        assert!(listens, "it ended before it listened");
        // The child would block on a full pipe that nobody reads. Its errors are shown when the
        // test fails.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok).filter(|line| !line.contains("\"INFO\"")) {
                eprintln!("{line}");
            }
        });
        Self(child)
    }

    /// Sends SIGTERM and waits; returns whether the process ended successfully.
    fn stop(mut self) -> bool {
        let done = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap();
        assert!(done.success());
        self.0.wait().unwrap().success()
    }

    /// Sends SIGKILL.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Yard {
    folder: PathBuf,
    queue: CallQueue,
    broker: Arc<AmqpBroker>,
    dead: Deliveries,
    published: Arc<AtomicU32>,
    is_over: Arc<AtomicBool>,
    publishing: tokio::task::JoinHandle<()>,
}

impl Yard {
    async fn open(url: &str) -> Self {
        let name = format!("chores-{:08x}", fastrand::u32(..));
        let folder = std::env::temp_dir().join(format!("gateway-{name}"));
        std::fs::create_dir_all(&folder).unwrap();
        let settings = format!(
            "http = {{ listen = '127.0.0.1:0', workers = 2 }}\nstore = {{ path = '{}' }}\n\
             log.format = 'json'\n\
             secrets = {{ EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' }}\n\
             bus.amqp = '{url}'\n\
             bus.confirm_timeout = '20s'\n\
             bus.calls = {{ queue = '{name}', concurrency = 16, prefetch = 64 }}",
            folder.join("books.db").display()
        );
        std::fs::write(folder.join(SETTINGS), settings).unwrap();
        std::fs::write(notes(&folder), "").unwrap();
        // A busy machine may take long to confirm.
        let settings = BusSettings { confirm_timeout: PATIENCE, ..BusSettings::default() };
        let broker = Arc::new(AmqpBroker::open(&Secret::new(url), &settings).await.unwrap());
        let delays = [1, 5, 15, 60, 300].map(Duration::from_secs).to_vec();
        let queue =
            CallQueue { name: name.clone().into(), prefetch: 100, delivery_limit: 20, delays };
        broker.declare(&queue).await.unwrap();
        let letters =
            Subscription::Topic { exchange: CallQueue::DEAD_LETTERS.into(), pattern: name.into() };
        let dead = broker.consume(letters).await.unwrap();
        let (published, is_over) = (Arc::<AtomicU32>::default(), Arc::<AtomicBool>::default());
        let jobs =
            jobs(Arc::clone(&broker), queue.clone(), Arc::clone(&published), Arc::clone(&is_over));
        let publishing = tokio::spawn(jobs);
        Self { folder, queue, broker, dead, published, is_over, publishing }
    }

    /// Returns how often each job began and ended.
    fn noted(&self) -> BTreeMap<u32, (u32, u32)> {
        let mut noted = BTreeMap::<u32, (u32, u32)>::new();
        for line in std::fs::read_to_string(notes(&self.folder)).unwrap().lines() {
            let (what, number) = line.split_once(' ').unwrap();
            let (begun, ended) = noted.entry(number.parse().unwrap()).or_default();
            *(if what == "begun" { begun } else { ended }) += 1;
        }
        noted
    }

    /// Ends the load, and waits until `count` accounts for all jobs; returns the number of jobs.
    async fn finish(&mut self, mut count: impl FnMut(&mut Self) -> usize) -> usize {
        self.is_over.store(true, Ordering::Relaxed);
        (&mut self.publishing).await.unwrap();
        let all = self.published.load(Ordering::Relaxed) as usize;
        let end = Instant::now() + PATIENCE;
        loop {
            let counted = count(self);
            if counted >= all {
                return all;
            }
            assert!(Instant::now() < end, "{counted} of {all} jobs are accounted for");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Publishes jobs without ids, each of 20 to 100 ms.
async fn jobs(
    broker: Arc<AmqpBroker>,
    queue: CallQueue,
    published: Arc<AtomicU32>,
    is_over: Arc<AtomicBool>,
) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / JOBS_PER_SECOND);
    while !is_over.load(Ordering::Relaxed) {
        ticks.tick().await;
        let number = published.load(Ordering::Relaxed);
        let chore = json!({ "number": number, "millis": fastrand::u64(20..=100) });
        let body = json!({ "service": "chores", "version": 1, "method": "work", "payload": chore });
        let mut message = Message::to_queue(queue.name.clone());
        message.persistent = true;
        message.body = serde_json::to_vec(&body).unwrap().into();
        broker.publish(message).await.unwrap();
        published.fetch_add(1, Ordering::Relaxed);
    }
}

/// Lets a gateway work for a random time, and until 20 more jobs have begun.
async fn work_for_a_while(yard: &Yard) {
    let before = yard.noted().len();
    let end = Instant::now() + PATIENCE;
    tokio::time::sleep(Duration::from_millis(fastrand::u64(200..600))).await;
    while yard.noted().len() < before + 20 {
        assert!(Instant::now() < end, "no jobs begin");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_restarts_under_load_cut_no_job_and_bury_none() {
    const RESTARTS: u32 = 20;
    let Some(broker) = Broker::rabbitmq() else { return };
    let mut yard = Yard::open(broker.url().unwrap()).await;
    for restart in 0..RESTARTS {
        let gateway = Process::start(&yard.folder);
        work_for_a_while(&yard).await;
        assert!(
            tokio::task::block_in_place(|| gateway.stop()),
            "restart {restart}: it did not end well"
        );
        let cut: Vec<_> =
            yard.noted().into_iter().filter(|(_, (begun, ended))| begun != ended).collect();
        assert!(cut.is_empty(), "restart {restart}: {cut:?}");
    }
    let last = Process::start(&yard.folder);
    let all =
        yard.finish(|yard| yard.noted().values().filter(|(_, ended)| *ended > 0).count()).await;
    assert!(last.stop());
    let noted = yard.noted();
    let not_once: Vec<_> = noted.iter().filter(|(_, times)| **times != (1, 1)).collect();
    println!(
        "{RESTARTS} restarts, {all} jobs: {} begun, {} not exactly once",
        noted.len(),
        not_once.len()
    );
    assert!(not_once.is_empty(), "{not_once:?}");
    assert_eq!((noted.len(), yard.dead.waiting()), (all, 0), "dead letters");
    // The queue is empty, and no message is redelivered.
    let mut left = yard.broker.consume(Subscription::Calls(yard.queue.clone())).await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(200), left.next()).await;
    assert!(early.is_err(), "{early:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_under_load_do_no_job_twice() {
    const KILLS: u32 = 5;
    let Some(broker) = Broker::rabbitmq() else { return };
    let mut yard = Yard::open(broker.url().unwrap()).await;
    for _ in 0..KILLS {
        let gateway = Process::start(&yard.folder);
        work_for_a_while(&yard).await;
        tokio::task::block_in_place(|| gateway.kill());
    }
    let last = Process::start(&yard.folder);
    let mut dead = BTreeMap::new();
    let all = yard
        .finish(|yard| {
            let mut letters = Vec::new();
            while yard.dead.waiting() > 0 {
                let Some(Some(letter)) = futures_util::FutureExt::now_or_never(yard.dead.next())
                else {
                    break;
                };
                letters.push(letter.message);
            }
            for letter in letters {
                assert_eq!(letter.headers.text("x-gateway-code"), Some("outcome-unknown"));
                let call: serde_json::Value = serde_json::from_slice(&letter.body).unwrap();
                *dead
                    .entry(u32::try_from(call["payload"]["number"].as_u64().unwrap()).unwrap())
                    .or_insert(0) += 1;
            }
            let noted = yard.noted();
            let ended =
                noted.iter().filter(|(_, (_, ended))| *ended > 0).map(|(number, _)| *number);
            ended.chain(dead.keys().copied()).collect::<std::collections::BTreeSet<u32>>().len()
        })
        .await;
    assert!(last.stop());
    let twice: Vec<_> = yard.noted().into_iter().filter(|(_, (begun, _))| *begun > 1).collect();
    println!(
        "{KILLS} kills, {all} jobs: {} dead letters of unknown outcome, {} done twice",
        dead.len(),
        twice.len()
    );
    assert!(twice.is_empty(), "{twice:?}");
    assert!(dead.values().all(|times| *times == 1), "{dead:?}");
}
