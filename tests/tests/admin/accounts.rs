//! Accounts, their money, and idempotent creation.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::house::House;
use crate::database::{Database, each_database};

/// Parses an amount in units of 10⁻⁹.
fn nanos(amount: &Value) -> i128 {
    let text = amount.as_str().unwrap_or_else(|| panic!("money is a text: {amount}"));
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (units, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    sign * format!("{units}{fraction:0<9}").parse::<i128>().unwrap()
}

each_database! {
    async fn entries_of_an_account_add_up_to_its_balance(database: Database) {
        let house = House::open(database).await;
        let key = house.customer("acme", "1.000000001").await;
        for how in ["well", "well", "sold-out"] {
            house.call("POST /buy", Some(&json!({ "how": how })), &key).await;
        }
        let account = house.settled("acme").await;
        assert_eq!((&account["id"], &account["plan"]), (&json!("acme"), &json!("standard")));
        assert_eq!(
            account["balances"],
            json!([{ "currency": "USD", "available": "0.500000001", "held": "0" }])
        );
        let entries = house.admin("GET /admin/accounts/acme/entries", None).await.when(200);
        let items = entries["items"].as_array().unwrap();
        let amounts: Vec<_> = items.iter().map(|it| it["amount"].as_str().unwrap()).collect();
        assert_eq!(amounts, ["-0.25", "-0.25", "1.000000001"]);
        assert_eq!(
            items.iter().map(|it| nanos(&it["amount"])).sum::<i128>(),
            nanos(&account["balances"][0]["available"])
        );
        assert_eq!(items[2]["reference"], "first of acme");
        assert_eq!(entries["next"], Value::Null);
    }

    async fn contradicting_request_is_rejected_and_changes_nothing(database: Database) {
        let house = House::open(database).await;
        house.customer("acme", "1").await;
        let refused = async |call: &str, body: Value| {
            let answer = house.admin(call, Some(&body)).await;
            let (status, code) = answer.problem();
            (status, code.to_owned(), answer.body["errors"].as_array().map_or(0, Vec::len))
        };
        let credits = "POST /admin/accounts/acme/credits";
        let code = |code: &str| code.to_owned();
        let first = json!({ "amount": "1", "currency": "USD", "reference": "first of acme" });
        assert_eq!(house.admin(credits, Some(&first)).await.when(201)["repeated"], true);
        let other = json!({ "amount": "2", "currency": "USD", "reference": "first of acme" });
        assert_eq!(refused(credits, other).await, (409, code("conflict"), 0));
        let wrong = json!({ "amount": "-1", "currency": "usd", "refrence": "" });
        assert_eq!(refused(credits, wrong).await, (400, code("invalid-request"), 4));
        for amount in ["0", "0.0", "0.0000000001", "1e3", "1000000000", "", "١"] {
            let credit = json!({ "amount": amount, "currency": "USD", "reference": "r" });
            assert_eq!(
                refused(credits, credit).await,
                (400, code("invalid-request"), 1),
                "{amount}"
            );
        }
        let float = json!({ "amount": 1.5, "currency": "USD", "reference": "r" });
        assert_eq!(refused(credits, float).await, (400, code("invalid-request"), 1));
        assert_eq!(
            refused("POST /admin/accounts/nobody/credits", first).await,
            (404, code("not-found"), 0)
        );
        for call in ["GET /admin/accounts/nobody", "GET /admin/accounts/nobody/entries"] {
            assert_eq!(house.admin(call, None).await.problem(), (404, "not-found"));
        }
        assert_eq!(
            house.admin("POST /admin/accounts", Some(&json!({ "id": "acme" }))).await.status,
            201
        );
        let moved = json!({ "id": "acme", "plan": "gold" });
        assert_eq!(refused("POST /admin/accounts", moved).await, (409, code("conflict"), 0));
        let account = house.admin("GET /admin/accounts/acme", None).await.when(200);
        assert_eq!(
            account["balances"],
            json!([{ "currency": "USD", "available": "1", "held": "0" }])
        );
    }

    async fn idempotency_key_creates_once(database: Database) {
        let house = House::open(database).await;
        house.customer("acme", "1").await;
        let credit = json!({ "amount": "2", "currency": "EUR", "reference": "r" });
        let credits = "POST /admin/accounts/acme/credits";
        let first = house.once("k", credits, &credit).await;
        let again = house
            .once("\"k\"", credits, &json!({ "reference": "r", "currency": "EUR", "amount": "2" }))
            .await;
        assert_eq!((first.status, &first.text), (again.status, &again.text));
        assert_eq!(again.headers["idempotent-replayed"], "true");
        assert!(!first.headers.contains_key("idempotent-replayed"));
        let other = json!({ "amount": "3", "currency": "EUR", "reference": "r" });
        assert_eq!(house.once("k", credits, &other).await.problem(), (422, "idempotency-mismatch"));
        // The same key for another account is another request.
        assert_eq!(
            house.once("k", "POST /admin/accounts/b/credits", &credit).await.problem(),
            (422, "idempotency-mismatch")
        );
        // A rejected request does not use its key up.
        assert_eq!(
            house.once("l", "POST /admin/accounts/b/credits", &credit).await.problem(),
            (404, "not-found")
        );
        house.once("m", "POST /admin/accounts", &json!({ "id": "b" })).await.when(201);
        house.once("l", "POST /admin/accounts/b/credits", &credit).await.when(201);
        let bad = house.once("é", credits, &credit).await;
        assert_eq!(bad.problem(), (400, "invalid-request"));
    }

    async fn pages_of_entries_neither_repeat_nor_lose_any(database: Database) {
        let house = House::open(database).await;
        house.customer("acme", "1").await;
        let credit = async |number: u32| {
            let body = json!({ "amount": "1", "currency": "USD", "reference": number.to_string() });
            house.admin("POST /admin/accounts/acme/credits", Some(&body)).await.when(201);
        };
        for number in 0..25 {
            credit(number).await;
        }
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let from = after.map(|after: String| format!("&after={after}")).unwrap_or_default();
            let page = house
                .admin(&format!("GET /admin/accounts/acme/entries?limit=4{from}"), None)
                .await
                .when(200);
            let items = page["items"].as_array().unwrap();
            seen.extend(items.iter().map(|it| it["reference"].as_str().unwrap().to_owned()));
            credit(100 + u32::try_from(seen.len()).unwrap()).await;
            match page["next"].as_str() {
                Some(next) => after = Some(next.to_owned()),
                None => break,
            }
        }
        assert_eq!(seen.len(), 26);
        assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 26);
        assert_eq!((&*seen[0], &*seen[25]), ("24", "first of acme"));
    }
}
