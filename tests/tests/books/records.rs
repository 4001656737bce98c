//! The request log.

use std::time::Duration;

use serde_json::json;

use super::till::Shop;

#[tokio::test]
async fn each_call_has_a_row_however_it_ended() {
    let shop = Shop::open().await;
    let trace = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    shop.look(&[("x-request-id", "mine"), trace]).await;
    shop.sell("k", "a", "well").await;
    shop.sell("k", "a", "well").await;
    shop.sell("l", "a", "sold-out").await;
    shop.send("sell", &[], &json!({})).await;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    let rows = loop {
        let rows = shop.books.recent_requests(10).await.unwrap();
        if rows.len() == 5 {
            break rows;
        }
        assert!(tokio::time::Instant::now() < deadline, "{rows:?}");
    };
    let told: Vec<_> = rows
        .iter()
        .rev()
        .map(|r| (&*r.method, r.status, r.code.as_deref(), r.fulfilled, r.replay))
        .collect();
    let expected = [
        ("look", 200, None, true, false),
        ("sell", 200, None, true, false),
        ("sell", 200, None, true, true),
        ("sell", 409, Some("sold-out"), false, false),
        ("sell", 400, Some("invalid-request"), false, false),
    ];
    assert_eq!(told, expected);
    let first = rows.last().unwrap();
    assert_eq!(
        (&*first.request_id, first.trace.as_deref()),
        ("mine", Some("4bf92f3577b34da6a3ce929d0e0e4736"))
    );
    assert_eq!((&*first.origin, &*first.service, first.version), ("http", "till", 1));
    assert_eq!(first.peer.as_deref(), Some("127.0.0.1"));
    assert!(first.duration > 0);
}

#[tokio::test]
async fn rows_of_all_replies_are_written_when_the_gateway_has_stopped() {
    let shop = Shop::open().await;
    for _ in 0..50 {
        assert_eq!(shop.look(&[]).await.status, 200);
    }
    let books = shop.stop().await;
    assert_eq!(books.recent_requests(100).await.unwrap().len(), 50);
}
