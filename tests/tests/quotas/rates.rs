//! Rates, over HTTP: the number of admitted calls, and the response to the others.

use super::meter::Metered;

#[tokio::test]
async fn concurrent_calls_are_admitted_up_to_the_burst() {
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
async fn policy_with_the_fewest_remaining_calls_is_reported() {
    let metered =
        Metered::with("quota = { total = '100/min', services = { meter = '4/day' } }").await;
    let first = metered.get("few").await;
    let policies = "\"total\";q=100;w=60, \"meter\";q=4;w=86400, \"meter/v1/few\";q=5;w=3600";
    assert_eq!(first.header("ratelimit-policy"), Some(policies));
    assert_eq!(first.header("ratelimit"), Some("\"meter\";r=3;t=21600"));
    assert_eq!(metered.admitted("many", 10).await, 3);
    assert_eq!(metered.get("few").await.status(), 429);
}

#[tokio::test]
async fn failed_call_returns_its_token_if_configured() {
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
async fn quotas_can_be_disabled() {
    let metered = Metered::with("quota = { enabled = false }").await;
    assert_eq!(metered.admitted("few", 20).await, 20);
    assert_eq!(metered.get("few").await.header("ratelimit"), None);
}
