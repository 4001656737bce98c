//! The published state of providers, and their configuration.

use serde_json::json;

use super::*;
use crate::Money;

#[tokio::test(start_paused = true)]
async fn health_tells_how_each_method_of_each_provider_is() {
    let fulfil: &[Act] = &[Act::FulfilAfter(Duration::from_millis(20))];
    let costs = [Cost::Flat(Money::literal(200_000, "USD")), Cost::PerRequest(|_| None)];
    let settings = FailoverSettings { repeats: 0, ..Default::default() };
    let bench = Bench::with_costs(&settings, &[&[Act::Status(429)], fulfil], &costs);
    bench.call(Effect::Read).await;
    bench.providers[1].apply(&ProviderSettings { enabled: false, weight: 3, order: -1 });
    let health = serde_json::to_value(bench.pool.health()).unwrap();
    let a = &health["providers"][0];
    assert_eq!(
        (&health["capability"], &a["name"], &a["enabled"], a.get("set_aside_ms")),
        (&json!("Source1"), &json!("a"), &json!(true), None)
    );
    assert_eq!(
        a["methods"][0],
        json!({
            "name": "read", "effect": "read", "cost": "0.0002 USD", "breaker": "closed",
            "retry_after_ms": 4_980, "in_flight": 0, "attempts": { "rejected": 1 },
        })
    );
    let b = &health["providers"][1];
    assert_eq!((&b["enabled"], &b["weight"], &b["order"]), (&json!(false), &json!(3), &json!(-1)));
    assert_eq!(
        b["methods"][0],
        json!({
            "name": "read", "effect": "read", "cost": "by-request", "breaker": "closed",
            "latency_us": 20_000, "in_flight": 0, "attempts": { "fulfilled": 1 },
        })
    );
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_is_published_until_it_waits_for_a_probe() {
    let bench =
        Bench::with(&FailoverSettings { repeats: 0, ..Default::default() }, &[&[Act::NotSent]]);
    let breaker = || {
        serde_json::to_value(bench.pool.health()).unwrap()["providers"][0]["methods"][0]["breaker"]
            .take()
    };
    for state in ["closed", "closed", "closed", "closed", "closed", "open"] {
        assert_eq!(breaker(), state);
        bench.call(Effect::Read).await;
    }
    sleep(seconds(6)).await;
    assert_eq!(breaker(), "half-open");
}

#[test]
fn settings_are_read_with_their_defaults() {
    let settings: FailoverSettings = serde_json::from_value(json!({
        "max_attempts": 5, "attempt_timeout": "1500ms", "breaker": { "open": "1min" },
    }))
    .unwrap();
    assert_eq!((settings.max_attempts, settings.attempt_timeout.as_millis()), (5, 1_500));
    assert_eq!((settings.breaker.open.as_secs(), settings.breaker.max_open.as_secs()), (60, 60));
    let settings: ProviderSettings = serde_json::from_value(json!({ "enabled": false })).unwrap();
    assert_eq!(settings, ProviderSettings { enabled: false, weight: 1, order: 0 });
    for unknown in [json!({ "max_atempts": 5 }), json!({ "breaker": { "opens": "1s" } })] {
        assert!(serde_json::from_value::<FailoverSettings>(unknown).is_err());
    }
}

#[test]
fn the_defaults_are_those_that_are_promised() {
    let settings = FailoverSettings::default();
    assert_eq!((settings.max_attempts, settings.repeats), (3, 1));
    assert_eq!((settings.attempt_timeout, settings.total_timeout), (seconds(10), seconds(30)));
    assert_eq!((settings.backoff.as_millis(), settings.max_backoff), (100, seconds(2)));
    assert_eq!((settings.retry_percent, settings.min_retries), (20, 3));
    let breaker = settings.breaker;
    assert_eq!((breaker.window, breaker.min_calls, breaker.failure_percent), (seconds(30), 20, 50));
    assert_eq!(
        (breaker.failures_in_a_row, breaker.half_open_calls, breaker.successes_to_close),
        (5, 3, 2)
    );
    assert_eq!(
        (breaker.open, breaker.max_open, breaker.set_aside),
        (seconds(5), seconds(60), seconds(60))
    );
}

#[test]
fn the_defaults_are_those_that_the_documentation_says() {
    let text = include_str!("../../../../docs/providers.md");
    let (_, block) = text.split_once("```toml\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let table: toml::Table = block.parse().unwrap();
    let failover: FailoverSettings = table["failover"].clone().try_into().unwrap();
    assert_eq!(format!("{failover:?}"), format!("{:?}", FailoverSettings::default()));
    let provider: ProviderSettings = table["providers"]["fixer_io"].clone().try_into().unwrap();
    assert_eq!(provider, ProviderSettings::default());
    // Every key of the schema is present.
    let schema = serde_json::to_value(schemars::schema_for!(FailoverSettings)).unwrap();
    let documented = |key: &String| table["failover"].get(key).is_some();
    assert!(schema["properties"].as_object().unwrap().keys().all(documented));
    let client = table["http_client"].as_table().unwrap();
    let schema =
        serde_json::to_value(schemars::schema_for!(crate::provider::HttpClientSettings)).unwrap();
    assert!(schema["properties"].as_object().unwrap().keys().all(|key| client.contains_key(key)));
}
