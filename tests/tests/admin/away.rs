//! An unavailable database: the listener reports it within its time limit, and recovers without a
//! restart.

use std::time::{Duration, Instant};

use serde_json::json;

use super::house::House;
use crate::{database::Database, money::away::Server, volume::Volume};

/// The longest wait of a call for the database, with a margin for a busy machine.
const PATIENCE: Duration = Duration::from_secs(13);

#[tokio::test]
async fn listener_reports_the_loss_and_the_return_of_its_database() {
    let Some(server) = Server::start() else { return };
    let house = House::open(Database::at(&server.url)).await;
    let parts = |word: &str| json!({ "database": word });
    for (take_away, bring_back) in [("stop", "start"), ("freeze", "thaw")] {
        assert_eq!(house.ask("GET /readyz", None, &[]).await.when(200)["parts"], parts("ready"));
        server.run(take_away);
        let begun = Instant::now();
        assert_eq!(
            house.ask("GET /readyz", None, &[]).await.when(503)["parts"],
            parts("away"),
            "{take_away}"
        );
        assert!(begun.elapsed() < Duration::from_secs(4), "{take_away}: {:?}", begun.elapsed());
        house.ask("GET /healthz", None, &[]).await.when(200);
        let (key, account) = (format!("over {take_away}"), json!({ "id": take_away }));
        for _ in 0..2 {
            for call in [
                "GET /admin/changes",
                "GET /admin/requests?account=a&code=b",
                "GET /admin/margin",
                "POST /admin/accounts",
            ] {
                let begun = Instant::now();
                let answer = match call.starts_with("POST") {
                    true => house.once(&key, call, &account).await,
                    false => house.admin(call, None).await,
                };
                assert_eq!(answer.problem(), (503, "overloaded"), "{take_away}: {call}");
                assert_eq!(answer.body["retryable"], true);
                assert!(begun.elapsed() < PATIENCE, "{take_away}: {call}: {:?}", begun.elapsed());
            }
        }
        // Reads from memory need no database.
        house.admin("GET /admin/providers", None).await.when(200);
        house.admin("GET /admin/limits", None).await.when(200);
        server.run(bring_back);
        let deadline = Instant::now() + Duration::from_secs(30);
        while house.ask("GET /readyz", None, &[]).await.status != 200 {
            assert!(Instant::now() < deadline, "{bring_back}");
        }
        let deadline = Instant::now() + Duration::from_secs(40);
        loop {
            // The claim of a lost commit may have been written; its key is free again after the
            // lease.
            let answer = house.once(&key, "POST /admin/accounts", &account).await;
            if answer.status == 201 {
                break;
            }
            assert!(
                Instant::now() < deadline && [409, 503].contains(&answer.status),
                "{}",
                answer.text
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

#[tokio::test]
async fn incomplete_lists_are_refused_while_the_file_is_locked() {
    let house = House::open(Database::sqlite()).await;
    let key = house.customer("acme", "1").await;
    let settled = house.call("POST /buy", Some(&json!({})), &key).await;
    assert_eq!(settled.status, 200);
    let call = format!("GET /admin/requests/{}", settled.headers["x-request-id"].to_str().unwrap());
    let calls = [
        "GET /admin/accounts/acme/entries",
        "GET /admin/requests?account=acme",
        "GET /admin/margin",
        &*call,
    ];
    let lock = house.database.lock("entries").await;
    for call in calls {
        let begun = Instant::now();
        let answer = house.admin(call, None).await;
        assert_eq!(answer.problem(), (503, "overloaded"), "{call}");
        assert!(
            answer.body["retryable"] == true && begun.elapsed() < PATIENCE,
            "{call}: {:?}",
            begun.elapsed()
        );
    }
    // A write has failed, so there are rows to move.
    assert_eq!(house.call("POST /buy", Some(&json!({})), &key).await.problem().0, 503);
    assert_eq!(
        house.ask("GET /readyz", None, &[]).await.when(503)["parts"],
        json!({ "database": "locked" })
    );
    lock.release().await;
    let deadline = Instant::now() + Duration::from_secs(20);
    while house.ask("GET /readyz", None, &[]).await.status != 200 {
        assert!(Instant::now() < deadline);
    }
    for call in calls {
        house.admin(call, None).await.when(200);
    }
    let entries = house.admin(calls[0], None).await.when(200);
    assert_eq!(entries["items"].as_array().unwrap().len(), 2);
    // The row of the refused call is written a little later.
    while house.admin(calls[1], None).await.when(200)["items"].as_array().unwrap().len() < 2 {
        assert!(Instant::now() < deadline);
    }
    // Without rows to move, reading needs no lock.
    let lock = house.database.lock("entries").await;
    for call in calls {
        house.admin(call, None).await.when(200);
    }
    lock.release().await;
}

#[tokio::test]
async fn incomplete_lists_are_refused_while_the_volume_is_full() {
    let name = "admin::away::incomplete_lists_are_refused_while_the_volume_is_full";
    let Some(volume) = Volume::of(name, 8) else { return };
    let house = House::open(Database::sqlite()).await;
    let key = house.customer("acme", "1000").await;
    let settled = house.call("POST /buy", Some(&json!({})), &key).await;
    assert_eq!(settled.status, 200);
    let call = format!("GET /admin/requests/{}", settled.headers["x-request-id"].to_str().unwrap());
    let calls = [
        "GET /admin/accounts/acme/entries?limit=500",
        "GET /admin/requests?account=acme",
        "GET /admin/margin",
        &*call,
    ];
    volume.fill(0);
    let buy = async || house.call("POST /buy", Some(&json!({})), &key).await;
    let (mut sold, mut unknown) = (1, 0);
    let deadline = Instant::now() + Duration::from_secs(20);
    // Until the room of the write-ahead log is used up as well.
    let parts = loop {
        let answer = buy().await;
        sold += usize::from(answer.status == 200);
        unknown += usize::from(answer.status == 504);
        volume.fill(0);
        let ready = house.ask("GET /readyz", None, &[]).await;
        if ready.status == 503 {
            break ready.when(503)["parts"].clone();
        }
        assert!(
            [200, 503, 504].contains(&answer.status) && Instant::now() < deadline,
            "{}",
            answer.text
        );
    };
    assert_eq!(parts, json!({ "database": "full" }));
    for call in calls {
        let begun = Instant::now();
        let answer = house.admin(call, None).await;
        assert!(begun.elapsed() < PATIENCE, "{call}: {:?}", begun.elapsed());
        // Moving the latest rows may find room where a call does not; the list is then read
        // completely.
        if answer.status == 200 {
            let items = answer.body["items"].as_array();
            assert!(call != calls[0] || items.unwrap().len() > sold, "{}", answer.text);
        } else {
            assert_eq!(answer.problem(), (503, "overloaded"), "{call}");
            assert_eq!(answer.body["retryable"], true);
        }
    }
    // These reads write nothing.
    for call in ["GET /admin/accounts/acme", "GET /admin/changes", "GET /admin/holds"] {
        house.admin(call, None).await.when(200);
    }
    volume.make_room(2 << 20);
    let deadline = Instant::now() + Duration::from_secs(20);
    while house.ask("GET /readyz", None, &[]).await.status != 200 {
        assert!(Instant::now() < deadline);
    }
    for call in calls {
        house.admin(call, None).await.when(200);
    }
    let entries = house.admin("GET /admin/accounts/acme/entries?limit=500", None).await.when(200);
    let entries = entries["items"].as_array().unwrap().len();
    assert!(
        (sold + 1..=sold + unknown + 1).contains(&entries),
        "{entries}: {sold} sold, {unknown} unknown"
    );
    volume.fill(0);
    // Without rows to move, reading needs no room.
    for call in calls {
        house.admin(call, None).await.when(200);
    }
}
