//! A gateway with a store and an admin listener, and a client of both.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use gateway_runtime::{RunningGateway, StartError, prelude::*, provider::HttpClientSettings};
use serde_json::Value;

use crate::database::Database;

/// The operator's token in these tests.
pub(super) const TOKEN: &str = "of-the-operator-0123456789";

/// An order.
#[model]
struct Order {
    /// The outcome of the order: `well`, `sold-out`, `lost`.
    #[serde(default)]
    how: String,
}

/// The supply of the booth.
#[capability]
trait Supply {
    /// Returns the quantity in stock.
    #[provide_method(effect = read)]
    async fn stock(&self) -> Result<u32, ProviderError>;
}

/// The supplier of the booth.
#[provider(name = "booth_supplier", title = "Supplier")]
struct Supplier;

#[provider]
impl Supply for Supplier {
    #[provide_method(cost = "0.1 USD")]
    async fn stock(&self) -> Result<u32, ProviderError> {
        Ok(7)
    }
}

/// The course of a stream.
#[model]
#[derive(Clone)]
pub(super) struct Ticking {
    /// The outcome of the stream: `well`, `failover`, `cut` after two items, `endless`.
    how: String,
}

/// The source of ticks.
#[capability]
trait Clock {
    /// Ticks.
    #[provide_method(effect = read)]
    async fn ticks(&self, ticking: &Ticking) -> Result<Streaming<u32>, ProviderError>;
}

/// The clock that is tried first.
#[provider(name = "booth_clock", title = "Clock")]
struct FirstClock;

#[provider]
impl Clock for FirstClock {
    #[provide_method(cost = "0.001 USD")]
    async fn ticks(&self, ticking: &Ticking) -> Result<Streaming<u32>, ProviderError> {
        let end = match &*ticking.how {
            "failover" => return Err(ProviderError::not_sent("it stands still")),
            "cut" => stream::iter([Err(ProviderError::ambiguous("it broke"))]).boxed(),
            "endless" => stream::pending().boxed(),
            _ => stream::empty().boxed(),
        };
        Ok(Streaming::new(stream::iter([Ok(1), Ok(2)]).chain(end)))
    }
}

/// The clock that is tried second.
#[provider(name = "booth_spare_clock", title = "Spare clock")]
struct SpareClock;

#[provider]
impl Clock for SpareClock {
    #[provide_method(cost = "0.002 USD")]
    async fn ticks(&self, _: &Ticking) -> Result<Streaming<u32>, ProviderError> {
        Ok(Streaming::new(stream::iter([Ok::<_, ProviderError>(1), Ok(2)])))
    }
}

/// A booth that sells.
#[service(name = "booth")]
struct Booth;

#[service]
impl Booth {
    /// Sells something.
    #[expose_method(POST, auth = required, price = "0.25 USD", effect = idempotent)]
    async fn buy(&self, order: Order, caller: Caller) -> Result<String> {
        match &*order.how {
            "sold-out" => Err(Error::not_found("sold out")),
            "lost" => Err(Error::new(Code::OUTCOME_UNKNOWN, "lost")),
            _ => Ok(caller.account().unwrap_or_default().to_owned()),
        }
    }

    /// Returns the quantity in stock.
    #[expose_method(GET, auth = required)]
    async fn stock(&self, suppliers: Providers<dyn Supply>) -> Result<u32> {
        Ok(suppliers.stock().await?)
    }

    /// Ticks twice.
    #[expose_method(GET, auth = required, price = "0.01 USD", strategy = Ordered)]
    async fn ticks(
        &self,
        ticking: Ticking,
        clocks: Providers<dyn Clock>,
    ) -> Result<Streaming<u32>> {
        Ok(clocks.ticks(&ticking).await?)
    }

    /// Ticks twice, free of charge.
    #[expose_method(GET, auth = required, strategy = Ordered)]
    async fn free_ticks(
        &self,
        ticking: Ticking,
        clocks: Providers<dyn Clock>,
    ) -> Result<Streaming<u32>> {
        Ok(clocks.ticks(&ticking).await?)
    }

    /// Returns the name of the caller.
    #[expose_method(GET, auth = required)]
    async fn look(&self, caller: Caller) -> Result<String> {
        Ok(caller.account().unwrap_or_default().to_owned())
    }
}

/// A gateway and its operator.
pub(super) struct House {
    pub(super) gateway: RunningGateway,
    pub(super) database: Database,
    http: HttpClient,
}

/// A response.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Arc<http::HeaderMap>,
    pub(super) text: String,
    /// The body as JSON; null if it is not JSON.
    pub(super) body: Value,
}

impl Answer {
    /// Returns the body, after checking the status.
    pub(super) fn when(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }

    /// Returns the status, and the code of the problem.
    pub(super) fn problem(&self) -> (u16, &str) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        assert_eq!(self.body["status"], self.status);
        assert!(self.headers.contains_key("x-request-id"));
        (self.status, self.body["code"].as_str().unwrap())
    }
}

const BASE: &str = "http = { listen = '127.0.0.1:0', workers = 1 }
secrets = { EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' }
";

pub(super) async fn start(settings: &str) -> Result<RunningGateway, StartError> {
    Gateway::from_toml(&format!("{BASE}{settings}"))?.start().await
}

impl House {
    /// Creates a gateway with an operator's token.
    pub(super) async fn open(database: Database) -> Self {
        Self::with(database, &format!("[admin]\nlisten = '127.0.0.1:0'\ntoken = '{TOKEN}'\n")).await
    }

    pub(super) async fn with(database: Database, settings: &str) -> Self {
        let gateway = start(&format!("{}{settings}", database.section())).await.unwrap();
        Self { gateway, database, http: HttpClient::new(&HttpClientSettings::default()).unwrap() }
    }

    /// Calls the API with the operator's token.
    pub(super) async fn admin(&self, call: &str, body: Option<&Value>) -> Answer {
        self.ask(call, body, &[("authorization", &format!("Bearer {TOKEN}"))]).await
    }

    /// Calls the API with the token and an idempotency key.
    pub(super) async fn once(&self, key: &str, call: &str, body: &Value) -> Answer {
        let token = format!("Bearer {TOKEN}");
        self.ask(call, Some(body), &[("authorization", &token), ("idempotency-key", key)]).await
    }

    /// Sends a request to the admin listener, such as `GET /healthz`.
    pub(super) async fn ask(
        &self,
        call: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.send(&format!("http://{}", self.gateway.admin_address().unwrap()), call, body, headers)
            .await
    }

    /// Calls a method of the booth with an API key.
    pub(super) async fn call(&self, call: &str, body: Option<&Value>, key: &str) -> Answer {
        self.send(
            &format!("{}/services/booth/v1", self.gateway.url()),
            call,
            body,
            &[("x-api-key", key)],
        )
        .await
    }

    async fn send(
        &self,
        base: &str,
        call: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let (verb, path) = call.split_once(' ').unwrap();
        let request = self.http.request(verb.parse().unwrap(), format!("{base}{path}"));
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
        let request = body.iter().fold(request, |request, body| request.json(*body));
        let response = request.send_any().await.unwrap();
        let (status, headers) = (response.status(), Arc::new(response.headers().clone()));
        let text = response.text().await.unwrap();
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or_default(), text }
    }

    /// Returns an account, as soon as it has no holds of calls that have ended.
    pub(super) async fn settled(&self, id: &str) -> Value {
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
        loop {
            let account = self.admin(&format!("GET /admin/accounts/{id}"), None).await.when(200);
            if account["balances"].as_array().unwrap().iter().all(|balance| balance["held"] == "0")
            {
                return account;
            }
            assert!(tokio::time::Instant::now() < deadline, "{account}");
        }
    }

    /// Creates an account with this balance; returns an API key of it.
    pub(super) async fn customer(&self, id: &str, dollars: &str) -> String {
        let body = serde_json::json!({ "id": id });
        self.admin("POST /admin/accounts", Some(&body)).await.when(201);
        let credit = serde_json::json!({
            "amount": dollars, "currency": "USD", "reference": format!("first of {id}")
        });
        self.admin(&format!("POST /admin/accounts/{id}/credits"), Some(&credit)).await.when(201);
        let made = self
            .admin(&format!("POST /admin/accounts/{id}/keys"), Some(&serde_json::json!({})))
            .await
            .when(201);
        made["key"].as_str().unwrap().to_owned()
    }
}
