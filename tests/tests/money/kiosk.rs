//! A service with priced calls, and customers of it.

use std::{
    fs::OpenOptions,
    io::Write,
    path::Path,
    sync::{Arc, LazyLock},
};

use gateway_runtime::{
    Currency,
    prelude::*,
    provider::{HttpClientSettings, HttpResponse},
    store::{Command, CommandOutcome, Credit, CreditOutcome, Store},
};
use serde_json::{Value, json};

use crate::{database::Database, gate::gate};

/// The variable with the folder that a gateway's process records effects in.
pub(super) const FOLDER: &str = "GATEWAY_TEST_KIOSK";
pub(super) const EFFECTS: &str = "effects";

/// The price of `buy`, in 10⁻⁹ USD.
pub(super) const PRICE: i64 = 1_000_000;
/// The price of `read`, in 10⁻⁹ USD.
pub(super) const READING: i64 = 500_000;

/// An order.
#[model]
struct Order {
    /// The name of the item.
    name: String,
    /// The outcome of the order: `well`, `slow`, `lasting`, `refused`, `busy`, `broken`.
    #[serde(default)]
    how: String,
}

/// A quantity of pages.
#[model]
struct Amount {
    /// The number of pages.
    pages: u64,
}

/// Delivers orders.
#[capability]
trait Delivery {
    /// Delivers an order, with effect `once`.
    #[provide_method(effect = once)]
    async fn deliver(&self, order: &Order) -> Result<(), ProviderError>;
}

/// Records a delivery and its courier as a lasting effect.
async fn deliver(courier: &str, order: &Order) -> Result<(), ProviderError> {
    last(courier).map_err(|error| ProviderError::rejected(error.to_string()))?;
    if order.how == "lasting" { std::future::pending().await } else { Ok(()) }
}

/// The courier that is tried first.
#[provider(name = "kiosk_courier", title = "Courier")]
struct Courier;

#[provider]
impl Delivery for Courier {
    #[provide_method(cost = "0.0001 USD")]
    async fn deliver(&self, order: &Order) -> Result<(), ProviderError> {
        if order.name.starts_with("far") {
            return Err(ProviderError::rejected("too far"));
        }
        deliver("kiosk_courier", order).await
    }
}

/// The courier that is tried second.
#[provider(name = "kiosk_spare_courier", title = "Spare courier")]
struct SpareCourier;

#[provider]
impl Delivery for SpareCourier {
    #[provide_method(cost = "0.0001 USD")]
    async fn deliver(&self, order: &Order) -> Result<(), ProviderError> {
        deliver("kiosk_spare_courier", order).await
    }
}

const REFUSED: Code = Code::new("sold-out", 409, "Sold out");

/// A kiosk.
#[service(name = "kiosk")]
struct Kiosk;

#[service]
impl Kiosk {
    /// Sells an item.
    #[expose_method(POST, price = "0.001 USD")]
    async fn buy(&self, order: Order) -> Result<String> {
        match &*order.how {
            "slow" => gate(&order.name).acquire().await?.forget(),
            "lasting" => last(&order.name)?,
            "refused" => return Err(Error::new(REFUSED, "sold out")),
            "busy" => return Err(Error::new(Code::OVERLOADED, "busy")),
            "broken" => panic!("broken"),
            _ => {}
        }
        Ok(order.name)
    }

    /// Reads an item.
    #[expose_method(GET, price = "0.0005 USD")]
    async fn read(&self) -> Result<String> {
        Ok("news".to_owned())
    }

    /// Returns the weather, which is cached.
    #[expose_method(GET, price = "0.0005 USD", cache = "60s")]
    async fn weather(&self) -> Result<String> {
        Ok("rain".to_owned())
    }

    /// Copies pages; the number is known afterwards.
    #[expose_method(POST)]
    async fn copy(&self, amount: Amount, call: Call) -> Result<()> {
        call.report_usage(amount.pages);
        Ok(())
    }

    /// Reads, and does not complete.
    #[expose_method(GET, price = "0.0005 USD")]
    async fn dawdle(&self) -> Result<String> {
        std::future::pending().await
    }

    /// Delivers an order through a courier.
    #[expose_method(POST, price = "0.001 USD", strategy = Ordered)]
    async fn order(&self, order: Order, couriers: Providers<dyn Delivery>) -> Result<()> {
        Ok(couriers.deliver(&order).await?)
    }

    /// Free of charge.
    #[expose_method(GET)]
    async fn look(&self) -> Result<String> {
        Ok("a window".to_owned())
    }
}

/// Records an effect that survives the gateway: a line in a file, in one write, so that two never
/// mix.
fn last(name: &str) -> Result<()> {
    let folder =
        std::env::var(FOLDER).map_err(|_| Error::internal("only in a process of its own"))?;
    let mut file =
        OpenOptions::new().append(true).create(true).open(Path::new(&folder).join(EFFECTS))?;
    file.write_all(format!("{name}\n").as_bytes())?;
    Ok(())
}

/// The API key of all customers; its account is `acme`.
const KEY: &str = "gk_acme_a-secret-of-customers";
pub(super) const ACCOUNT: &str = "acme";

/// Returns the settings of a gateway with its store in a database.
pub(super) fn settings(database: &Database) -> String {
    settings_with(database, "")
}

/// Returns the same with more settings, before the first section.
pub(super) fn settings_with(database: &Database, more: &str) -> String {
    static HASH: LazyLock<String> = LazyLock::new(|| {
        let digest =
            ring::digest::digest(&ring::digest::SHA256, KEY.rsplit_once('_').unwrap().1.as_bytes());
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    });
    format!(
        "http.listen = '127.0.0.1:0'\n\
         http.workers = 2\n\
         secrets = {{ EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' }}\n\
         auth.keys.acme = {{ hash = '{}', account = '{ACCOUNT}' }}\n{more}\n{}",
        *HASH,
        database.section()
    )
}

/// Opens the account, with this balance.
pub(super) async fn fund(books: &Store, nanos: i64) {
    let (account, who): (Arc<str>, Arc<str>) = (ACCOUNT.into(), "a test".into());
    let open = Command::OpenAccount {
        account: Arc::clone(&account),
        plan: "standard".into(),
        at: 1,
        who: Arc::clone(&who),
    };
    let amount = Money::from_nanos(nanos, Currency::from_code("USD").unwrap());
    let credit =
        Command::Credit(Credit { account, amount, reference: "the first".into(), at: 1, who });
    let outcomes = books.commit(&[open, credit]).await.unwrap();
    assert_eq!(outcomes[1], CommandOutcome::Credit(CreditOutcome::Credited));
}

/// Returns the available balance and the sum of holds, after checking them against the ledger.
pub(super) async fn balance(books: &Store) -> (i64, i64) {
    let audit = books.audit(ACCOUNT).await.unwrap();
    assert!(audit.iter().all(gateway_runtime::store::Audit::balances), "{audit:?}");
    audit.first().map_or((0, 0), |audit| (audit.available, audit.held))
}

/// A client with the account's key.
#[derive(Clone)]
pub(super) struct Customer {
    http: HttpClient,
    url: String,
}

/// A response.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) replayed: bool,
    pub(super) price: Option<String>,
    pub(super) currency: Option<String>,
    /// The field `RateLimit-Policy`.
    pub(super) policy: Option<String>,
    pub(super) retryable: bool,
    pub(super) code: String,
}

impl Customer {
    pub(super) fn of(url: &str) -> Self {
        let http = HttpClient::new(&HttpClientSettings::default()).unwrap();
        Self { http, url: format!("{url}/services/kiosk/v1") }
    }

    pub(super) async fn buy(
        &self,
        name: &str,
        how: &str,
        headers: &[(&str, &str)],
    ) -> Option<Answer> {
        self.post("buy", &json!({ "name": name, "how": how }), headers).await
    }

    pub(super) async fn post(
        &self,
        method: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Option<Answer> {
        let request = self.http.post(format!("{}/{method}", self.url)).header("x-api-key", KEY);
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
        answer(request.json(body).send_any().await.ok()?).await
    }

    pub(super) async fn post_as_a_stranger(
        &self,
        method: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let request = self.http.post(format!("{}/{method}", self.url));
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
        answer(request.json(body).send_any().await.unwrap()).await.unwrap()
    }

    pub(super) async fn get(&self, method: &str) -> Option<Answer> {
        let request = self.http.get(format!("{}/{method}", self.url)).header("x-api-key", KEY);
        answer(request.send_any().await.ok()?).await
    }

    pub(super) async fn get_as_a_stranger(&self, method: &str) -> Answer {
        answer(self.http.get(format!("{}/{method}", self.url)).send_any().await.unwrap())
            .await
            .unwrap()
    }
}

/// Returns the response, unless the connection was lost.
async fn answer(response: HttpResponse) -> Option<Answer> {
    let header =
        |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let replayed = header("idempotent-replayed").is_some_and(|value| value == "true");
    let (status, price, currency) =
        (response.status(), header("x-request-price"), header("x-request-currency"));
    let policy = header("ratelimit-policy");
    let text = response.text().await.ok()?;
    let body: Value =
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).ok()? };
    let code = body["code"].as_str().unwrap_or_default().to_owned();
    let retryable = body["retryable"] == true;
    Some(Answer { status, replayed, price, currency, policy, retryable, code })
}
