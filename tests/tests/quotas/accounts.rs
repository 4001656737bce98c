//! Limits by plan and by account, and limits that change while the gateway runs.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use gateway_runtime::{
    prelude::*,
    provider::HttpResponse,
    store::{ChangeKind, Command, OperatorChange, Store},
};

use super::meter::{Metered, SETTINGS};
use crate::database::Database;

const SECRET: &str = "a-secret-of-customers";

fn settings(database: &Database, quota: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, SECRET.as_bytes());
    let hash: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let keys = ["acme", "gilt", "plain"]
        .map(|name| format!("{name} = {{ hash = '{hash}', account = '{name}' }}"));
    format!("quota = {{ {quota} }}\nauth.keys = {{ {} }}\n{}", keys.join(", "), database.section())
}

async fn open(books: &Store) {
    let open = |account: &str, plan: &str| Command::OpenAccount {
        account: account.into(),
        plan: plan.into(),
        at: 1,
        who: "a test".into(),
    };
    books
        .commit(&[open("acme", "gold"), open("gilt", "gold"), open("plain", "standard")])
        .await
        .unwrap();
}

async fn get(metered: &Metered, account: &str) -> HttpResponse {
    let request =
        metered.http.get(metered.url("many")).header("x-api-key", format!("gk_{account}_{SECRET}"));
    request.send_any().await.unwrap()
}

async fn admitted(metered: &Metered, account: &str) -> usize {
    let mut admitted = 0;
    while get(metered, account).await.status() == 200 {
        admitted += 1;
    }
    admitted
}

#[tokio::test]
async fn limit_of_an_account_precedes_its_plans_and_the_general_one() {
    let database = Database::sqlite();
    let quota = "total = '2/day', services = { meter = '50/day' }, \
                 plans = { gold = { total = '4/day', services = { meter = '3/day' } } }, \
                 accounts = { acme = { services = { meter = '9/day' } } }";
    open(&database.books().await).await;
    let metered = Metered::with(&settings(&database, quota)).await;
    let policies =
        async |account| get(&metered, account).await.header("ratelimit-policy").unwrap().to_owned();
    // Each policy by itself: the account has no `total`, so its plan's applies.
    assert_eq!(policies("acme").await, "\"total\";q=4;w=86400, \"meter\";q=9;w=86400");
    assert_eq!(policies("gilt").await, "\"total\";q=4;w=86400, \"meter\";q=3;w=86400");
    assert_eq!(policies("plain").await, "\"total\";q=2;w=86400, \"meter\";q=50;w=86400");
    assert_eq!((admitted(&metered, "acme").await, admitted(&metered, "gilt").await), (3, 2));
    assert_eq!(admitted(&metered, "plain").await, 1);
}

#[tokio::test]
async fn configured_limits_of_plans_hold_before_anything_was_ever_set() {
    let database = Database::sqlite();
    let quota = "total = '2/day', plans = { gold = { total = '4/day' } }";
    let metered = Metered::with(&settings(&database, quota)).await;
    // Opening an account is a change, and sets no limits.
    open(&database.books().await).await;
    assert_eq!((admitted(&metered, "gilt").await, admitted(&metered, "plain").await), (4, 2));
}

#[tokio::test]
async fn limits_change_while_calls_go_on_and_buckets_stay() {
    let database = Database::sqlite();
    let books = database.books().await;
    open(&books).await;
    let metered = Metered::with(&settings(&database, "total = '6/day'")).await;
    for _ in 0..3 {
        assert_eq!(get(&metered, "gilt").await.status(), 200);
    }
    assert_eq!(admitted(&metered, "plain").await, 6);
    let document = r#"{
        "total": "6/day",
        "plans": {"gold": {"total": "12/day"}},
        "accounts": {"acme": {"total": "1/day"}}
    }"#;
    let who: Arc<str> = "a test".into();
    let edit = OperatorChange {
        at: 1,
        who,
        kind: ChangeKind::Limits,
        subject: "".into(),
        document: document.to_owned(),
    };
    books.commit(&[Command::OperatorChange(edit)]).await.unwrap();
    let changed = Instant::now();
    // Refused calls take no token, so polling is free.
    while get(&metered, "plain").await.header("ratelimit-policy") == Some("\"total\";q=6;w=86400")
        && get(&metered, "acme").await.header("ratelimit-policy") != Some("\"total\";q=1;w=86400")
    {
        assert!(changed.elapsed() < Duration::from_secs(20), "the limits are still the old ones");
    }
    // The bucket was half full, and stays half full.
    let answer = get(&metered, "gilt").await;
    assert_eq!(answer.header("ratelimit-policy"), Some("\"total\";q=12;w=86400"));
    assert!(
        answer.header("ratelimit").unwrap().starts_with("\"total\";r=5;"),
        "{:?}",
        answer.header("ratelimit")
    );
    assert_eq!(get(&metered, "plain").await.status(), 429);
}

#[tokio::test]
async fn limits_of_unknown_names_are_reported_at_start() {
    let quota = "quota = { services = { metre = '1/s' }, plans = { gold = { methods = { \
        'meter/v1/fw' = '1/s' } } } }";
    let error =
        Gateway::from_toml(&format!("{SETTINGS}{quota}")).unwrap().start().await.unwrap_err();
    let [service, method] = error.problems() else { panic!("{error}") };
    assert!(service.contains("`services.metre`") && service.contains("`meter`"), "{service}");
    assert!(
        method.contains("`plans.gold.methods.meter/v1/fw`") && method.contains("`meter/v1/few`"),
        "{method}"
    );
}
