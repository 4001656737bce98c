//! A gateway to call, and its service.

use chrono::NaiveDate;
use futures_util::{StreamExt, stream};
use gateway_runtime::{
    Call, Caller, Code, Error, FromCall, Gateway, Raw, Result, RunningGateway, Streaming,
    client::Http, expose_method, media::Csv, model, service,
};
use serde::{Deserialize, Serialize};

/// An error code of the lab's own.
pub(super) const SOLD_OUT: Code = Code::new("sold-out", 409, "Sold out");

#[model]
#[derive(Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    NewestFirst,
    OldestFirst,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub(super) struct Page {
    pub(super) after: Option<String>,
    pub(super) limit: u16,
}

/// An input with every type that a query string can carry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Search {
    #[schemars(length(min = 1))]
    pub(super) some_words: String,
    pub(super) ratio: f64,
    pub(super) is_new: bool,
    pub(super) order: Option<Order>,
    pub(super) since: NaiveDate,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    #[serde(default)]
    pub(super) sizes: Vec<u8>,
    #[serde(flatten)]
    pub(super) page: Page,
}

impl Search {
    pub(super) fn example() -> Self {
        Self {
            some_words: "a b & c=d + ü %20".to_owned(),
            ratio: 0.1,
            is_new: true,
            order: Some(Order::NewestFirst),
            since: NaiveDate::from_ymd_opt(2026, 2, 28).unwrap(),
            tags: vec!["x".to_owned(), "1".to_owned()],
            sizes: Vec::new(),
            page: Page { after: None, limit: 20 },
        }
    }
}

#[model]
pub(super) struct Failing {
    pub(super) how: String,
}

/// The caller's values that reach the service beside the input.
#[model]
pub(super) struct Told {
    pub(super) authorization: Option<String>,
    pub(super) idempotency_key: Option<String>,
    pub(super) own: Option<String>,
}

/// An argument of the author's that is no input.
#[derive(FromCall)]
pub(super) struct Headers {
    call: Call,
    caller: Caller,
}

/// The service that the clients call.
#[service(name = "lab", version = 3)]
pub(super) struct Lab;

#[service]
impl Lab {
    #[expose_method(GET)]
    async fn look(&self, search: Search) -> Result<Search> {
        Ok(search)
    }

    #[expose_method(DELETE, name = "remove-it")]
    async fn remove(&self, search: Search, headers: Headers) -> Result<()> {
        let asked = headers.call.headers().contains_key("x-own");
        if asked { Err(Error::not_found(search.some_words)) } else { Ok(()) }
    }

    #[expose_method(POST)]
    async fn make(&self, headers: Headers, search: Search) -> Result<Search> {
        assert!(headers.caller.account().is_none());
        Ok(search)
    }

    #[expose_method(PUT)]
    async fn put(&self, search: Search) -> Result<Vec<Search>> {
        Ok(vec![search.clone(), search])
    }

    #[expose_method(PATCH)]
    async fn patch(&self, search: Option<Search>) -> Result<Option<Search>> {
        Ok(search)
    }

    #[expose_method(POST)]
    async fn ping(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(GET)]
    async fn told(&self, headers: Headers) -> Result<Told> {
        let header =
            |name| headers.call.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        Ok(Told {
            authorization: header("authorization"),
            idempotency_key: header("idempotency-key"),
            own: header("x-own"),
        })
    }

    #[expose_method(POST)]
    async fn fail(&self, failing: Failing) -> Result<()> {
        Err(match failing.how.as_str() {
            "sold-out" => Error::new(SOLD_OUT, "the last seat is gone"),
            "busy" => Error::new(Code::OVERLOADED, "come back")
                .with_retry_after(std::time::Duration::from_secs(7)),
            _ => Error::internal("the password is hunter2"),
        })
    }

    #[expose_method(GET)]
    async fn never(&self) -> Result<()> {
        std::future::pending().await
    }

    /// Streams numbers; after the third an error, if requested.
    #[expose_method(GET)]
    async fn numbers(&self, failing: Failing) -> Result<Streaming<u32>> {
        let end = (failing.how == "break")
            .then(|| Err(Error::new(SOLD_OUT, "no more numbers").with_log_message("hunter2")));
        Ok(Streaming::new(stream::iter([1, 2, 3]).map(Ok).chain(stream::iter(end))))
    }

    /// Streams bytes; after the second piece an error, if requested.
    #[expose_method(GET)]
    async fn table(&self, failing: Failing) -> Result<Raw<Csv>> {
        let end = (failing.how == "break").then(|| Err(Error::internal("no more rows")));
        Ok(Raw::stream(
            stream::iter(["a,b\n", "1,2\n"].map(|row| Ok(row.into()))).chain(stream::iter(end)),
        ))
    }
}

/// Starts a gateway, and creates a client of it.
pub(super) async fn gateway() -> (RunningGateway, LabClient) {
    let settings = "http = { listen = '127.0.0.1:0', workers = 1 }\nsecrets = { \
        EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' }";
    let gateway = Gateway::from_toml(settings).unwrap().start().await.unwrap();
    let client = Lab::client(Http::to(gateway.url()));
    (gateway, client)
}
