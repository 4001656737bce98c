//! Concurrency: calls that run take slots, which are free when the call has ended, however it ends.

use gateway_runtime::provider::HttpResponse;

use super::meter::{Gate, Metered};
use crate::redis_server;

/// Declares a test, once in memory and once in Redis: `test(redis, name)`, where `redis` is a
/// setting.
macro_rules! each_place {
    ($(
        $(#[$attribute:meta])*
        async fn $name:ident($redis:ident: &str, $gate:ident: &str) $body:block
    )*) => {$(
        mod $name {
            use super::*;

            async fn test($redis: &str, $gate: &str) $body

            $(#[$attribute])*
            #[tokio::test]
            async fn memory() {
                test("", concat!(stringify!($name), "-memory")).await;
            }

            $(#[$attribute])*
            #[tokio::test]
            async fn redis() {
                if let Some(redis) = redis_server::setting() {
                    test(&redis, concat!(stringify!($name), "-redis")).await;
                }
            }
        }
    )*};
}

async fn metered(redis: &str, quota: &str) -> Metered {
    Metered::with(&format!("{redis}quota = {{ {quota} }}")).await
}

fn start(metered: &Metered, path: String) -> tokio::task::JoinHandle<HttpResponse> {
    let (http, url) = (metered.http.clone(), metered.url(&path));
    tokio::spawn(async move { http.get(url).send_any().await.unwrap() })
}

each_place! {
    async fn calls_run_up_to_the_concurrency_limit(redis: &str, gate: &str) {
        let metered = metered(
            redis,
            "services = { meter = { concurrency = 2 } }, methods = { 'meter/v1/many' = '100/min' }",
        )
        .await;
        let running = [(); 2].map(|()| start(&metered, format!("wait?gate={gate}")));
        Gate::named(gate).reached(2).await;
        let refused = metered.get("many").await;
        assert_eq!(refused.status(), 429);
        let policies =
            "\"meter/v1/many\";q=100;w=60, \"meter:concurrent\";q=2;qu=\"concurrent-requests\"";
        assert_eq!(refused.header("ratelimit-policy"), Some(policies));
        assert_eq!(refused.header("ratelimit"), Some("\"meter:concurrent\";r=0"));
        assert_eq!(refused.header("retry-after"), Some("1"));
        let problem: serde_json::Value = refused.json().await.unwrap();
        assert_eq!(
            (&problem["code"], &problem["retryable"]),
            (&"quota-exceeded".into(), &true.into())
        );
        Gate::named(gate).open();
        for running in running {
            assert_eq!(running.await.unwrap().status(), 200);
        }
        // A caller that has its response may call again.
        for _ in 0..20 {
            assert_eq!(metered.get("many").await.status(), 200);
        }
        // The refused call took no token.
        assert_eq!(metered.get("many").await.header("ratelimit"), Some("\"meter:concurrent\";r=1"));
    }

    async fn call_that_panics_fails_or_times_out_frees_its_slot(redis: &str, gate: &str) {
        let metered = metered(redis, "total = { concurrency = 1 }").await;
        Gate::named(gate).open();
        for (path, status) in [
            ("wait?how=panics", 500),
            ("wait?how=fails", 404),
            ("late?", 504),
            ("wait?how=well", 200),
        ] {
            let path = format!("{path}&gate={gate}");
            for _ in 0..2 {
                // A timeout ends the call from outside; its slot is released after the response.
                metered.until(&path, status).await;
            }
        }
    }

    async fn client_that_disconnects_frees_its_slot(redis: &str, gate: &str) {
        let metered = metered(redis, "total = { concurrency = 1 }").await;
        let running = start(&metered, format!("wait?gate={gate}"));
        Gate::named(gate).reached(1).await;
        assert_eq!(metered.get("many").await.status(), 429);
        running.abort();
        metered.until("many", 200).await;
    }

    async fn stream_holds_its_slot_until_it_ends(redis: &str, gate: &str) {
        let metered = metered(redis, "total = { concurrency = 1 }").await;
        let first = metered.get(&format!("drip?gate={gate}")).await;
        assert_eq!(first.status(), 200);
        assert_eq!(metered.get("many").await.status(), 429);
        Gate::named(gate).open();
        assert_eq!(first.text().await.unwrap(), "data: 1\n\ndata: 2\n\n");
        metered.until("many", 200).await;
        // A stream that nobody reads any more.
        let shut = format!("{gate}-shut");
        let second = metered.get(&format!("drip?gate={shut}")).await;
        assert_eq!((second.status(), metered.get("many").await.status()), (200, 429));
        drop(second);
        metered.until("many", 200).await;
    }

    async fn timeout_and_panic_return_the_token_and_a_disconnect_does_not(redis: &str, gate: &str) {
        let quota = "only_fulfilled = true, services = { meter = '3/day' }, replicas = 1";
        let metered = metered(redis, quota).await;
        Gate::named(gate).open();
        for _ in 0..4 {
            metered.until("late", 504).await;
            metered.until(&format!("wait?how=panics&gate={gate}"), 500).await;
        }
        let shut = format!("{gate}-shut");
        let running = start(&metered, format!("wait?gate={shut}"));
        Gate::named(&shut).reached(1).await;
        running.abort();
        assert_eq!(metered.admitted("many", 10).await, 2);
    }
}
