//! A database that is away: the listener says so in time, and is well again without a restart.

use std::time::{Duration, Instant};

use serde_json::json;

use super::house::House;
use crate::{database::Database, money::away::Server, volume::Volume};

/// How long a call waits for the database at the most, and a little for this machine.
const PATIENCE: Duration = Duration::from_secs(13);

#[tokio::test]
async fn it_is_told_that_the_database_is_away_and_that_it_is_back() {
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
        // What the gateway keeps in memory goes on.
        house.admin("GET /admin/providers", None).await.when(200);
        house.admin("GET /admin/limits", None).await.when(200);
        server.run(bring_back);
        let deadline = Instant::now() + Duration::from_secs(30);
        while house.ask("GET /readyz", None, &[]).await.status != 200 {
            assert!(Instant::now() < deadline, "{bring_back}");
        }
        let deadline = Instant::now() + Duration::from_secs(40);
        loop {
            // The claim of a commit that was lost may have got through; it is free again after its lease.
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
async fn what_a_locked_file_does_not_give_whole_is_not_given() {
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
    // Somebody has tried to write, and could not.
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
    // The refused call's row is on its way.
    while house.admin(calls[1], None).await.when(200)["items"].as_array().unwrap().len() < 2 {
        assert!(Instant::now() < deadline);
    }
    // With nothing to move, reading needs no lock.
    let lock = house.database.lock("entries").await;
    for call in calls {
        house.admin(call, None).await.when(200);
    }
    lock.release().await;
}

#[tokio::test]
async fn what_a_full_volume_does_not_give_whole_is_not_given() {
    let name = "admin::away::what_a_full_volume_does_not_give_whole_is_not_given";
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
    // Until the room of the log is used up, too.
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
        // Moving what came last may find room where a call does not; then it is read whole.
        if answer.status == 200 {
            let items = answer.body["items"].as_array();
            assert!(call != calls[0] || items.unwrap().len() > sold, "{}", answer.text);
        } else {
            assert_eq!(answer.problem(), (503, "overloaded"), "{call}");
            assert_eq!(answer.body["retryable"], true);
        }
    }
    // What needs no writing is read.
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
    // With nothing to move, reading needs no room.
    for call in calls {
        house.admin(call, None).await.when(200);
    }
}
