//! A shop with cached replies, and a client of it.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use gateway_runtime::{
    App, CallContext, CallRequest, Input, Origin, Reply, RequestId,
    cache::{CacheSettings, MemoryCache},
    pipeline::{CacheFigures, Pipeline, ReplyCache, Stages},
    prelude::*,
    registry::{Registry, RegistrySettings},
};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::{sync::Semaphore, time::Instant};

/// The behaviour of the shop.
#[derive(Clone, Debug, Default)]
pub(crate) enum Mood {
    #[default]
    Answers,
    Fails(Code),
    Panics,
    /// Replies when a permit is available.
    Waits(Arc<Semaphore>),
    Never,
}

/// The state of the shop, which tests observe.
#[derive(Debug, Default)]
pub(crate) struct Goods {
    pub(crate) mood: Mutex<Mood>,
    asked: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

struct Asking<'a>(&'a Goods);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.at_once.fetch_sub(1, SeqCst);
    }
}

impl Goods {
    /// Returns how often a method ran.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }

    /// Returns how many calls ran at the same time, at most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.most_at_once.load(SeqCst)
    }

    pub(crate) fn becomes(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    async fn ask(&self) -> Result<usize> {
        let asked = self.asked.fetch_add(1, SeqCst) + 1;
        let at_once = self.at_once.fetch_add(1, SeqCst) + 1;
        self.most_at_once.fetch_max(at_once, SeqCst);
        let _asking = Asking(self);
        let mood = self.mood.lock().unwrap().clone();
        match mood {
            Mood::Answers => {}
            Mood::Fails(code) => return Err(Error::new(code, "as asked for")),
            Mood::Panics => panic!("as asked for"),
            Mood::Waits(until) => until.acquire().await?.forget(),
            Mood::Never => std::future::pending().await,
        }
        Ok(asked)
    }
}

/// A search.
#[model]
pub(crate) struct Search {
    /// The name of the item.
    name: String,
    /// The shelf.
    #[serde(default)]
    shelf: Option<u32>,
}

/// A shop.
#[service(name = "stock")]
struct Stock {
    goods: Arc<Goods>,
}

#[service]
impl Stock {
    /// Cached for the account.
    #[expose_method(GET, cache = "60s")]
    async fn own(&self, search: Search) -> Result<String> {
        Ok(format!("{} {}", search.name, self.goods.ask().await?))
    }

    /// Cached for all accounts.
    #[expose_method(POST, effect = read, cache = "60s", cache_scope = global)]
    async fn all(&self, search: Search) -> Result<String> {
        Ok(format!("{} {}", search.name, self.goods.ask().await?))
    }

    /// Cached for all accounts, also by shared caches.
    #[expose_method(GET, cache = "60s", cache_scope = global, auth = none)]
    async fn open(&self) -> Result<usize> {
        self.goods.ask().await
    }

    /// Returns bytes.
    #[expose_method(GET, cache = "60s")]
    async fn picture(&self) -> Result<Raw<media::Png>> {
        self.goods.ask().await?;
        Ok(Raw::new(vec![0, 159, 255]))
    }

    /// Returns nothing.
    #[expose_method(GET, cache = "60s")]
    async fn ping(&self) -> Result<()> {
        self.goods.ask().await.map(drop)
    }

    /// Returns more than is stored.
    #[expose_method(GET, cache = "60s")]
    async fn much(&self) -> Result<String> {
        self.goods.ask().await?;
        Ok("x".repeat(5000))
    }

    /// Returns a stream, which is not stored.
    #[expose_method(GET, cache = "60s")]
    async fn stream(&self) -> Result<Streaming<usize>> {
        let asked = self.goods.ask().await?;
        Ok(Streaming::new(futures_util::stream::iter([Ok::<_, Error>(asked)])))
    }

    /// Is not cached.
    #[expose_method(GET)]
    async fn plain(&self) -> Result<usize> {
        self.goods.ask().await
    }
}

/// A pipeline, and its client.
#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) goods: Arc<Goods>,
    registry: Arc<Registry>,
    pipeline: Pipeline,
    caching: Option<Arc<ReplyCache>>,
}

/// A reply.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The body, or the code of the error.
    pub(crate) text: Result<String, Code>,
    pub(crate) headers: HeaderMap,
    pub(crate) cached: bool,
}

impl Answer {
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        self.text.as_ref().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Returns `Cache-Status`, without the name of the cache.
    #[track_caller]
    pub(crate) fn status(&self) -> &str {
        self.header("cache-status").unwrap().strip_prefix("gateway; ").unwrap()
    }
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self::with(&CacheSettings { reply_bytes: 4000, ..CacheSettings::default() })
    }

    pub(crate) fn with(settings: &CacheSettings) -> Self {
        let goods = Arc::<Goods>::default();
        let mut app = App::default();
        app.insert(Arc::clone(&goods));
        let registry = Arc::new(Registry::build(&app, &RegistrySettings::default()).unwrap());
        let memory = Box::new(MemoryCache::new(settings.memory_bytes).unwrap());
        let caching =
            settings.enabled.then(|| ReplyCache::new(settings, &registry, memory).unwrap());
        let pipeline = Pipeline::new(Stages { caching: caching.clone(), ..Stages::default() });
        Self { goods, registry, pipeline, caching }
    }

    pub(crate) fn figures(&self) -> CacheFigures {
        self.caching.as_ref().unwrap().figures()
    }

    /// Calls as this account, or anonymously.
    pub(crate) async fn call(
        &self,
        account: Option<&str>,
        method: &str,
        input: &str,
        asks: &[&'static str],
    ) -> Answer {
        self.call_by(Origin::Http, account, method, input, asks).await
    }

    /// Calls with another origin.
    pub(crate) async fn call_by(
        &self,
        origin: Origin,
        account: Option<&str>,
        method: &str,
        input: &str,
        asks: &[&'static str],
    ) -> Answer {
        let method = self.registry.methods().find(|known| known.spec.name == method).unwrap();
        let started = Instant::now().into_std();
        let field = |asks: &&'static str| {
            (HeaderName::from_static("cache-control"), HeaderValue::from_static(asks))
        };
        let arrival = CallContext {
            id: RequestId::generate(),
            origin,
            peer: None,
            country: None,
            headers: asks.iter().map(field).collect(),
            started,
            deadline: started + Duration::from_secs(30),
        };
        let call = Call::new(method.service, method.spec, arrival);
        if let Some(account) = account {
            call.identify(Caller::new(account, None, [])).unwrap();
        }
        let input = match method.spec.verb.has_query_input() {
            true => Input::Query(input.into()),
            false => Input::Json(input.to_owned().into()),
        };
        let outcome = self.pipeline.call(method, CallRequest { call: call.clone(), input }).await;
        Answer {
            text: outcome.map(text).map_err(|error| error.code()),
            headers: call.take_response_headers().unwrap_or_default(),
            cached: call.is_cache_hit(),
        }
    }

    /// Looks for a cup, anonymously.
    pub(crate) async fn cup(&self) -> Answer {
        self.call(None, "own", "name=cup", &[]).await
    }
}

fn text(reply: Reply) -> String {
    match reply {
        Reply::Json(json) => String::from_utf8(json.into()).unwrap(),
        Reply::Raw(media, bytes) => format!("{media} {bytes:?}"),
        Reply::Empty => "nothing".to_owned(),
        Reply::Items(_) | Reply::RawStream(..) => "a stream".to_owned(),
    }
}

/// Advances the clock.
pub(crate) async fn after(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

/// Runs all tasks until they wait.
pub(crate) async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}
