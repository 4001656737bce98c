//! A service whose effects must not be repeated, and a gateway with a store around it.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use gateway_runtime::{
    RunningGateway,
    prelude::*,
    provider::{HttpClientSettings, HttpResponse},
    store::{Sqlite, Store},
};
use serde_json::{Value, json};

use crate::gate::gate;

/// How often each item was sold, by its name, in all shops of this process.
static SOLD: LazyLock<Mutex<HashMap<String, u32>>> = LazyLock::new(Mutex::default);

/// An item to sell.
#[model]
struct Sale {
    /// The name of the item; each test has names of its own.
    name: String,
    /// The outcome of the sale: `well`, `slow`, `sold-out`, `busy`, `broken`.
    #[serde(default)]
    how: String,
}

/// The outcome of a sale.
#[model]
struct Receipt {
    /// How often the item has been sold.
    times: u32,
}

const SOLD_OUT: Code = Code::new("sold-out", 409, "Sold out");

/// A till.
#[service(name = "till")]
struct Till;

#[service]
impl Till {
    /// Sells something, once a call.
    #[expose_method(POST)]
    async fn sell(&self, sale: Sale) -> Result<Receipt> {
        let times = {
            let mut sold = SOLD.lock().unwrap();
            let times = sold.entry(sale.name.clone()).or_default();
            *times += 1;
            *times
        };
        match &*sale.how {
            "slow" => gate(&sale.name).acquire().await?.forget(),
            "sold-out" => return Err(Error::new(SOLD_OUT, format!("sold out after {times}"))),
            "busy" => return Err(Error::new(Code::OVERLOADED, "busy")),
            "broken" => panic!("broken"),
            _ => {}
        }
        Ok(Receipt { times })
    }

    /// Requires an idempotency key.
    #[expose_method(PUT, idempotency = required)]
    async fn order(&self, sale: Sale) -> Result<Receipt> {
        let _ = sale;
        Ok(Receipt { times: 1 })
    }

    /// Ignores idempotency keys.
    #[expose_method(GET)]
    async fn look(&self) -> Result<Receipt> {
        Ok(Receipt { times: 0 })
    }
}

/// A gateway with a store in a file of its own.
pub(super) struct Shop {
    gateway: Option<RunningGateway>,
    pub(super) books: Store,
    http: HttpClient,
    folder: PathBuf,
    id: u64,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) replayed: bool,
    pub(super) retry_after: Option<String>,
    pub(super) body: Value,
}

pub(super) const BOOKS: &str = "books.db";

/// Returns the settings of a gateway with its store in a folder.
pub(super) fn settings(folder: &Path) -> String {
    format!(
        "http = {{ listen = '127.0.0.1:0', workers = 2 }}\n\
         store = {{ path = '{}' }}\n\
         secrets = {{ EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' }}\n",
        folder.join(BOOKS).display()
    )
}

impl Shop {
    pub(super) async fn open() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("gateway-shop-{}-{id}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let gateway = Gateway::from_toml(&settings(&folder)).unwrap().start().await.unwrap();
        let books = Store::new(Sqlite::open(&folder.join(BOOKS)).await.unwrap());
        let http = HttpClient::new(&HttpClientSettings::default()).unwrap();
        Self { gateway: Some(gateway), books, http, folder, id }
    }

    /// Stops the gateway, and returns its store.
    pub(super) async fn stop(mut self) -> Store {
        self.gateway.take().unwrap().stop().await.unwrap();
        self.books.clone()
    }

    fn url(&self, method: &str) -> String {
        format!("{}/services/till/v1/{method}", self.gateway.as_ref().unwrap().url())
    }

    pub(super) async fn sell(&self, key: &str, name: &str, how: &str) -> Answer {
        self.send(
            "sell",
            &[("idempotency-key", key)],
            &json!({ "name": self.own(name), "how": how }),
        )
        .await
    }

    pub(super) async fn send(
        &self,
        method: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let url = self.url(method);
        let request = if method == "order" { self.http.put(url) } else { self.http.post(url) };
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
        answer(request.json(body).send_any().await.unwrap()).await.unwrap()
    }

    pub(super) async fn look(&self, headers: &[(&str, &str)]) -> Answer {
        let request = self.http.get(self.url("look"));
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
        answer(request.send_any().await.unwrap()).await.unwrap()
    }

    /// Returns how often an item was sold.
    pub(super) fn times(&self, name: &str) -> u32 {
        SOLD.lock().unwrap().get(&self.own(name)).copied().unwrap_or(0)
    }

    /// Lets one slow sale end.
    pub(super) fn open_gate(&self, name: &str) {
        gate(&self.own(name)).add_permits(1);
    }

    /// Returns the name of an item that only this shop sells.
    pub(super) fn own(&self, name: &str) -> String {
        format!("{name} of shop {}", self.id)
    }
}

/// Returns the reply, unless the connection was lost.
pub(super) async fn answer(response: HttpResponse) -> Option<Answer> {
    let header =
        |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let replayed = header("idempotent-replayed").is_some_and(|value| value == "true");
    let (status, retry_after) = (response.status(), header("retry-after"));
    let body = serde_json::from_str(&response.text().await.ok()?).ok()?;
    Some(Answer { status, replayed, retry_after, body })
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
