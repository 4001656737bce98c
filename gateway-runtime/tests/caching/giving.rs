//! Cached replies: which are served, to which callers, and with which fields.

use gateway_runtime::{Origin, cache::CacheSettings, prelude::*};

use crate::stock::{Mood, Shop, after};

#[tokio::test(start_paused = true)]
async fn fresh_reply_is_served_again() {
    let shop = Shop::new();
    let first = shop.cup().await;
    assert_eq!((first.text(), first.cached), ("\"cup 1\"", false));
    assert_eq!((first.status(), first.header("age")), ("fwd=miss; stored; ttl=60", None));
    after(59).await;
    let again = shop.cup().await;
    assert_eq!((again.text(), again.cached), ("\"cup 1\"", true));
    assert_eq!((again.status(), again.header("age")), ("hit; ttl=1", Some("59")));
    assert_eq!(again.header("cache-control"), Some("private, max-age=60"));
    assert_eq!(again.header("vary"), Some("authorization, x-api-key"));
    assert_eq!(shop.goods.asked(), 1);
    after(400).await;
    let late = shop.cup().await;
    assert_eq!((late.text(), late.status()), ("\"cup 2\"", "fwd=miss; stored; ttl=60"));
    let figures = shop.figures();
    assert_eq!((figures.hits, figures.misses, figures.holding.entries), (1, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn replies_are_cached_per_caller() {
    let shop = Shop::new();
    let callers = [None, Some(""), Some("acme"), Some("acme2"), Some("name=cup")];
    for (before, account) in callers.into_iter().enumerate() {
        let own = shop.call(account, "own", "name=cup", &[]).await;
        assert_eq!(own.text(), format!("\"cup {}\"", before + 1), "{account:?}");
    }
    for (before, account) in callers.into_iter().enumerate() {
        let own = shop.call(account, "own", "name=cup", &[]).await;
        assert_eq!(own.text(), format!("\"cup {}\"", before + 1), "{account:?}");
    }
    for account in callers {
        assert_eq!(
            shop.call(account, "all", r#"{"name":"cup"}"#, &[]).await.text(),
            "\"cup 6\"",
            "{account:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn key_depends_on_the_input_and_not_on_its_spelling() {
    let shop = Shop::new();
    for body in [r#"{"name":"cup","shelf":3}"#, r#"{ "shelf": 3, "name": "\u0063up" }"#] {
        assert_eq!(shop.call(None, "all", body, &[]).await.text(), "\"cup 1\"", "{body}");
    }
    for query in ["name=cup&shelf=3", "shelf=3&name=c%75p"] {
        assert_eq!(shop.call(None, "own", query, &[]).await.text(), "\"cup 2\"", "{query}");
    }
    for (before, query) in
        ["name=cup", "name=cup&shelf=4", "name=cup%26shelf=3"].into_iter().enumerate()
    {
        let answer = shop.call(None, "own", query, &[]).await;
        assert!(answer.text().ends_with(&format!(" {}\"", before + 3)), "{query}: {answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_reply_is_served_unchanged() {
    let shop = Shop::new();
    for method in ["picture", "ping", "open"] {
        let first = shop.call(None, method, "", &[]).await;
        let again = shop.call(None, method, "", &[]).await;
        assert_eq!((first.text(), again.cached), (again.text(), true), "{method}");
    }
    assert_eq!(shop.goods.asked(), 3);
    assert_eq!(
        shop.call(None, "open", "", &[]).await.header("cache-control"),
        Some("public, max-age=60")
    );
    assert_eq!(shop.call(None, "open", "", &[]).await.header("vary"), None);
    // A POST is not cacheable for others.
    assert_eq!(
        shop.call(None, "all", r#"{"name":"cup"}"#, &[]).await.header("cache-control"),
        None
    );
}

#[tokio::test(start_paused = true)]
async fn reply_that_cannot_be_stored_is_loaded_each_time() {
    let shop = Shop::new();
    for (method, status) in [("stream", None), ("plain", None), ("much", Some("gateway; fwd=miss"))]
    {
        for _ in 0..2 {
            let answer = shop.call(None, method, "", &[]).await;
            assert_eq!((answer.cached, answer.header("cache-status")), (false, status), "{method}");
        }
    }
    assert_eq!(shop.goods.asked(), 6);
    assert_eq!(shop.figures().holding.entries, 0);
}

#[tokio::test(start_paused = true)]
async fn failures_are_not_stored() {
    let shop = Shop::new();
    for code in [Code::NOT_FOUND, Code::PROVIDER_FAILED] {
        shop.goods.becomes(Mood::Fails(code));
        let failed = shop.cup().await;
        assert_eq!((failed.text.as_ref().unwrap_err(), failed.status()), (&code, "fwd=miss"));
        assert_eq!(failed.header("cache-control"), None);
    }
    shop.goods.becomes(Mood::Answers);
    assert_eq!(shop.cup().await.text(), "\"cup 3\"");
}

#[tokio::test(start_paused = true)]
async fn directives_of_the_client_are_honoured() {
    let shop = Shop::new();
    let asking = async |asks: &'static str| shop.call(None, "own", "name=cup", &[asks]).await;
    // Neither stored nor served from the cache.
    for number in 1..=2 {
        let answer = asking("no-store").await;
        assert_eq!((answer.text(), answer.status()), (&*format!("\"cup {number}\""), "fwd=bypass"));
    }
    assert_eq!(shop.cup().await.text(), "\"cup 3\"");
    let reloaded = asking("no-cache").await;
    assert_eq!((reloaded.text(), reloaded.status()), ("\"cup 4\"", "fwd=request; stored; ttl=60"));
    assert_eq!(shop.cup().await.text(), "\"cup 4\"");
    after(10).await;
    assert_eq!(asking("max-age=10").await.text(), "\"cup 4\"");
    assert_eq!(asking("max-age=9").await.status(), "fwd=request; stored; ttl=60");
    assert_eq!(shop.cup().await.text(), "\"cup 5\"");
    assert_eq!(asking("max-age=0, no-transform").await.text(), "\"cup 5\"");
    shop.goods.becomes(Mood::Fails(Code::PROVIDER_FAILED));
    after(1).await;
    assert_eq!(asking("no-cache").await.text.unwrap_err(), Code::PROVIDER_FAILED);
}

#[tokio::test(start_paused = true)]
async fn cache_can_be_disabled() {
    let shop = Shop::with(&CacheSettings { enabled: false, ..CacheSettings::default() });
    for number in 1..=2 {
        let answer = shop.cup().await;
        assert_eq!(
            (answer.text(), answer.header("cache-status")),
            (&*format!("\"cup {number}\""), None)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn websocket_shares_stored_replies_and_ignores_directives() {
    let shop = Shop::new();
    shop.cup().await;
    // With the fields that browsers send with the handshake.
    let answer = shop.call_by(Origin::WebSocket, None, "own", "name=cup", &["no-cache"]).await;
    assert_eq!((answer.text(), answer.cached), ("\"cup 1\"", true));
    assert!(answer.headers.is_empty());
}
