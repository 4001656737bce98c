//! The request log: searching it, and reading one request with its attempts (SEMANTICS §8).

use std::{borrow::Cow, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    base::error::Error,
    edge::admin::{
        operation::{EmptyInput, OperationRequest},
        state::{AdminState, store_error},
        values::{Amount, CurrencyCode, DecimalAmount, NAME, Page, Timestamp},
    },
    store::{self, RequestQuery},
};

/// The filter of a search: requests that match all of its members. By default the newest 50 of all.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RequestFilter {
    /// The request id that the caller sees, as in `X-Request-Id`.
    #[schemars(regex(pattern = NAME))]
    request_id: Option<String>,
    /// The account that pays.
    #[schemars(regex(pattern = NAME))]
    account: Option<String>,
    /// The user who called.
    #[schemars(regex(pattern = NAME))]
    user: Option<String>,
    /// The origin of the request.
    origin: Option<Origin>,
    /// The service.
    #[schemars(regex(pattern = NAME))]
    service: Option<String>,
    /// The version of the service.
    version: Option<u32>,
    /// The method.
    #[schemars(regex(pattern = NAME))]
    method: Option<String>,
    /// The HTTP status of the response; 499 when the caller disconnected before it.
    #[schemars(range(min = 100, max = 599))]
    status: Option<u16>,
    /// The code of the error.
    #[schemars(regex(pattern = NAME))]
    code: Option<String>,
    /// True if the call was fulfilled.
    fulfilled: Option<bool>,
    /// True if the reply came from the cache.
    cache_hit: Option<bool>,
    /// True if the reply was a stored one, replayed for the same idempotency key.
    replay: Option<bool>,
    /// The provider that replied.
    #[schemars(regex(pattern = NAME))]
    provider: Option<String>,
    /// The currency of the price.
    currency: Option<CurrencyCode>,
    /// The address of the client.
    #[schemars(regex(pattern = NAME))]
    peer: Option<String>,
    /// The trace id (W3C Trace Context).
    #[schemars(regex(pattern = NAME))]
    trace: Option<String>,
    /// The minimum price, in any currency.
    min_price: Option<Amount>,
    /// The maximum price, in any currency.
    max_price: Option<Amount>,
    /// The minimum cost, in any currency.
    min_cost: Option<Amount>,
    /// The maximum cost, in any currency.
    max_cost: Option<Amount>,
    /// The first moment that matches.
    since: Option<Timestamp>,
    /// The first moment that does not match any more.
    until: Option<Timestamp>,
    /// The cursor: `next` of the page before.
    #[schemars(regex(pattern = r"^[0-9a-f]{1,64}$"))]
    after: Option<String>,
    /// The maximum number of items; 50 when left out.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u32>,
}

/// The origin of a request.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Origin {
    Http,
    Ws,
    Bus,
    Webhook,
}

impl Origin {
    /// Returns the name that the request log stores.
    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Ws => "ws",
            Self::Bus => "bus",
            Self::Webhook => "webhook",
        }
    }
}

impl From<RequestFilter> for RequestQuery {
    fn from(filter: RequestFilter) -> Self {
        let nanos = |amount: Option<Amount>| amount.map(|Amount(nanos)| nanos);
        let micros = |time: Option<Timestamp>| time.map(|Timestamp(micros)| micros);
        Self {
            request_id: filter.request_id,
            account: filter.account,
            user: filter.user,
            origin: filter.origin.map(|origin| origin.name().to_owned()),
            service: filter.service,
            version: filter.version,
            method: filter.method,
            status: filter.status,
            code: filter.code,
            fulfilled: filter.fulfilled,
            cache_hit: filter.cache_hit,
            replay: filter.replay,
            provider: filter.provider,
            currency: filter.currency.map(|CurrencyCode(currency)| currency.to_string()),
            peer: filter.peer,
            trace: filter.trace,
            min_price: nanos(filter.min_price),
            max_price: nanos(filter.max_price),
            min_cost: nanos(filter.min_cost),
            max_cost: nanos(filter.max_cost),
            since: micros(filter.since),
            until: micros(filter.until),
            before: filter.after,
        }
    }
}

/// A row of the request log.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RequestView {
    /// The unique id of the request.
    id: Arc<str>,
    /// The request id that the caller sees and may choose, as in `X-Request-Id`.
    request_id: String,
    /// The time at which the request came.
    at: Timestamp,
    /// The account that pays.
    account: Option<Arc<str>>,
    /// The user who called.
    user: Option<Arc<str>>,
    /// The origin of the request.
    origin: String,
    /// The service.
    service: String,
    /// The version of the service.
    version: u32,
    /// The method.
    method: String,
    /// The HTTP status of the response; 499 when the caller disconnected before it.
    status: u16,
    /// The code of the error.
    code: Option<String>,
    /// True if the call was fulfilled.
    fulfilled: bool,
    /// True if the reply came from the cache.
    cache_hit: bool,
    /// True if the reply was a stored one, replayed for the same idempotency key.
    replay: bool,
    /// The price that the account pays.
    price: Option<DecimalAmount>,
    /// The currency of the price.
    currency: Option<String>,
    /// The cost of the attempts to us; null when unknown.
    cost: Option<DecimalAmount>,
    /// The currency of the cost.
    cost_currency: Option<String>,
    /// The provider that replied.
    provider: Option<String>,
    /// The duration, in microseconds.
    duration_us: i64,
    /// The address of the client.
    peer: Option<String>,
    /// The trace id (W3C Trace Context).
    trace: Option<String>,
}

/// A request with its attempts at providers.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RequestDetail {
    /// The request.
    #[serde(flatten)]
    request: RequestView,
    /// The attempts, in their order.
    attempts: Vec<AttemptView>,
}

/// An attempt at a provider, as the log stores it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct AttemptView {
    /// The provider.
    provider: String,
    /// The capability.
    capability: String,
    /// The method of the capability.
    method: String,
    /// The class in which the attempt ended: `fulfilled`, `not-sent`, `rejected`, `ambiguous`,
    /// `invalid`, `unsupported` or `cancelled`.
    class: Cow<'static, str>,
    /// The duration, in microseconds.
    latency_us: u64,
    /// The cost of the attempt to us, such as `0.0002 USD`; absent when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cost: Option<String>,
    /// The reason of a failure; absent when the attempt was fulfilled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// Converts a row of the store.
fn to_view(request: store::RequestRecord) -> RequestView {
    RequestView {
        id: request.call,
        request_id: request.request_id,
        at: Timestamp(request.at),
        account: request.account,
        user: request.user,
        origin: request.origin.into_owned(),
        service: request.service.into_owned(),
        version: request.version,
        method: request.method.into_owned(),
        status: request.status,
        code: request.code.map(Cow::into_owned),
        fulfilled: request.fulfilled,
        cache_hit: request.cache_hit,
        replay: request.replay,
        price: request.price.map(Into::into),
        currency: request.currency.map(|it| it.to_string()),
        cost: request.cost.map(Into::into),
        cost_currency: request.cost_currency.map(|it| it.to_string()),
        provider: request.provider.map(Cow::into_owned),
        duration_us: request.duration,
        peer: request.peer,
        trace: request.trace,
    }
}

/// Lists requests, newest first.
pub(super) async fn list(
    state: Arc<AdminState>,
    request: OperationRequest<RequestFilter>,
) -> Result<Page<RequestView>, Error> {
    let limit = request.input.limit.unwrap_or(50);
    let found =
        state.store()?.search(&request.input.into(), limit + 1).await.map_err(store_error)?;
    Ok(Page::of(found, limit, |request| request.call.to_string(), to_view))
}

/// Returns the request with this id, else the newest with this `X-Request-Id`, and its attempts.
pub(super) async fn read(
    state: Arc<AdminState>,
    request: OperationRequest<EmptyInput>,
) -> Result<RequestDetail, Error> {
    let (store, id) = (state.store()?, &*request.path_params[0]);
    let mut found = store.requests(&[id]).await.map_err(store_error)?;
    if found.is_empty() {
        let search = RequestQuery { request_id: Some(id.to_owned()), ..RequestQuery::default() };
        found = store.search(&search, 1).await.map_err(store_error)?;
    }
    let mut found = found.pop().ok_or_else(|| Error::not_found("no request has this id"))?;
    let attempts = found.attempts.take().map_or(Ok(Vec::new()), |text| read_attempts(&text))?;
    Ok(RequestDetail { request: to_view(found), attempts })
}

/// Parses the attempts of a stored request.
fn read_attempts(text: &str) -> Result<Vec<AttemptView>, Error> {
    let attempts: Vec<Value> = serde_json::from_str(text)?;
    Ok(attempts.into_iter().map(serde_json::from_value).collect::<Result<_, _>>()?)
}
