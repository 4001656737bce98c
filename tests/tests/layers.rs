//! An author's own tower layers, each at its position, and gateways without some built-in layers.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use gateway_runtime::{
    Reply, RunningGateway,
    pipeline::{Invocation, LayerPosition},
    prelude::*,
    provider::{HttpClientSettings, HttpResponse},
};
use tower::{
    BoxError, Service, limit::ConcurrencyLimitLayer, load_shed::LoadShedLayer, service_fn,
    timeout::TimeoutLayer, util::MapRequestLayer,
};

/// A service that layers are tested with.
#[service(name = "onion")]
struct Onion;

/// The duration of a call.
#[model]
struct Peel {
    /// In milliseconds.
    #[serde(default)]
    millis: u64,
}

#[service]
impl Onion {
    /// Is peeled.
    #[expose_method(GET)]
    async fn peel(&self, peel: Peel) -> Result<String> {
        tokio::time::sleep(Duration::from_millis(peel.millis)).await;
        Ok("peeled".to_owned())
    }

    /// Is peeled, with effect `once`.
    #[expose_method(POST, idempotency = required)]
    async fn once(&self, peel: Peel) -> Result<String> {
        tokio::time::sleep(Duration::from_millis(peel.millis)).await;
        Ok("peeled".to_owned())
    }

    /// Is cached.
    #[expose_method(GET, cache = "60s", cache_scope = global)]
    async fn kept(&self) -> Result<String> {
        Ok("kept".to_owned())
    }

    /// Requires a caller.
    #[expose_method(GET, auth = required)]
    async fn known(&self) -> Result<String> {
        Ok("known".to_owned())
    }
}

fn settings(more: &str) -> Gateway {
    let settings = format!(
        "http = {{ listen = '127.0.0.1:0', workers = 2 }}\n\
         secrets = {{ EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' }}\n\
         {more}"
    );
    Gateway::from_toml(&settings).unwrap()
}

async fn ask(gateway: &RunningGateway, path: &str) -> HttpResponse {
    let http = HttpClient::new(&HttpClientSettings::default()).unwrap();
    let url = format!("{}/services/onion/v1/{path}", gateway.url());
    let request = if path.starts_with("once") {
        http.post(url).json(&serde_json::json!({"millis": 100}))
    } else {
        http.get(url)
    };
    request.send_any().await.unwrap()
}

/// Returns the status, and the code of a problem.
async fn told(response: HttpResponse) -> (u16, String) {
    let status = response.status();
    let problem: serde_json::Value = response.json().await.unwrap();
    (status, problem["code"].as_str().unwrap_or_default().to_owned())
}

type Seen = Arc<Mutex<Vec<(&'static str, String)>>>;

fn noting(
    seen: &Seen,
    place: &'static str,
) -> MapRequestLayer<impl Fn(Invocation) -> Invocation + Clone + use<>> {
    let seen = Arc::clone(seen);
    MapRequestLayer::new(move |invocation: Invocation| {
        seen.lock().unwrap().push((place, invocation.method.spec.name.to_owned()));
        invocation
    })
}

#[tokio::test]
async fn each_layer_runs_at_its_position() {
    let seen = Seen::default();
    let gateway = settings("")
        .layer(LayerPosition::AroundMethod, noting(&seen, "inner"))
        .layer(LayerPosition::Outermost, noting(&seen, "outer"))
        .layer(LayerPosition::Outermost, noting(&seen, "outer, second"))
        .layer(LayerPosition::AfterAuthentication, noting(&seen, "middle"))
        .start()
        .await
        .unwrap();
    let passed = async |path: &str| {
        let status = ask(&gateway, path).await.status();
        let seen = std::mem::take(&mut *seen.lock().unwrap());
        (status, seen.into_iter().map(|(place, _)| place).collect::<Vec<_>>())
    };
    assert_eq!(passed("peel").await, (200, vec!["outer", "outer, second", "middle", "inner"]));
    assert_eq!(passed("peel?millis=no").await, (400, vec!["outer", "outer, second", "middle"]));
    assert_eq!(passed("known").await, (401, vec!["outer", "outer, second"]));
    assert_eq!(passed("kept").await, (200, vec!["outer", "outer, second", "middle", "inner"]));
    assert_eq!(
        passed("kept").await,
        (200, vec!["outer", "outer, second", "middle"]),
        "the method did not run"
    );
}

/// A layer that refuses every other call, with an error of the gateway's.
#[derive(Clone)]
struct Moody<S> {
    inner: S,
    calls: Arc<AtomicUsize>,
}

impl<S> Service<Invocation> for Moody<S>
where
    S: Service<Invocation, Response = Reply, Error = BoxError, Future: Send + 'static>,
{
    type Response = Reply;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Reply, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: Invocation) -> Self::Future {
        const MOODY: Code = Code::new("moody", 418, "Moody");
        match self.calls.fetch_add(1, SeqCst) {
            calls if calls % 3 == 0 => async { Err(Error::new(MOODY, "not now").into()) }.boxed(),
            calls if calls % 3 == 1 => async { Err("a secret of the layer".into()) }.boxed(),
            _ => self.inner.call(invocation).boxed(),
        }
    }
}

#[tokio::test]
async fn errors_of_a_layer_become_problems() {
    let calls = Arc::<AtomicUsize>::default();
    let gateway = settings("")
        .layer(
            LayerPosition::AfterAuthentication,
            tower::layer::layer_fn(move |inner| Moody { inner, calls: Arc::clone(&calls) }),
        )
        .start()
        .await
        .unwrap();
    assert_eq!(told(ask(&gateway, "peel").await).await, (418, "moody".to_owned()));
    let failed = ask(&gateway, "peel").await;
    assert_eq!(failed.status(), 500);
    let text = failed.text().await.unwrap();
    assert!(text.contains("\"internal\"") && !text.contains("a secret of the layer"), "{text}");
    assert_eq!(ask(&gateway, "peel").await.status(), 200);
}

#[tokio::test]
async fn towers_own_layers_work() {
    let gateway = settings("")
        .layer(LayerPosition::AroundMethod, TimeoutLayer::new(Duration::from_millis(20)))
        .start()
        .await
        .unwrap();
    assert_eq!(ask(&gateway, "peel").await.status(), 200);
    assert_eq!(told(ask(&gateway, "peel?millis=5000").await).await, (504, "timeout".to_owned()));
    assert_eq!(
        told(ask(&gateway, "once").await).await,
        (504, "outcome-unknown".to_owned()),
        "it may have been done"
    );

    let gateway = settings("")
        .layer(LayerPosition::AroundMethod, LoadShedLayer::new())
        .layer(LayerPosition::AroundMethod, ConcurrencyLimitLayer::new(1))
        .start()
        .await
        .unwrap();
    let (one, other) =
        tokio::join!(ask(&gateway, "peel?millis=300"), ask(&gateway, "peel?millis=300"));
    let mut statuses = [one.status(), other.status()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 503]);

    // Without load shedding, calls wait for each other.
    let gateway = settings("")
        .layer(LayerPosition::AroundMethod, ConcurrencyLimitLayer::new(1))
        .start()
        .await
        .unwrap();
    let begun = std::time::Instant::now();
    let (one, other) =
        tokio::join!(ask(&gateway, "peel?millis=150"), ask(&gateway, "peel?millis=150"));
    assert_eq!((one.status(), other.status()), (200, 200));
    assert!(begun.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn layer_may_reply_itself() {
    let answers = || {
        service_fn(async |_: Invocation| {
            Ok::<_, BoxError>(Reply::Json("\"from the layer\"".into()))
        })
    };
    let gateway = settings("")
        .layer(
            LayerPosition::Outermost,
            tower::layer::layer_fn(move |_: gateway_runtime::pipeline::InnerService| answers()),
        )
        .start()
        .await
        .unwrap();
    assert_eq!(ask(&gateway, "known").await.text().await.unwrap(), "\"from the layer\"");
}

#[tokio::test]
async fn built_in_layers_can_be_disabled() {
    let folder = std::env::temp_dir().join(format!("gateway-onion-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("books.db");
    let store = format!("store = {{ path = '{}' }}\n", path.display());
    let rows = async || {
        let books = gateway_runtime::store::Store::new(
            gateway_runtime::store::Sqlite::open(&path).await.unwrap(),
        );
        books.recent_requests(100).await.unwrap().len()
    };

    let gateway =
        settings(&format!("{store}request_log = {{ enabled = false }}")).start().await.unwrap();
    assert_eq!(ask(&gateway, "peel").await.status(), 200);
    assert_eq!(told(ask(&gateway, "once").await).await.0, 400, "it wants a key");
    gateway.stop().await.unwrap();
    assert_eq!(rows().await, 0);

    let gateway =
        settings(&format!("{store}idempotency = {{ enabled = false }}")).start().await.unwrap();
    assert_eq!(ask(&gateway, "once").await.status(), 200);
    gateway.stop().await.unwrap();
    assert_eq!(rows().await, 1);
    std::fs::remove_dir_all(folder).unwrap();
}
