//! Arbitrary messages of a WebSocket: everything sent is JSON-RPC 2.0, and each request gets one
//! response, with its own id byte for byte.
#![no_main]

use std::{cell::LazyCell, net::Ipv4Addr, sync::LazyLock};

use futures_util::{StreamExt, stream::SelectAll};
use gateway_runtime::{
    App, Error, Result, Streaming, expose_method,
    http::{Conversation, Edge, HttpSettings, Peer, Routes},
    pipeline::{Pipeline, Stages},
    registry::{Registry, RegistrySettings},
    service,
};
use libfuzzer_sys::fuzz_target;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

#[service(name = "a")]
struct Fuzzed;

#[service]
impl Fuzzed {
    #[expose_method(POST)]
    async fn echo(&self, value: Value) -> Result<Value> {
        Ok(value)
    }

    #[expose_method(POST)]
    async fn wait(&self) -> Result<()> {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    #[expose_method(POST)]
    async fn sum(&self, terms: Vec<i64>) -> Result<i64> {
        terms
            .into_iter()
            .try_fold(0_i64, i64::checked_add)
            .ok_or_else(|| Error::internal("too much"))
    }

    #[expose_method(POST)]
    async fn items(&self, count: [u8; 1]) -> Result<Streaming<u8>> {
        Ok(Streaming::new(futures_util::stream::iter((0..count[0] % 4).map(Ok::<_, Error>))))
    }
}

static EDGE: LazyLock<Edge> = LazyLock::new(|| {
    let registry =
        Registry::build(&App::default(), &RegistrySettings::default()).expect("services");
    let routes = Routes::new(&registry, |_| None).expect("routes");
    Edge::new(routes, Pipeline::new(Stages::default()), HttpSettings::default())
});

thread_local! {
    static RUNTIME: LazyCell<Runtime> =
        LazyCell::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));
}

/// A sent message: a response, or the notification of an item.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    jsonrpc: String,
    #[serde(rename = "id")]
    _id: Option<IgnoredAny>,
    result: Option<IgnoredAny>,
    error: Option<IgnoredAny>,
    method: Option<String>,
    params: Option<IgnoredAny>,
}

/// Checks the sent messages, and counts the responses among them.
fn responses(sent: &[Sent]) -> usize {
    let check = |sent: &&Sent| {
        assert_eq!(sent.jsonrpc, "2.0");
        assert!(sent.result.is_none() || sent.error.is_none());
        assert!(
            sent.method.as_deref().is_none_or(|method| method == "item" && sent.params.is_some())
        );
        sent.method.is_none()
    };
    sent.iter().filter(check).count()
}

/// Returns the id of a response as written; it is the last member.
fn id(json: &str) -> Option<&str> {
    let (_, id) = json.strip_suffix('}')?.rsplit_once(",\"id\":")?;
    serde_json::from_str::<IgnoredAny>(id).ok().map(|_| id)
}

/// Counts the requests, with an id or without. A number that no `f64` can hold is valid JSON too.
fn requests(message: &str) -> usize {
    serde_json::from_str::<Vec<IgnoredAny>>(message).map_or(1, |batch| batch.len().max(1))
}

/// Runs a conversation in which each line is a message.
async fn converse(text: &str) {
    let mut conversation = Conversation::new(&EDGE, Peer::new((Ipv4Addr::LOCALHOST, 1).into()));
    let (mut sent, mut asked) = (SelectAll::new(), 0);
    for message in text.lines() {
        asked += requests(message);
        sent.push(conversation.answer(message));
    }
    let mut answered = 0;
    while let Some(json) = sent.next().await {
        let json = std::str::from_utf8(&json).expect("UTF-8");
        if json.starts_with('[') {
            answered += responses(&serde_json::from_str::<Vec<_>>(json).expect("a batch"));
            continue;
        }
        answered += responses(&[serde_json::from_str(json).expect("a message")]);
        if let Some(id) = id(json) {
            assert!(id == "null" || text.contains(id), "{id} is not in {text}");
        }
    }
    assert!(answered <= asked, "{answered} responses to {asked} requests");
}

fuzz_target!(|text: &str| RUNTIME.with(|runtime| runtime.block_on(converse(text))));
