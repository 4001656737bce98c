//! A broker that fails under load: every request is answered in time and with the right code, no
//! acknowledged message is lost, nothing is executed twice, and service resumes by itself when the
//! broker is back.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use gateway_runtime::bus::{self, Message, Subscription};
use serde_json::Value;
use tokio::task::JoinSet;

use super::office::{Broker, Office, until};
use crate::rabbitmq::Server;

/// The timeout of the route.
const DEADLINE: Duration = Duration::from_secs(1);
/// The time by which a busy machine may exceed it.
const SLACK: Duration = Duration::from_millis(1500);

/// The count of each status and code, and the longest time.
type Answers = (BTreeMap<(u16, String), u32>, Duration);

/// Observations of requests since the last reading.
#[derive(Default)]
struct Seen {
    answers: Mutex<Answers>,
    good: AtomicU32,
}

impl Seen {
    fn add(&self, status: u16, code: String, took: Duration) {
        self.good.fetch_add(u32::from(status == 200), Ordering::Relaxed);
        let (answers, longest) = &mut *self.answers.lock().unwrap();
        *answers.entry((status, code)).or_default() += 1;
        *longest = (*longest).max(took);
    }

    fn take(&self) -> Answers {
        std::mem::take(&mut *self.answers.lock().unwrap())
    }

    /// Waits for successful responses to requests that begin from now on.
    async fn goes_on(&self) {
        let before = self.good.load(Ordering::Relaxed);
        until("requests are answered again", || self.good.load(Ordering::Relaxed) > before + 20)
            .await;
    }
}

/// Replies to requests, as far as possible.
async fn worker(broker: Arc<dyn bus::Broker>, exchange: String) {
    let subscription = Subscription::Topic { exchange: exchange.into(), pattern: "#".into() };
    let mut received = broker.consume(subscription).await.unwrap();
    while let Some(delivery) = received.next().await {
        let (broker, question) = (Arc::clone(&broker), delivery.message);
        tokio::spawn(async move {
            let mut answer = Message::to_queue(question.reply_to.unwrap());
            answer.correlation_id = question.correlation_id;
            answer.body = "done".into();
            // The broker may be unavailable.
            let _ = broker.publish(answer).await;
        });
    }
}

/// Sends requests, one after the other, alternately with repeatable and other HTTP methods.
async fn requests(office: Arc<Office>, seen: Arc<Seen>, over: Arc<AtomicBool>) {
    for number in 0_u32.. {
        if over.load(Ordering::Relaxed) {
            return;
        }
        let url = office.url("/a/b");
        let request =
            if number.is_multiple_of(2) { office.http.get(url) } else { office.http.post(url) };
        let begun = Instant::now();
        let answer = request.timeout(DEADLINE + 4 * SLACK).send_any().await.expect("an answer");
        let (status, took) = (answer.status(), begun.elapsed());
        let body = answer.text().await.unwrap();
        let code = match serde_json::from_str::<Value>(&body) {
            Ok(problem) => problem["code"].as_str().unwrap_or_default().to_owned(),
            Err(_) => body,
        };
        seen.add(status, code, took);
        if status != 200 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Publishes jobs, and records the confirmed ones.
async fn jobs(
    office: Arc<Office>,
    taken: Arc<Mutex<Vec<u32>>>,
    tried: Arc<AtomicU32>,
    over: Arc<AtomicBool>,
) {
    while !over.load(Ordering::Relaxed) {
        let number = tried.fetch_add(1, Ordering::Relaxed);
        let mut job = office.parcel(&format!("job {number}"), "well");
        job.message_id = Some(format!("job-{number}").into());
        match office.broker.publish(job).await {
            Ok(()) => taken.lock().unwrap().push(number),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Waits until `/readyz` and `/metrics` report this state of the bus.
async fn tells(office: &Office, status: u16, word: &str, up: u8) {
    let address = office.gateway().admin_address().unwrap();
    let get = async |path: &str| {
        let answer = office.http.get(format!("http://{address}{path}")).send_any().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let (ready, metrics) = (get("/readyz").await, get("/metrics").await.1);
        let is_told = ready.0 == status && ready.1.contains(&format!("\"bus\":\"{word}\""));
        if is_told && metrics.contains(&format!("\ngateway_bus_up {up}\n")) {
            return;
        }
        assert!(Instant::now() < end, "{ready:?}\n{metrics}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A fault, its undoing, and whether the queue keeps its messages.
type Fault = (&'static str, fn(&Server, &str), fn(&Server), bool);

const FAULTS: [Fault; 7] = [
    ("killed", |server, _| server.kill(), Server::start_again, true),
    ("stopped", |server, _| server.stop(), Server::start_again, true),
    ("frozen", |server, _| server.freeze(), Server::thaw, true),
    (
        "out of memory",
        |server, _| drop(server.ctl(&["set_vm_memory_high_watermark", "0.00001"])),
        |server| drop(server.ctl(&["set_vm_memory_high_watermark", "0.4"])),
        true,
    ),
    (
        "connections closed",
        |server, _| drop(server.ctl(&["close_all_connections", "by its admin"])),
        |_| {},
        true,
    ),
    (
        "restarted at once",
        |server, _| {
            server.stop();
            server.start_again()
        },
        |_| {},
        true,
    ),
    ("queue deleted", |server, queue| drop(server.ctl(&["delete_queue", queue])), |_| {}, false),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_fails_under_load() {
    let Some(server) = Server::start() else { return };
    let server = Arc::new(server);
    let broker = Broker::at(server.url());
    let office = Arc::new(
        Office::open_with(
            &broker,
            "routes.'NAME'.timeout = '1s'\nbus.confirm_timeout = '2s'\nadmin.listen = \
             '127.0.0.1:0'",
        )
        .await,
    );
    let (seen, taken) = (Arc::new(Seen::default()), Arc::new(Mutex::new(Vec::new())));
    let (tried, over) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let _worker = tokio::spawn(worker(Arc::clone(&office.broker), office.name.clone()));
    let mut load = JoinSet::new();
    for _ in 0..8 {
        load.spawn(requests(Arc::clone(&office), Arc::clone(&seen), Arc::clone(&over)));
    }
    for _ in 0..2 {
        load.spawn(jobs(
            Arc::clone(&office),
            Arc::clone(&taken),
            Arc::clone(&tried),
            Arc::clone(&over),
        ));
    }
    let mut may_be_lost = 0;
    for (name, fail, undo, keeps) in FAULTS {
        seen.goes_on().await;
        drop(seen.take());
        let (failing, queue) = (Arc::clone(&server), office.name.clone());
        tokio::task::spawn_blocking(move || fail(&failing, &queue)).await.unwrap();
        // For longer than the deadline, and than the broker may be silent.
        if name == "frozen" || name == "out of memory" {
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
        if name == "killed" {
            tells(&office, 503, "away", 0).await;
        }
        let undone = Arc::clone(&server);
        tokio::task::spawn_blocking(move || undo(&undone)).await.unwrap();
        let back = Instant::now();
        seen.goes_on().await;
        let resumed = back.elapsed();
        tells(&office, 200, "ready", 1).await;
        let (answers, longest) = seen.take();
        println!("{name}: {answers:?}, the longest {longest:?}; answered again after {resumed:?}");
        assert!(resumed < Duration::from_secs(5), "{name}: {resumed:?}");
        assert!(longest < DEADLINE + SLACK, "{name}: {longest:?}");
        for (status, code) in answers.keys() {
            let right = matches!(
                (*status, &**code),
                (200, "done")
                    | (503, "overloaded" | "unroutable")
                    | (504, "timeout" | "outcome-unknown")
            );
            assert!(right, "{name}: {status} {code}");
        }
        if !keeps {
            may_be_lost = taken.lock().unwrap().len();
        }
    }
    over.store(true, Ordering::Relaxed);
    while let Some(ended) = load.join_next().await {
        ended.unwrap();
    }
    let taken = taken.lock().unwrap().clone();
    let times = |number: u32| office.times(&format!("job {number}"));
    // The outcome of jobs that were in the deleted queue is unknown.
    until("all jobs are done", || taken[may_be_lost..].iter().all(|number| times(*number) > 0))
        .await;
    let lost = taken.iter().filter(|number| times(**number) == 0).count();
    println!(
        "{} jobs tried, {} taken over, {lost} gone with their queue",
        tried.load(Ordering::Relaxed),
        taken.len()
    );
    assert!(taken.len() > 500 && lost <= 600, "{} {lost}", taken.len());
    for number in 0..tried.load(Ordering::Relaxed) {
        assert!(times(number) <= 1, "job {number} was carried out {} times", times(number));
    }
}
