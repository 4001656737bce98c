//! The services of these tests' gateways.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use gateway_runtime::{
    Call, Code, Error, Raw, Result, Streaming, expose_method,
    media::{Csv, OctetStream},
    model, service,
};
use tokio::sync::watch;

const SOLD_OUT: Code = Code::new("sold-out", 409, "Sold out");

/// The state of calls that their client named, which tests observe and release.
#[derive(Clone, Debug)]
pub(super) struct Ticket(watch::Sender<State>);

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct State {
    pub(super) begun: u32,
    pub(super) dropped: u32,
    pub(super) released: bool,
}

impl Ticket {
    /// Returns the ticket of this name, shared by all holders of the name; each test has names of
    /// its own.
    pub(super) fn named(name: &str) -> Self {
        static TICKETS: LazyLock<Mutex<HashMap<String, Ticket>>> = LazyLock::new(Mutex::default);
        let mut tickets = TICKETS.lock().unwrap();
        tickets
            .entry(name.to_owned())
            .or_insert_with(|| Self(watch::Sender::new(State::default())))
            .clone()
    }

    /// Waits until the state is as described.
    pub(super) async fn until(&self, wanted: impl FnMut(&State) -> bool) -> State {
        let mut states = self.0.subscribe();
        let reached = tokio::time::timeout(Duration::from_secs(10), states.wait_for(wanted)).await;
        reached.unwrap_or_else(|_| panic!("still {:?}", self.now())).unwrap().clone()
    }

    pub(super) fn now(&self) -> State {
        self.0.borrow().clone()
    }

    pub(super) fn release(&self) {
        self.0.send_modify(|state| state.released = true);
    }

    /// Marks a call as running, until the result is dropped.
    fn begin(&self) -> Running {
        self.0.send_modify(|state| state.begun += 1);
        Running(self.clone())
    }
}

struct Running(Ticket);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| state.dropped += 1);
    }
}

#[model]
pub(super) struct Terms {
    #[serde(default)]
    terms: Vec<i64>,
    #[serde(default)]
    negate: bool,
}

#[model]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    #[schemars(length(min = 1, max = 20))]
    title: String,
    #[schemars(range(min = 0, max = 9))]
    stars: u8,
}

#[model]
pub(super) struct Named {
    name: String,
}

#[model]
pub(super) struct Counted {
    name: String,
    count: u32,
}

#[model]
pub(super) struct Seen {
    id: String,
    origin: String,
    peer: Option<String>,
    country: Option<String>,
    header: Option<String>,
    /// The time left until the deadline, in milliseconds.
    left: u64,
}

/// A method for each kind of request.
#[service(name = "edge")]
struct Edge;

#[service]
impl Edge {
    #[expose_method(GET)]
    async fn sum(&self, input: Terms) -> Result<i64> {
        let sum: i64 = input.terms.iter().sum();
        Ok(if input.negate { -sum } else { sum })
    }

    #[expose_method(POST)]
    async fn note(&self, note: Note) -> Result<Note> {
        Ok(note)
    }

    #[expose_method(PUT)]
    async fn put(&self, note: Note) -> Result<Note> {
        Ok(note)
    }

    #[expose_method(PATCH)]
    async fn patch(&self, note: Note) -> Result<Note> {
        Ok(note)
    }

    #[expose_method(DELETE)]
    async fn remove(&self, named: Named) -> Result<()> {
        Ticket::named(&named.name).begin();
        Ok(())
    }

    /// Returns the call's metadata.
    #[expose_method(GET)]
    async fn seen(&self, call: Call) -> Result<Seen> {
        Ok(Seen {
            id: call.id().to_string(),
            origin: call.origin().as_str().to_owned(),
            peer: call.peer().map(|peer| peer.to_string()),
            country: call.country().map(|country| country.to_string()),
            header: call.headers().get("x-test").map(|value| value.to_str().unwrap().to_owned()),
            left: u64::try_from(call.deadline().duration_since(Instant::now()).as_millis())
                .unwrap(),
        })
    }

    #[expose_method(POST)]
    async fn nothing(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(POST)]
    async fn panics(&self) -> Result<()> {
        panic!("of this only the log may speak")
    }

    #[expose_method(POST, errors(SOLD_OUT))]
    async fn fails(&self, named: Named) -> Result<()> {
        Err(match &*named.name {
            "busy" => Error::new(Code::OVERLOADED, "come back")
                .with_retry_after(Duration::from_millis(1500)),
            "stranger" => Error::new(Code::UNAUTHENTICATED, "who are you?"),
            "own" => Error::new(SOLD_OUT, "the last one is gone"),
            _ => std::io::Error::other("the password is hunter2").into(),
        })
    }

    /// Waits until its ticket is released.
    #[expose_method(POST)]
    async fn wait(&self, named: Named) -> Result<String> {
        let ticket = Ticket::named(&named.name);
        let _running = ticket.begin();
        ticket.until(|state| state.released).await;
        Ok(named.name)
    }

    #[expose_method(GET, timeout = "50ms")]
    async fn never(&self) -> Result<()> {
        std::future::pending().await
    }

    #[expose_method(GET)]
    async fn table(&self) -> Result<Raw<Csv>> {
        Ok(Raw::new("a,b\n1,2\n"))
    }

    /// Counts; each item after the first waits until the ticket is released.
    #[expose_method(GET)]
    async fn count(&self, counted: Counted) -> Result<Streaming<u32>> {
        let ticket = Ticket::named(&counted.name);
        let running = ticket.begin();
        Ok(Streaming::new(stream::iter(0..counted.count).then(move |number| {
            let ticket = running.0.clone();
            async move {
                if number > 0 {
                    ticket.until(|state| state.released).await;
                }
                Ok::<_, Error>(number)
            }
        })))
    }

    /// Streams items of a kilobyte without end, as fast as they are read.
    #[expose_method(GET)]
    async fn flood(&self, named: Named) -> Result<Streaming<String>> {
        let running = Ticket::named(&named.name).begin();
        Ok(Streaming::new(stream::repeat_with(move || {
            let _running = &running;
            Ok::<_, Error>("x".repeat(1024))
        })))
    }

    /// Streams two items, then a failure; with the name `panic` a panic.
    #[expose_method(GET)]
    async fn breaks(&self, named: Named) -> Result<Streaming<u32>> {
        Ok(Streaming::new(stream::iter([Ok(1), Ok(2), Err(())]).map(move |item| {
            item.map_err(|()| match &*named.name {
                "panic" => panic!("of this only the log may speak"),
                _ => Error::new(Code::PROVIDER_FAILED, "the source dried up")
                    .with_log_message("the password is hunter2"),
            })
        })))
    }

    /// Streams bytes in two pieces, and a third that fails, if requested.
    #[expose_method(GET)]
    async fn bytes(&self, named: Named) -> Result<Raw<OctetStream>> {
        let mut pieces = vec![Ok("first".into()), Ok("second".into())];
        if named.name == "broken" {
            pieces.push(Err(Error::internal("the disk is gone")));
        }
        Ok(Raw::stream(stream::iter(pieces)))
    }

    /// Counts webhooks by the name in them.
    #[expose_method(POST, webhook = HmacSha256("EDGE_WEBHOOK_SECRET"))]
    async fn paid(&self, event: Named, call: Call) -> Result<String> {
        Ticket::named(&event.name).begin();
        Ok(call.origin().as_str().to_owned())
    }

    /// Handles a webhook whose outcome its event determines, until its ticket is released.
    #[expose_method(POST, webhook = HmacSha256("EDGE_WEBHOOK_SECRET"), timeout = "2s")]
    async fn refund(&self, event: Ending) -> Result<()> {
        event.end().await
    }

    /// Does the same with effect `idempotent`.
    #[expose_method(
        POST,
        webhook = HmacSha256("EDGE_WEBHOOK_SECRET"),
        timeout = "2s",
        effect = idempotent
    )]
    async fn sync(&self, event: Ending) -> Result<()> {
        event.end().await
    }
}

#[model]
pub(super) struct Ending {
    name: String,
    /// The outcome: `waits`, or the code of an error.
    ends: String,
}

impl Ending {
    async fn end(self) -> Result<()> {
        let ticket = Ticket::named(&self.name);
        let _running = ticket.begin();
        if ticket.now().released {
            return Ok(());
        }
        let code = Code::ALL.into_iter().find(|code| code.name() == self.ends);
        match code {
            Some(code) => Err(Error::new(code, "as the event says")),
            None if self.ends == "sold-out" => {
                Err(Error::new(Code::new("sold-out", 409, "Sold out"), "none left"))
            }
            None => {
                ticket.until(|state| state.released).await;
                Ok(())
            }
        }
    }
}

#[model]
#[serde(untagged)]
pub(super) enum Subtraction {
    List([i64; 2]),
    Named { minuend: i64, subtrahend: i64 },
}

/// The methods that the examples of the JSON-RPC specification call.
#[service(name = "spec")]
struct Spec;

#[service]
impl Spec {
    #[expose_method(POST)]
    async fn subtract(&self, input: Subtraction) -> Result<i64> {
        Ok(match input {
            Subtraction::List([minuend, subtrahend])
            | Subtraction::Named { minuend, subtrahend } => minuend - subtrahend,
        })
    }

    #[expose_method(POST)]
    async fn sum(&self, terms: Vec<i64>) -> Result<i64> {
        Ok(terms.iter().sum())
    }

    #[expose_method(POST)]
    async fn update(&self, _numbers: Vec<i64>) -> Result<()> {
        Ticket::named("spec-update").begin();
        Ok(())
    }

    #[expose_method(POST)]
    async fn notify_hello(&self, _numbers: Vec<i64>) -> Result<()> {
        Ok(())
    }

    #[expose_method(POST)]
    async fn get_data(&self) -> Result<(String, i64)> {
        Ok(("hello".to_owned(), 5))
    }
}
