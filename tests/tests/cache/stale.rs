//! Stale replies.

use super::newsstand::{Street, until};

#[tokio::test]
async fn stale_reply_is_served_while_revalidating() {
    let street = Street::open("").await;
    street.get("rumours", "name=a").await;
    street.day.trouble("slow");
    let ask = async || street.get("rumours", "name=a").await;
    // A call after 200 ms does not wait 300 ms for the reply.
    until(ask, |_| street.day.made("a") == 2).await;
    let old = ask().await;
    assert_eq!((&*old.text, &*old.status), ("\"1\"", "hit; ttl=0"));
    let anew = until(ask, |paper| paper.text != "\"1\"").await;
    assert_eq!(anew.text, "\"2\"");
    assert_eq!(street.figures().collapsed, 0);
}

#[tokio::test]
async fn stale_reply_is_served_if_revalidation_fails() {
    let street =
        Street::open("[cache]\nstale_while_revalidate = '0s'\nstale_if_error = '1s'").await;
    street.get("rumours", "name=a").await;
    street.day.trouble("broken");
    let ask = async || street.get("rumours", "name=a").await;
    let old = until(ask, |paper| !paper.status.starts_with("hit")).await;
    assert_eq!((old.code, &*old.text), (200, "\"1\""));
    assert_eq!(old.status, "fwd=stale; ttl=0; fwd-status=502; detail=stale-if-error");
    let failed = until(ask, |paper| paper.code != 200).await;
    assert_eq!((failed.code, &*failed.status), (502, "fwd=miss"));
    assert!(street.figures().stale_if_error > 0);
}

#[tokio::test]
async fn row_says_whether_the_reply_came_from_the_cache() {
    let folder = std::env::temp_dir().join(format!("gateway-newsstand-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("books.db");
    let street = Street::open(&format!("store = {{ path = '{}' }}", path.display())).await;
    street.get("rumours", "name=a").await;
    street.get("rumours", "name=a").await;
    until(async || street.get("rumours", "name=a").await, |_| street.day.made("a") == 2).await;
    street.gateway.stop().await.unwrap();
    let books = gateway_runtime::store::Store::new(
        gateway_runtime::store::Sqlite::open(&path).await.unwrap(),
    );
    let rows = books.recent_requests(10_000).await.unwrap();
    let told: Vec<_> = rows.iter().rev().map(|row| (&*row.origin, row.cache_hit)).take(2).collect();
    assert_eq!(told, [("http", false), ("http", true)]);
    let anew: Vec<_> = rows.iter().filter(|row| row.origin == "cache").collect();
    assert!(anew.len() == 1 && !anew[0].cache_hit && anew[0].fulfilled, "{anew:?}");
    std::fs::remove_dir_all(folder).unwrap();
}
