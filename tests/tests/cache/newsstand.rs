//! A newsstand with cached replies, a gateway around it, and clients of it.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use gateway_runtime::{
    RunningGateway,
    auth::NewApiKey,
    pipeline::CacheFigures,
    prelude::*,
    provider::{HttpClientSettings, HttpResponse},
};

/// The state of each street's newsstand: gateways of other tests have one as well.
static DAYS: LazyLock<Mutex<Vec<Arc<Day>>>> = LazyLock::new(Mutex::default);

/// The state of the newsstand of one street.
#[derive(Debug, Default)]
pub(super) struct Day {
    street: usize,
    /// How often each item was made.
    made: Mutex<HashMap<String, u32>>,
    /// The failure that the newsstand simulates.
    trouble: Mutex<&'static str>,
}

impl Day {
    /// Creates the state of a new street.
    fn new() -> Arc<Self> {
        let mut days = DAYS.lock().unwrap();
        let day = Arc::new(Self { street: days.len(), ..Self::default() });
        days.push(Arc::clone(&day));
        day
    }

    /// Returns how often an item was made.
    pub(super) fn made(&self, name: &str) -> u32 {
        self.made.lock().unwrap().get(name).copied().unwrap_or(0)
    }

    /// Sets the failure from now on.
    pub(super) fn trouble(&self, trouble: &'static str) {
        *self.trouble.lock().unwrap() = trouble;
    }

    async fn make(&self, name: &str) -> Result<u32> {
        let made = {
            let mut made = self.made.lock().unwrap();
            let made = made.entry(name.to_owned()).or_default();
            *made += 1;
            *made
        };
        let trouble = *self.trouble.lock().unwrap();
        match trouble {
            "slow" => tokio::time::sleep(Duration::from_millis(300)).await,
            "broken" => return Err(Error::new(Code::PROVIDER_FAILED, "as asked for")),
            "panics at first" if made == 1 => {
                tokio::time::sleep(Duration::from_millis(300)).await;
                panic!("as asked for");
            }
            _ => {}
        }
        Ok(made)
    }
}

/// An item that a customer wants.
#[model]
struct Want {
    /// The street.
    street: usize,
    /// The name of the item.
    name: String,
    /// The length of the reply, in characters.
    #[serde(default)]
    size: usize,
}

/// A newsstand.
#[service(name = "newsstand")]
struct Newsstand;

async fn make(want: &Want) -> Result<u32> {
    let day = Arc::clone(&DAYS.lock().unwrap()[want.street]);
    day.make(&want.name).await
}

#[service]
impl Newsstand {
    /// News, cached for each account.
    #[expose_method(GET, cache = "60s")]
    async fn news(&self, want: Want) -> Result<String> {
        Ok(format!("{}{}", make(&want).await?, "x".repeat(want.size)))
    }

    /// The weather, cached for all accounts.
    #[expose_method(GET, cache = "60s", cache_scope = global)]
    async fn weather(&self, want: Want) -> Result<String> {
        Ok(make(&want).await?.to_string())
    }

    /// Rumours, which are stale soon.
    #[expose_method(GET, cache = "200ms")]
    async fn rumours(&self, want: Want) -> Result<String> {
        Ok(make(&want).await?.to_string())
    }
}

/// A gateway with two accounts.
pub(super) struct Street {
    pub(super) gateway: RunningGateway,
    pub(super) day: Arc<Day>,
    http: HttpClient,
    keys: [(&'static str, NewApiKey); 2],
}

/// A response.
#[derive(Debug)]
pub(super) struct Paper {
    pub(super) code: u16,
    pub(super) text: String,
    /// The field `Cache-Status`, without the name of the cache.
    pub(super) status: String,
    pub(super) age: Option<u64>,
}

impl Street {
    pub(super) async fn open(settings: &str) -> Self {
        Self::open_on(settings, Day::new()).await
    }

    pub(super) async fn open_on(settings: &str, day: Arc<Day>) -> Self {
        let keys = ["acme", "umbrella"].map(|account| (account, NewApiKey::generate().unwrap()));
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let key = |(account, key): &(&str, NewApiKey)| {
            format!("[auth.keys.{}]\nhash = '{}'\naccount = '{account}'\n", key.id, hex(&key.hash))
        };
        let settings = format!(
            "http = {{ listen = '127.0.0.1:0', workers = 2 }}\n\
             secrets = {{ EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' }}\n\
             {settings}\n{}",
            keys.iter().map(key).collect::<String>()
        );
        let gateway = Gateway::from_toml(&settings).unwrap().start().await.unwrap();
        Self { gateway, day, http: HttpClient::new(&HttpClientSettings::default()).unwrap(), keys }
    }

    /// Calls with the key of an account, or anonymously.
    pub(super) async fn call(
        &self,
        account: Option<&str>,
        method: &str,
        query: &str,
        asks: &str,
    ) -> Paper {
        let mut request = self.http.get(format!(
            "{}/services/newsstand/v1/{method}?street={}&{query}",
            self.gateway.url(),
            self.day.street
        ));
        if let Some((_, key)) = self.keys.iter().find(|(name, _)| Some(*name) == account) {
            request = request.header("x-api-key", key.key.expose());
        }
        if !asks.is_empty() {
            request = request.header("cache-control", asks);
        }
        paper(request.send_any().await.unwrap()).await
    }

    /// Calls anonymously.
    pub(super) async fn get(&self, method: &str, query: &str) -> Paper {
        self.call(None, method, query, "").await
    }

    pub(super) fn figures(&self) -> CacheFigures {
        self.gateway.cache().unwrap()
    }
}

async fn paper(response: HttpResponse) -> Paper {
    let header = |name| response.header(name).unwrap_or_default().to_owned();
    let status = header("cache-status").strip_prefix("gateway; ").unwrap_or_default().to_owned();
    let (code, age) = (response.status(), header("age").parse().ok());
    Paper { code, text: response.text().await.unwrap(), status, age }
}

/// Calls until the response is as wanted.
pub(super) async fn until(ask: impl AsyncFn() -> Paper, wanted: impl Fn(&Paper) -> bool) -> Paper {
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    loop {
        let paper = ask().await;
        if wanted(&paper) {
            return paper;
        }
        assert!(std::time::Instant::now() < deadline, "{paper:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
