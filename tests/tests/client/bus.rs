//! The typed client over the bus: within the process, over RabbitMQ where there is one, and over a
//! scripted broker.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::future::{BoxFuture, join_all};
use gateway_runtime::{
    Gateway, RunningGateway,
    bus::{
        Broker, BrokerStats, BusError, BusErrorKind, CallQueue, Deliveries, Message, ShortStr,
        Subscription,
    },
    client::{Bus, ClientError},
    provider::AttemptClass,
};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    time::Instant,
};

use super::lab::{Failing, Lab, LabClient, Search};

/// A gateway that consumes a queue of its own, and the transport to it.
struct House {
    gateway: RunningGateway,
    bus: Bus,
}

impl House {
    fn lab(self) -> (RunningGateway, LabClient) {
        (self.gateway, Lab::client(self.bus))
    }
}

/// Returns the URL of RabbitMQ; prints a line and returns `None` if there is none.
fn rabbitmq() -> Option<String> {
    let url = std::env::var("TEST_AMQP_URL").ok();
    if url.is_none() {
        eprintln!("not run: TEST_AMQP_URL names no RabbitMQ");
    }
    url
}

/// Runs a test over each broker.
async fn over_each(test: impl AsyncFn(House)) {
    for url in std::iter::once(None).chain(rabbitmq().map(Some)) {
        let queue = format!("lab-{:016x}", fastrand::u64(..));
        let amqp = url.as_ref().map(|url| format!("bus.amqp = '{url}'")).unwrap_or_default();
        let settings = format!(
            "http = {{ listen = '127.0.0.1:0', workers = 1 }}\n\
             secrets = {{ EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' }}\n\
             bus.calls.queue = '{queue}'\n{amqp}"
        );
        let gateway = Gateway::from_toml(&settings).unwrap().start().await.unwrap();
        let bus = url.map_or_else(|| Bus::over(Arc::clone(gateway.broker())), Bus::to);
        test(House { gateway, bus: bus.queue(queue) }).await;
    }
}

fn failing(how: &str) -> Failing {
    Failing { how: how.to_owned() }
}

#[tokio::test]
async fn inputs_and_replies_pass_unchanged() {
    over_each(async |house| {
        let (_gateway, lab) = house.lab();
        let search = Search::example();
        assert_eq!(lab.look(&search).await.unwrap(), search);
        assert_eq!(lab.put(&search).await.unwrap(), [search.clone(), search.clone()]);
        assert_eq!(lab.patch(&Some(search.clone())).await.unwrap(), Some(search.clone()));
        assert_eq!(lab.patch(&None).await.unwrap(), None);
        let () = lab.ping().await.unwrap();
        let () = lab.remove(&search).await.unwrap();
        let other = lab.clone();
        let (first, second) = tokio::join!(lab.look(&search), other.make(&search));
        assert_eq!((first.unwrap(), second.unwrap()), (search.clone(), search));
    })
    .await;
}

#[tokio::test]
async fn header_fields_reach_the_method() {
    over_each(async |house| {
        let House { gateway: _gateway, bus } = house;
        let lab = Lab::client(bus.bearer("t1").header("x-own", "o1"));
        let told = lab.told(&()).bearer("t2").idempotency_key("a \"b\"").await.unwrap();
        assert_eq!(
            (told.authorization.as_deref(), told.own.as_deref()),
            (Some("Bearer t2"), Some("o1"))
        );
        assert_eq!(told.idempotency_key.as_deref(), Some("\"a \\\"b\\\"\""));
    })
    .await;
}

#[tokio::test]
async fn problems_equal_those_over_http() {
    over_each(async |house| {
        let (_gateway, lab) = house.lab();
        let error = lab.fail(&failing("sold-out")).header("x-request-id", "r-1").await.unwrap_err();
        let problem = error.problem().unwrap();
        assert_eq!(
            (problem.status, problem.title.as_str(), problem.retryable),
            (409, "Sold out", false)
        );
        assert_eq!(problem.request_id.as_deref(), Some("r-1"));
        assert_eq!(error.to_string(), "sold-out (409): the last seat is gone");

        let busy = lab.fail(&failing("busy")).await.unwrap_err();
        assert_eq!((busy.code(), busy.is_retryable()), (Some("overloaded"), true));
        assert_eq!(busy.retry_after(), Some(Duration::from_secs(7)));

        let search = Search { some_words: String::new(), ..Search::example() };
        let invalid = lab.look(&search).await.unwrap_err();
        assert_eq!(invalid.problem().unwrap().errors[0].pointer, "/someWords");
        let internal = lab.fail(&failing("other")).await.unwrap_err();
        assert!(
            internal.code() == Some("internal") && !format!("{internal:?}").contains("hunter2")
        );
    })
    .await;
}

#[tokio::test]
async fn raw_replies_arrive_whole_and_streams_are_refused() {
    over_each(async |house| {
        let (_gateway, lab) = house.lab();
        let table = lab.table(&failing("")).await.unwrap();
        assert_eq!(table.media_type(), "text/csv; charset=utf-8");
        assert_eq!(table.bytes().await.unwrap(), "a,b\n1,2\n");
        assert_eq!(lab.table(&failing("break")).await.unwrap_err().code(), Some("internal"));
        let refused = lab.numbers(&failing("")).await.unwrap_err();
        assert!(
            matches!(&refused, ClientError::InvalidRequest(why) if why.contains("Http::to")),
            "{refused}"
        );
    })
    .await;
}

#[tokio::test]
async fn timeout_leaves_the_outcome_unknown() {
    over_each(async |house| {
        let (_gateway, lab) = house.lab();
        let () = lab.ping().await.unwrap();
        let own = Duration::from_millis(100);
        let error = lab.never().timeout(own).await.unwrap_err();
        // The gateway knows the client's deadline, and may be the first to report the timeout.
        assert!(
            error == ClientError::TimedOut(own) || error.code() == Some("timeout"),
            "{error:?}"
        );
        assert_eq!(error.class(), AttemptClass::Ambiguous);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_sent_when_no_gateway_consumes() {
    over_each(async |house| {
        let House { gateway: _gateway, bus } = house;
        let error =
            Lab::client(bus.queue("nobody-takes-calls-from-here")).ping().await.unwrap_err();
        assert!(matches!(error, ClientError::NotSent(_)), "{error:?}");
        assert!(error.is_retryable() && error.class() == AttemptClass::NotSent);
    })
    .await;
}

#[tokio::test]
async fn error_before_sending_gives_its_reason_without_the_password() {
    for url in ["http://me:hunter2@localhost", "hunter2", "amqp://", "amqp:hunter2"] {
        let error = Lab::client(Bus::to(url)).ping().await.unwrap_err();
        assert!(
            matches!(&error, ClientError::InvalidRequest(why) if why.contains("amqp://user")),
            "{url}: {error}"
        );
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let malformed = Lab::client(Bus::to("amqp://localhost").bearer("\n")).ping().await.unwrap_err();
    assert_eq!(malformed, ClientError::InvalidRequest("the bearer token is malformed".to_owned()));
    assert!(
        !format!("{:?}", Bus::to("amqp://me:hunter2@localhost").api_key("hunter2"))
            .contains("hunter2")
    );
}

/// Starts a proxy to RabbitMQ that closes the first connection, and counts connections.
async fn reluctant(url: &str) -> (String, Arc<AtomicU32>) {
    let (front, address) = url.rsplit_once('@').unwrap();
    let (address, vhost) = address.split_once('/').unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let new = format!("{front}@{}/{vhost}", listener.local_addr().unwrap());
    let (address, count) = (address.to_owned(), Arc::new(AtomicU32::new(0)));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            if counted.fetch_add(1, Ordering::Relaxed) > 0 {
                let mut server = TcpStream::connect(&address).await.unwrap();
                tokio::spawn(async move {
                    tokio::io::copy_bidirectional(&mut client, &mut server).await
                });
            }
        }
    });
    (new, count)
}

#[tokio::test]
async fn first_calls_share_a_connection_and_calls_after_a_failure_reconnect() {
    let Some(url) = rabbitmq() else { return };
    let queue = format!("lab-{:016x}", fastrand::u64(..));
    let settings = format!(
        "http.listen = '127.0.0.1:0'\nbus = {{ amqp = '{url}', calls.queue = '{queue}' }}\n\
         secrets = {{ EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' }}"
    );
    let _gateway = Gateway::from_toml(&settings).unwrap().start().await.unwrap();
    let (url, connections) = reluctant(&url).await;
    let lab = Lab::client(Bus::to(url).queue(queue));
    let all = async || join_all((0..10).map(|_| async { lab.ping().await })).await;
    for failed in all().await {
        let error = failed.unwrap_err();
        assert!(matches!(error, ClientError::NotSent(_)), "{error:?}");
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
    all().await.into_iter().for_each(|answer| answer.unwrap());
    // One connection publishes, one consumes.
    assert_eq!(connections.load(Ordering::Relaxed), 3);
}

/// A broker that answers each call with the same reply, and records the calls.
#[derive(Debug)]
struct Scripted {
    answer: Result<Message, BusError>,
    asked: Mutex<Vec<Message>>,
}

impl Scripted {
    fn answering(answer: Result<Message, BusError>) -> Arc<Self> {
        Arc::new(Self { answer, asked: Mutex::default() })
    }
}

impl Broker for Scripted {
    fn publish(&self, _: Message) -> BoxFuture<'static, Result<(), BusError>> {
        unreachable!("clients call")
    }

    fn call(&self, message: Message, _: Instant) -> BoxFuture<'static, Result<Message, BusError>> {
        self.asked.lock().unwrap().push(message);
        let answer = self.answer.clone();
        Box::pin(async { answer })
    }

    fn reply(&self, _: Message) -> BoxFuture<'static, Result<(), BusError>> {
        unreachable!("clients call")
    }

    fn declare_topic(&self, _: ShortStr) -> BoxFuture<'static, Result<(), BusError>> {
        unreachable!("clients call")
    }

    fn declare(&self, _: &CallQueue) -> BoxFuture<'static, Result<(), BusError>> {
        unreachable!("clients call")
    }

    fn consume(&self, _: Subscription) -> BoxFuture<'static, Result<Deliveries, BusError>> {
        unreachable!("clients call")
    }

    fn state(&self) -> Result<(), BusError> {
        Ok(())
    }

    fn stats(&self) -> BrokerStats {
        BrokerStats::default()
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}

#[tokio::test]
async fn a_call_is_one_message() {
    let broker = Scripted::answering(Ok(Message::default()));
    let lab = Lab::client(Bus::over(broker.clone()).api_key("k").header("x-own", "o"));
    let () = lab.ping().await.unwrap();
    let () =
        lab.fail(&failing("so")).idempotency_key("order 7").header("X-Own", "p").await.unwrap();
    let [first, second]: [Message; 2] =
        std::mem::take(&mut *broker.asked.lock().unwrap()).try_into().unwrap();
    assert_eq!((&*first.exchange, &*first.routing_key), ("", "gateway.calls"));
    assert_eq!(first.body, r#"{"service":"lab","version":3,"method":"ping"}"#);
    assert_eq!((first.message_id, first.headers.text("x-api-key")), (None, Some("k")));
    let body: Value = serde_json::from_slice(&second.body).unwrap();
    assert_eq!(
        body,
        json!({ "service": "lab", "version": 3, "method": "fail", "payload": { "how": "so" } })
    );
    assert_eq!(
        (second.message_id.as_deref(), second.headers.text("x-own")),
        (Some("order 7"), Some("p"))
    );
    assert_eq!(second.content_type.as_deref(), Some("application/json"));
}

#[tokio::test]
async fn each_fault_says_whether_the_method_may_have_executed() {
    for (fault, class) in [
        (BusErrorKind::Disconnected, AttemptClass::NotSent),
        (BusErrorKind::Blocked, AttemptClass::NotSent),
        (BusErrorKind::Unroutable, AttemptClass::NotSent),
        (BusErrorKind::Nacked, AttemptClass::NotSent),
        (BusErrorKind::InvalidMessage, AttemptClass::Invalid),
        (BusErrorKind::ConfirmTimeout, AttemptClass::Ambiguous),
        (BusErrorKind::ReplyTimeout, AttemptClass::Ambiguous),
        (BusErrorKind::ChannelLost, AttemptClass::Ambiguous),
    ] {
        let fault = BusError::new(fault, "so it is");
        let may_have_happened = fault.is_ambiguous();
        let error =
            Lab::client(Bus::over(Scripted::answering(Err(fault)))).ping().await.unwrap_err();
        assert_eq!(
            (error.class(), error.class() == AttemptClass::Ambiguous),
            (class, may_have_happened),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn foreign_reply_is_distinguished_from_one_of_a_gateway() {
    let answer = |status: i64, media: &'static str, body: &'static str| {
        let mut message =
            Message { content_type: Some(media.into()), body: body.into(), ..Message::default() };
        message.headers.add(Message::STATUS, status);
        Ok(message)
    };
    for (answer, status) in [
        (answer(200, "text/html", "html"), Some(200)),
        (answer(404, "application/json", "{}"), Some(404)),
        (answer(502, "text/html", "html"), Some(502)),
        (answer(42, "application/json", "null"), None),
    ] {
        let error = Lab::client(Bus::over(Scripted::answering(answer)))
            .make(&Search::example())
            .await
            .unwrap_err();
        assert!(
            matches!(error, ClientError::InvalidResponse { status: s, .. } if s == status),
            "{error:?}"
        );
    }
}
