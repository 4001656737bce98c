//! The log of requests.

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

/// Which requests are asked for: those for which all that is said here is so. By default the newest 50 of all.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RequestFilter {
    /// Its name for the caller, as in `X-Request-Id`.
    #[schemars(regex(pattern = NAME))]
    request_id: Option<String>,
    /// Who pays.
    #[schemars(regex(pattern = NAME))]
    account: Option<String>,
    /// Who called.
    #[schemars(regex(pattern = NAME))]
    user: Option<String>,
    /// By what road it came.
    origin: Option<Origin>,
    /// The service.
    #[schemars(regex(pattern = NAME))]
    service: Option<String>,
    /// Its version.
    version: Option<u32>,
    /// The method.
    #[schemars(regex(pattern = NAME))]
    method: Option<String>,
    /// The HTTP status of the answer; 499 when the caller left before it.
    #[schemars(range(min = 100, max = 599))]
    status: Option<u16>,
    /// The error's code.
    #[schemars(regex(pattern = NAME))]
    code: Option<String>,
    /// Whether the caller got what they asked for.
    fulfilled: Option<bool>,
    /// Whether the answer came from the cache.
    cache_hit: Option<bool>,
    /// Whether the answer was given before, under the same idempotency key.
    replay: Option<bool>,
    /// The provider that answered.
    #[schemars(regex(pattern = NAME))]
    provider: Option<String>,
    /// The currency of the price.
    currency: Option<CurrencyCode>,
    /// The client's address.
    #[schemars(regex(pattern = NAME))]
    peer: Option<String>,
    /// The trace's id (W3C Trace Context).
    #[schemars(regex(pattern = NAME))]
    trace: Option<String>,
    /// At least so much was paid, in whatever currency …
    min_price: Option<Amount>,
    /// … and at most so much.
    max_price: Option<Amount>,
    /// At least so much it cost us, in whatever currency …
    min_cost: Option<Amount>,
    /// … and at most so much.
    max_cost: Option<Amount>,
    /// From then on …
    since: Option<Timestamp>,
    /// … and before then.
    until: Option<Timestamp>,
    /// What the part before gave as `next`.
    #[schemars(regex(pattern = r"^[0-9a-f]{1,64}$"))]
    after: Option<String>,
    /// The most that is told; 50 when left out.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u32>,
}

/// By what road a request came.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Origin {
    Http,
    Ws,
    Bus,
    Webhook,
}

impl Origin {
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
        let micros = |moment: Option<Timestamp>| moment.map(|Timestamp(micros)| micros);
        Self {
            request_id: filter.request_id,
            account: filter.account,
            user: filter.user,
            origin: filter.origin.map(|road| road.name().to_owned()),
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

/// What is written down of a request.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RequestView {
    /// What tells it from all others.
    id: Arc<str>,
    /// Its name for the caller, who may choose it, as in `X-Request-Id`.
    request_id: String,
    /// When it came.
    at: Timestamp,
    /// Who pays.
    account: Option<Arc<str>>,
    /// Who called.
    user: Option<Arc<str>>,
    /// By what road it came.
    origin: String,
    /// The service …
    service: String,
    /// … its version …
    version: u32,
    /// … and the method.
    method: String,
    /// The HTTP status of the answer; 499 when the caller left before it.
    status: u16,
    /// The error's code.
    code: Option<String>,
    /// Whether the caller got what they asked for.
    fulfilled: bool,
    /// Whether the answer came from the cache.
    cache_hit: bool,
    /// Whether the answer was given before, under the same idempotency key.
    replay: bool,
    /// What the account pays …
    price: Option<DecimalAmount>,
    /// … in this currency.
    currency: Option<String>,
    /// What the attempts cost us; none when that is not known …
    cost: Option<DecimalAmount>,
    /// … in this currency.
    cost_currency: Option<String>,
    /// The provider that answered.
    provider: Option<String>,
    /// How long it took, in microseconds.
    duration_us: i64,
    /// The client's address.
    peer: Option<String>,
    /// The trace's id (W3C Trace Context).
    trace: Option<String>,
}

/// A request with its attempts at providers.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RequestDetail {
    /// The request.
    #[serde(flatten)]
    request: RequestView,
    /// Its attempts, in their order.
    attempts: Vec<AttemptView>,
}

/// An attempt at a provider, as it was written down.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct AttemptView {
    /// The provider.
    provider: String,
    /// The capability …
    capability: String,
    /// … and its method.
    method: String,
    /// How it ended: `fulfilled`, `not-sent`, `rejected`, `ambiguous`, `invalid`, `unsupported`, `cancelled`.
    class: Cow<'static, str>,
    /// How long it took, in microseconds.
    latency_us: u64,
    /// What it cost us, such as `0.0002 USD`; left out when that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cost: Option<String>,
    /// Why it ended so; left out when it was fulfilled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

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
    desk: Arc<AdminState>,
    request: OperationRequest<RequestFilter>,
) -> Result<Page<RequestView>, Error> {
    let limit = request.input.limit.unwrap_or(50);
    let found =
        desk.books()?.search(&request.input.into(), limit + 1).await.map_err(store_error)?;
    Ok(Page::of(found, limit, |request| request.call.to_string(), to_view))
}

/// Tells of the request of an id, or of the newest that its caller named so.
pub(super) async fn read(
    desk: Arc<AdminState>,
    request: OperationRequest<EmptyInput>,
) -> Result<RequestDetail, Error> {
    let (books, id) = (desk.books()?, &*request.path_params[0]);
    let mut found = books.requests(&[id]).await.map_err(store_error)?;
    if found.is_empty() {
        let search = RequestQuery { request_id: Some(id.to_owned()), ..RequestQuery::default() };
        found = books.search(&search, 1).await.map_err(store_error)?;
    }
    let mut found =
        found.pop().ok_or_else(|| Error::not_found("no request of this id is written down"))?;
    let attempts = found.attempts.take().map_or(Ok(Vec::new()), |text| read_attempts(&text))?;
    Ok(RequestDetail { request: to_view(found), attempts })
}

fn read_attempts(text: &str) -> Result<Vec<AttemptView>, Error> {
    let attempts: Vec<Value> = serde_json::from_str(text)?;
    Ok(attempts.into_iter().map(serde_json::from_value).collect::<Result<_, _>>()?)
}
