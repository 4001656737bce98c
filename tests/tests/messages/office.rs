//! A service whose methods are called over the bus, a gateway with routes around it, and workers at
//! the other end.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use gateway_runtime::{
    RunningGateway, Secret,
    auth::NewApiKey,
    bus::{self, CallQueue, Deliveries, Delivery, Message, ShortStr, Subscription},
    prelude::*,
};
use serde_json::{Value, json};
use tokio::{task::JoinHandle, time::Instant};

use crate::gate::gate;

/// How often each parcel was sent, by its name.
static SENT: LazyLock<Mutex<HashMap<String, u32>>> = LazyLock::new(Mutex::default);

/// A parcel to send.
#[model]
pub(super) struct Parcel {
    /// The name of the parcel; each test has names of its own.
    name: String,
    /// The outcome: `well`, `slow`, `lost`, `busy`, `broken`.
    #[serde(default)]
    how: String,
}

/// The outcome of sending a parcel.
#[model]
struct Sent {
    /// How often the parcel has been sent.
    times: u32,
}

const LOST: Code = Code::new("parcel-lost", 410, "Parcel lost");

/// Sends parcels.
#[service(name = "parcels")]
struct Parcels;

#[service]
impl Parcels {
    /// Sends a parcel.
    #[expose_method(POST)]
    async fn send(&self, parcel: Parcel) -> Result<Sent> {
        let times = {
            let mut sent = SENT.lock().unwrap();
            let times = sent.entry(parcel.name.clone()).or_default();
            *times += 1;
            *times
        };
        match &*parcel.how {
            "slow" => gate(&parcel.name).acquire().await?.forget(),
            "lost" => return Err(Error::new(LOST, "it cannot be found")),
            "busy" => return Err(Error::new(Code::OVERLOADED, "busy")),
            "broken" => panic!("broken"),
            _ => {}
        }
        Ok(Sent { times })
    }

    /// Requires a caller.
    #[expose_method(POST, auth = required)]
    async fn sign(&self, parcel: Parcel, caller: Caller) -> Result<String> {
        Ok(format!("{} for {}", parcel.name, caller.account().unwrap_or_default()))
    }

    /// Returns a label, which is not JSON.
    #[expose_method(GET)]
    async fn label(&self) -> Result<Raw<media::Png>> {
        Ok(Raw::new(&b"\x89PNG\r\n\x00\xff"[..]))
    }
}

/// The broker that a test runs over.
pub(super) struct Broker {
    /// The URL of RabbitMQ; `None` for the in-process broker.
    url: Option<String>,
}

impl Broker {
    pub(super) fn in_process() -> Self {
        Self { url: None }
    }

    pub(super) fn at(url: &str) -> Self {
        Self { url: Some(url.to_owned()) }
    }

    /// Returns the URL of RabbitMQ; `None` for the in-process broker.
    pub(super) fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// Opens a broker that stays open when the gateway of the office ends.
    pub(super) async fn open(&self, office: &Office) -> Arc<dyn bus::Broker> {
        match &self.url {
            None => Arc::clone(&office.broker),
            Some(url) => {
                let settings = bus::BusSettings::default();
                Arc::new(bus::AmqpBroker::open(&Secret::new(&**url), &settings).await.unwrap())
            }
        }
    }

    /// Returns RabbitMQ; prints a line and returns `None` if there is none.
    pub(super) fn rabbitmq() -> Option<Self> {
        let url = std::env::var("TEST_AMQP_URL").ok();
        if url.is_none() {
            eprintln!("not run: TEST_AMQP_URL names no RabbitMQ");
        }
        Some(Self { url: Some(url?) })
    }
}

/// A gateway with a store in a file, a queue, and a route to an exchange, all of its own.
pub(super) struct Office {
    gateway: Option<RunningGateway>,
    pub(super) broker: Arc<dyn bus::Broker>,
    pub(super) http: HttpClient,
    /// The name of all that belongs to this test alone.
    pub(super) name: String,
    folder: PathBuf,
}

/// Returns an API key, and the setting that assigns it to its account.
pub(super) fn key_of_acme(scopes: &str) -> (String, String) {
    let key = NewApiKey::generate().unwrap();
    let hash: String = key.hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let setting = format!(
        "auth.keys.{} = {{ hash = '{hash}', account = 'acme', scopes = [{scopes}] }}\n",
        key.id
    );
    (key.key.expose().to_owned(), setting)
}

impl Office {
    pub(super) async fn open(broker: &Broker) -> Self {
        Self::open_with(broker, "").await
    }

    /// Opens an office with further settings.
    pub(super) async fn open_with(broker: &Broker, more: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("office-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self::open_named(broker, name, more).await
    }

    /// Opens the office again after its stop, with other settings.
    pub(super) async fn open_again(&self, broker: &Broker, more: &str) -> Self {
        Self::open_named(broker, self.name.clone(), more).await
    }

    async fn open_named(broker: &Broker, name: String, more: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("gateway-{name}"));
        std::fs::create_dir_all(&folder).unwrap();
        let amqp = broker.url.as_ref().map(|url| format!("bus.amqp = '{url}'")).unwrap_or_default();
        let settings = format!(
            "http.listen = '127.0.0.1:0'\nhttp.workers = 2\n\
             store = {{ path = '{}' }}\n\
             secrets = {{ EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' }}\n\
             {amqp}\n\
             bus.calls.queue = '{name}'\n\
             routes.'{name}'.dispatch = 'bus'\n\
             {more}",
            folder.join("books.db").display()
        )
        .replace("NAME", &name);
        let gateway = Gateway::from_toml(&settings).unwrap().start().await.unwrap();
        let (broker, http) =
            (Arc::clone(gateway.broker()), HttpClient::new(&Default::default()).unwrap());
        Self { gateway: Some(gateway), broker, http, name, folder }
    }

    pub(super) fn gateway(&self) -> &RunningGateway {
        self.gateway.as_ref().unwrap()
    }

    /// Returns the URL of a path of the route.
    pub(super) fn url(&self, rest: &str) -> String {
        format!("{}/{}{rest}", self.gateway().url(), self.name)
    }

    pub(super) async fn stop(&mut self) {
        self.gateway.take().unwrap().stop().await.unwrap();
    }

    /// Returns a message that calls a method.
    pub(super) fn message(&self, method: &str, payload: Value) -> Message {
        self.message_to("parcels", method, payload)
    }

    /// Returns a message that calls a method of another service.
    pub(super) fn message_to(&self, service: &str, method: &str, payload: Value) -> Message {
        let body =
            json!({ "service": service, "version": 1, "method": method, "payload": payload });
        let mut message = Message::to_queue(self.name.clone());
        message.persistent = true;
        message.body = serde_json::to_vec(&body).unwrap().into();
        message
    }

    /// Returns the message of a parcel that only this test sends.
    pub(super) fn parcel(&self, name: &str, how: &str) -> Message {
        self.message("send", json!({ "name": self.own(name), "how": how }))
    }

    /// Sends a call and waits for the reply; returns its status and payload.
    pub(super) async fn call(&self, message: Message) -> (i64, Value) {
        let answer = self.broker.call(message, soon()).await.unwrap();
        let status = answer.headers.number("X-WASP-STATUS").unwrap();
        (status, serde_json::from_slice(&answer.body).unwrap_or_default())
    }

    /// Declares and consumes a queue of this office's own, for instance for replies.
    pub(super) async fn queue(&self, name: &str) -> (ShortStr, Deliveries) {
        let name = ShortStr::from(format!("{}.{name}", self.name));
        let queue =
            CallQueue { name: name.clone(), prefetch: 100, delivery_limit: 20, delays: vec![] };
        (name, self.broker.consume(Subscription::Calls(queue)).await.unwrap())
    }

    /// Returns a value of `/metrics`; needs `admin.listen`.
    pub(super) async fn metric(&self, name: &str) -> u64 {
        let address = self.gateway().admin_address().unwrap();
        let text = self
            .http
            .get(format!("http://{address}/metrics"))
            .send_any()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} is not in\n{text}")).parse().unwrap()
    }

    /// Returns the dead letters of its queue from now on.
    pub(super) async fn dead_letters(&self) -> Deliveries {
        self.subscribe(CallQueue::DEAD_LETTERS, &self.name).await
    }

    pub(super) async fn subscribe(&self, exchange: &'static str, pattern: &str) -> Deliveries {
        let pattern = pattern.to_owned().into();
        self.broker
            .consume(Subscription::Topic { exchange: exchange.into(), pattern })
            .await
            .unwrap()
    }

    /// Returns how often a parcel was sent.
    pub(super) fn times(&self, name: &str) -> u32 {
        SENT.lock().unwrap().get(&self.own(name)).copied().unwrap_or(0)
    }

    pub(super) fn own(&self, name: &str) -> String {
        format!("{name} of {}", self.name)
    }

    /// Starts a worker of the route's exchange, which replies to each message with the messages
    /// that `answers` returns.
    pub(super) async fn worker(
        &self,
        answers: impl Fn(&Message) -> Vec<Message> + Send + 'static,
    ) -> JoinHandle<()> {
        let (exchange, pattern) = (self.name.clone().into(), "#".into());
        let mut received =
            self.broker.consume(Subscription::Topic { exchange, pattern }).await.unwrap();
        let broker = Arc::clone(&self.broker);
        tokio::spawn(async move {
            while let Some(Delivery { message, .. }) = received.next().await {
                for mut answer in answers(&message) {
                    answer.routing_key = message.reply_to.clone().unwrap();
                    answer.correlation_id.clone_from(&message.correlation_id);
                    broker.publish(answer).await.unwrap();
                }
            }
        })
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub(super) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// Returns the next delivery, which must arrive soon.
pub(super) async fn next(received: &mut Deliveries) -> Message {
    let next = tokio::time::timeout_at(soon(), received.next()).await;
    next.expect("in time").expect("a message").message
}

/// Waits until a condition holds.
pub(super) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = soon();
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
