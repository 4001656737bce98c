//! A service with metered calls, and a gateway around it.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, future::join_all, stream};
use gateway_runtime::{
    RunningGateway, Streaming,
    prelude::*,
    provider::{HttpClientSettings, HttpResponse},
};
use tokio::sync::watch;

/// A meter.
#[service(name = "meter")]
struct Meter;

/// The outcome of a call.
#[model]
struct Outcome {
    /// Whether the call fails.
    #[serde(default)]
    fails: bool,
}

/// The outcome of a call, and its gate.
#[model]
struct Wait {
    /// The gate that the call waits at; each test has its own.
    gate: String,
    /// The outcome afterwards: `well`, `fails`, `panics`.
    #[serde(default)]
    how: String,
}

#[service]
impl Meter {
    /// Allows a few calls an hour.
    #[expose_method(GET, quota = "5/h")]
    async fn few(&self, outcome: Outcome) -> Result<String> {
        if outcome.fails { Err(Error::not_found("as asked for")) } else { Ok("here".to_owned()) }
    }

    /// Has no limit of its own.
    #[expose_method(GET)]
    async fn many(&self, outcome: Outcome) -> Result<String> {
        if outcome.fails { Err(Error::not_found("as asked for")) } else { Ok("here".to_owned()) }
    }

    /// Runs until its gate is open.
    #[expose_method(GET)]
    async fn wait(&self, wait: Wait) -> Result<String> {
        Gate::named(&wait.gate).pass().await;
        match &*wait.how {
            "fails" => Err(Error::not_found("as asked for")),
            "panics" => panic!("as asked for"),
            _ => Ok("here".to_owned()),
        }
    }

    /// Runs longer than its timeout.
    #[expose_method(GET, timeout = "100ms")]
    async fn late(&self) -> Result<String> {
        std::future::pending().await
    }

    /// Sends an item, and the others when its gate is open.
    #[expose_method(GET)]
    async fn drip(&self, wait: Wait) -> Result<Streaming<u32>> {
        let gate = Gate::named(&wait.gate);
        let rest = stream::once(async move {
            gate.pass().await;
            Ok::<_, Error>(2)
        });
        Ok(Streaming::new(stream::iter([Ok(1)]).chain(rest)))
    }
}

/// A gate that calls wait at, and the number of calls that have reached it.
#[derive(Clone)]
pub(super) struct Gate(watch::Sender<(u32, bool)>);

impl Gate {
    /// Returns the gate of this name, shared by all holders of the name.
    pub(super) fn named(name: &str) -> Self {
        static GATES: LazyLock<Mutex<HashMap<String, Gate>>> = LazyLock::new(Mutex::default);
        let mut gates = GATES.lock().unwrap();
        gates.entry(name.to_owned()).or_insert_with(|| Self(watch::Sender::new((0, false)))).clone()
    }

    pub(super) fn open(&self) {
        self.0.send_modify(|(_, open)| *open = true);
    }

    /// Waits until this number of calls has reached it.
    pub(super) async fn reached(&self, count: u32) {
        let mut state = self.0.subscribe();
        let reached = tokio::time::timeout(
            Duration::from_secs(20),
            state.wait_for(|(come, _)| *come >= count),
        )
        .await;
        reached.unwrap_or_else(|_| panic!("{:?} of {count} have come", self.0.borrow())).unwrap();
    }

    async fn pass(&self) {
        self.0.send_modify(|(come, _)| *come += 1);
        self.0.subscribe().wait_for(|(_, open)| *open).await.unwrap();
    }
}

/// The settings that each gateway here needs.
pub(super) const SETTINGS: &str = "http = { listen = '127.0.0.1:0', workers = 2 }\n\
     secrets = { EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' }\n";

/// A gateway, and a client of it.
#[derive(Debug)]
pub(super) struct Metered {
    pub(super) gateway: RunningGateway,
    pub(super) http: HttpClient,
}

impl Metered {
    pub(super) async fn with(settings: &str) -> Self {
        let gateway =
            Gateway::from_toml(&format!("{SETTINGS}{settings}")).unwrap().start().await.unwrap();
        Self { gateway, http: HttpClient::new(&HttpClientSettings::default()).unwrap() }
    }

    pub(super) fn url(&self, method: &str) -> String {
        format!("{}/services/meter/v1/{method}", self.gateway.url())
    }

    pub(super) async fn get(&self, method: &str) -> HttpResponse {
        self.http.get(self.url(method)).send_any().await.unwrap()
    }

    /// Returns how many of this number of concurrent calls are admitted.
    pub(super) async fn admitted(&self, method: &str, calls: usize) -> usize {
        let answers = join_all((0..calls).map(|_| self.get(method))).await;
        assert!(answers.iter().all(|answer| matches!(answer.status(), 200 | 404 | 429)));
        answers.iter().filter(|answer| answer.status() != 429).count()
    }

    /// Calls until the response has this status.
    pub(super) async fn until(&self, method: &str, status: u16) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let answer = self.get(method).await;
            if answer.status() == status {
                return;
            }
            assert!(Instant::now() < deadline, "still {}", answer.status());
        }
    }
}
