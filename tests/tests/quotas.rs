//! Quotas, over HTTP: how many are let in, and what the others are told.

use futures_util::future::join_all;
use gateway_runtime::{
    Running,
    prelude::*,
    provider::{HttpClientSettings, HttpResponse},
};

/// Calls that are counted.
#[service(name = "meter")]
struct Meter;

/// What becomes of it.
#[model]
struct Outcome {
    /// Whether the call fails.
    #[serde(default)]
    fails: bool,
}

#[service]
impl Meter {
    /// A few an hour.
    #[expose_method(GET, quota = "5/h")]
    async fn few(&self, outcome: Outcome) -> Result<String> {
        if outcome.fails { Err(Error::not_found("as asked for")) } else { Ok("here".to_owned()) }
    }

    /// As many as may be.
    #[expose_method(GET)]
    async fn many(&self) -> Result<String> {
        Ok("here".to_owned())
    }
}

struct Metered {
    gateway: Running,
    http: HttpClient,
}

impl Metered {
    async fn with(settings: &str) -> Self {
        let settings = format!(
            "http = {{ listen = '127.0.0.1:0', workers = 2 }}\n\
             secrets = {{ EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' }}\n{settings}"
        );
        let gateway = Gateway::from_toml(&settings).unwrap().start().await.unwrap();
        Self { gateway, http: HttpClient::new(&HttpClientSettings::default()).unwrap() }
    }

    async fn get(&self, method: &str) -> HttpResponse {
        let url = format!("{}/services/meter/v1/{method}", self.gateway.url());
        self.http.get(url).send_any().await.unwrap()
    }

    /// How many of so many calls at once are let in.
    async fn admitted(&self, method: &str, calls: usize) -> usize {
        let answers = join_all((0..calls).map(|_| self.get(method))).await;
        assert!(answers.iter().all(|answer| matches!(answer.status(), 200 | 404 | 429)));
        answers.iter().filter(|answer| answer.status() != 429).count()
    }
}

#[tokio::test]
async fn a_hundred_at_once_get_what_there_is() {
    let metered = Metered::with("").await;
    assert_eq!(metered.admitted("few", 100).await, 5);
    assert_eq!(metered.admitted("many", 20).await, 20);
    let refused = metered.get("few").await;
    assert_eq!(refused.header("ratelimit-policy"), Some("\"meter/v1/few\";q=5;w=3600"));
    let limit = refused.header("ratelimit").unwrap().to_owned();
    let wait: u64 = limit.strip_prefix("\"meter/v1/few\";r=0;t=").unwrap().parse().unwrap();
    assert!((600..=720).contains(&wait), "{limit}");
    assert_eq!(refused.header("retry-after").map(str::to_owned), Some(wait.to_string()));
    let problem: serde_json::Value = refused.json().await.unwrap();
    assert_eq!((&problem["code"], &problem["retryable"]), (&"quota-exceeded".into(), &true.into()));
}

#[tokio::test]
async fn the_policy_that_leaves_least_is_told() {
    let metered = Metered::with("quota = { total = '100/min', services = { meter = '4/day' } }").await;
    let first = metered.get("few").await;
    let policies = "\"total\";q=100;w=60, \"meter\";q=4;w=86400, \"meter/v1/few\";q=5;w=3600";
    assert_eq!(first.header("ratelimit-policy"), Some(policies));
    assert_eq!(first.header("ratelimit"), Some("\"meter\";r=3;t=21600"));
    assert_eq!(metered.admitted("many", 10).await, 3);
    assert_eq!(metered.get("few").await.status(), 429);
}

#[tokio::test]
async fn a_failure_gives_back_what_it_took_where_that_is_asked_for() {
    for (settings, admitted) in [("", 5), ("quota = { only_fulfilled = true }", 12)] {
        let metered = Metered::with(settings).await;
        let mut answers = 0;
        for _ in 0..12 {
            answers += usize::from(metered.get("few?fails=true").await.status() == 404);
        }
        assert_eq!(answers, admitted, "{settings}");
    }
}

#[tokio::test]
async fn quotas_can_be_left_out() {
    let metered = Metered::with("quota = { enabled = false }").await;
    assert_eq!(metered.admitted("few", 20).await, 20);
    assert_eq!(metered.get("few").await.header("ratelimit"), None);
}
