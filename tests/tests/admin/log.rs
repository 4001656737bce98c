//! The request log, the margin, holds with unknown outcome, and metrics.

use serde_json::{Value, json};

use super::house::{Answer, House};
use crate::database::{Database, each_database};

/// Returns the items of a list, as soon as there are `count` of them.
async fn items(house: &House, call: &str, count: usize) -> Vec<Value> {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let page = house.admin(call, None).await.when(200);
        let items = page["items"].as_array().unwrap();
        if items.len() == count {
            return items.clone();
        }
        assert!(tokio::time::Instant::now() < deadline, "{call}: {page}");
    }
}

fn request_id(answer: &Answer) -> String {
    answer.headers["x-request-id"].to_str().unwrap().to_owned()
}

fn nanos(amount: &Value) -> i64 {
    let amount = amount.as_str().map_or("0", |amount| amount.trim_start_matches('-'));
    let (units, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    format!("{units}{fraction:0<9}").parse().unwrap()
}

/// Asserts that the charges of the ledger, the prices of the rows and the margin have the same sum.
async fn agree(house: &House) {
    let sum = |page: &Value, name: &str, counts: &dyn Fn(&Value) -> bool| -> i64 {
        assert!(page["next"].is_null());
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|it| counts(it))
            .map(|it| nanos(&it[name]))
            .sum()
    };
    let entries = house.admin("GET /admin/accounts/acme/entries?limit=500", None).await.when(200);
    let is_charge = |it: &Value| it["amount"].as_str().unwrap().starts_with('-');
    let charged = sum(&entries, "amount", &is_charge);
    let rows = house.admin("GET /admin/requests?account=acme&limit=500", None).await.when(200);
    let margin = house.admin("GET /admin/margin?account=acme", None).await.when(200);
    assert_eq!(
        (sum(&rows, "price", &|_| true), sum(&margin, "price", &|_| true)),
        (charged, charged)
    );
    for entry in entries["items"].as_array().unwrap().iter().filter(|it| is_charge(it)) {
        let row = house
            .admin(&format!("GET /admin/requests/{}", entry["reference"].as_str().unwrap()), None)
            .await;
        assert_eq!(nanos(&row.when(200)["price"]), nanos(&entry["amount"]));
    }
}

each_database! {
    async fn a_request_is_found_with_its_attempts(database: Database) {
        let house = House::open(database).await;
        let key = house.customer("acme", "10").await;
        let stock = house.call("GET /stock", None, &key).await;
        house.call("POST /buy", Some(&json!({ "how": "sold-out" })), &key).await;
        house.call("POST /buy", Some(&json!({})), "gk_0123456789abcdef_0123456789abcdef").await;
        let all = items(&house, "GET /admin/requests", 3).await;
        let codes: Vec<_> = all.iter().map(|it| it["code"].as_str()).collect();
        assert_eq!(codes, [Some("unauthenticated"), Some("not-found"), None]);
        let found = items(
            &house,
            "GET /admin/requests?account=acme&method=stock&min_cost=0.1&fulfilled=true",
            1,
        )
        .await;
        let found = &found[0];
        let told = [
            ("service", json!("booth")),
            ("version", json!(1)),
            ("status", json!(200)),
            ("origin", json!("http")),
            ("provider", json!("booth_supplier")),
            ("cost", json!("0.1")),
            ("cost_currency", json!("USD")),
            ("price", Value::Null),
            ("replay", json!(false)),
            ("cache_hit", json!(false)),
            ("peer", json!("127.0.0.1")),
        ];
        for (name, value) in told {
            assert_eq!(found[name], value, "{name}: {found}");
        }
        for id in [request_id(&stock), found["id"].as_str().unwrap().to_owned()] {
            let whole = house.admin(&format!("GET /admin/requests/{id}"), None).await.when(200);
            assert_eq!(whole["id"], found["id"]);
            let attempt = &whole["attempts"][0];
            assert_eq!(
                (&attempt["provider"], &attempt["class"]),
                (&json!("booth_supplier"), &json!("fulfilled"))
            );
            assert_eq!(
                (&attempt["cost"], whole["attempts"].as_array().unwrap().len()),
                (&json!("0.1 USD"), 1)
            );
        }
        assert_eq!(
            house.admin("GET /admin/requests/none", None).await.problem(),
            (404, "not-found")
        );
        let wrong = "GET /admin/requests?min_cost=1e3&status=99&since=yesterday&origin=mail&\
            acount=a&limit=501";
        let wrong = house.admin(wrong, None).await;
        assert_eq!(
            (wrong.problem(), wrong.body["errors"].as_array().unwrap().len()),
            ((400, "invalid-request"), 6)
        );
    }

    async fn pages_of_requests_neither_repeat_nor_lose_any(database: Database) {
        let house = House::open(database).await;
        let key = house.customer("acme", "10").await;
        for _ in 0..20 {
            house.call("GET /look", None, &key).await;
        }
        items(&house, "GET /admin/requests?account=acme", 20).await;
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = house
                .admin(&format!("GET /admin/requests?account=acme&limit=3{after}"), None)
                .await
                .when(200);
            seen.extend(
                page["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|it| it["id"].as_str().unwrap().to_owned()),
            );
            house.call("GET /look", None, &key).await;
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(seen.len(), 20);
        assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "{seen:?}");
    }

    async fn margin_is_price_less_cost(database: Database) {
        let house = House::open(database).await;
        let key = house.customer("acme", "10").await;
        for _ in 0..3 {
            house.call("POST /buy", Some(&json!({})), &key).await;
            house.call("GET /stock", None, &key).await;
        }
        items(&house, "GET /admin/requests?account=acme", 6).await;
        let all = house.admin("GET /admin/margin", None).await.when(200);
        let whole = json!([{
            "currency": "USD", "price": "0.75", "cost": "0.3", "margin": "0.45",
            "paid": 3, "cost_unknown": 0
        }]);
        assert_eq!(all["items"], whole);
        let today = chrono::Utc::now().format("%Y-%m-%d").to_string();
        let by = house
            .admin("GET /admin/margin?by=method,provider,day&account=acme", None)
            .await
            .when(200);
        let rows: Vec<_> = by["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| {
                assert!(it["day"] == today.as_str() || it["day"].is_string());
                (
                    it["method"].as_str().unwrap(),
                    it["provider"].as_str(),
                    it["margin"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(rows, [("buy", None, "0.75"), ("stock", Some("booth_supplier"), "-0.3")]);
        let none =
            house.admin("GET /admin/margin?since=2999-01-01T00:00:00Z", None).await.when(200);
        assert_eq!(none["items"], json!([]));
        for wrong in ["by=month", "by=day,day", "by="] {
            assert_eq!(
                house.admin(&format!("GET /admin/margin?{wrong}"), None).await.problem().0,
                400,
                "{wrong}"
            );
        }
    }

    async fn hold_with_unknown_outcome_stays_until_an_operator_settles_it(database: Database) {
        let house = House::open(database).await;
        let key = house.customer("acme", "1").await;
        for _ in 0..2 {
            house.call("POST /buy", Some(&json!({ "how": "lost" })), &key).await;
        }
        let held = items(&house, "GET /admin/holds?unknown=true", 2).await;
        assert_eq!((&held[0]["amount"], &held[0]["account"]), (&json!("0.25"), &json!("acme")));
        let settle = |place: usize| {
            format!("POST /admin/holds/{}/settle", held[place]["call"].as_str().unwrap())
        };
        let much = house.admin(&settle(0), Some(&json!({ "charge": "0.26" }))).await;
        assert_eq!(
            (much.problem().0, &much.body["errors"][0]["pointer"]),
            (400, &json!("/charge"))
        );
        for wrong in [
            json!({}),
            json!({ "release": false }),
            json!({ "charge": "0.1", "release": true }),
            json!({ "charge": -1 }),
        ] {
            assert_eq!(house.admin(&settle(0), Some(&wrong)).await.problem().0, 400, "{wrong}");
        }
        let charged = house.admin(&settle(0), Some(&json!({ "charge": "0.05" }))).await.when(201);
        assert_eq!(charged, json!({ "charged": "0.05", "currency": "USD" }));
        house.admin(&settle(1), Some(&json!({ "release": true }))).await.when(201);
        for place in [0, 1] {
            assert_eq!(
                house.admin(&settle(place), Some(&json!({ "release": true }))).await.problem().0,
                404
            );
        }
        let account = house.settled("acme").await;
        assert_eq!(account["balances"][0]["available"], "0.95");
        let entries = house.admin("GET /admin/accounts/acme/entries", None).await.when(200);
        assert_eq!(
            (&entries["items"][0]["amount"], &entries["items"][0]["reference"]),
            (&json!("-0.05"), &held[0]["call"])
        );
        items(&house, "GET /admin/holds", 0).await;
    }

    async fn row_margin_and_ledger_agree_after_each_action(database: Database) {
        let house = House::open(database).await;
        let key = house.customer("acme", "10").await;
        let mut calls = 0;
        for how in ["well", "sold-out", "lost", "lost", "lost", "well"] {
            house.call("POST /buy", Some(&json!({ "how": how })), &key).await;
            calls += 1;
            items(&house, "GET /admin/requests?account=acme", calls).await;
            agree(&house).await;
        }
        let credit = json!({ "amount": "1", "currency": "USD", "reference": "more" });
        house.admin("POST /admin/accounts/acme/credits", Some(&credit)).await.when(201);
        agree(&house).await;
        let held = items(&house, "GET /admin/holds?unknown=true", 3).await;
        assert_eq!(
            (&held[0]["service"], &held[0]["method"], &held[0]["origin"]),
            (&json!("booth"), &json!("buy"), &json!("http"))
        );
        let decisions = [
            (json!({ "charge": "0.05" }), "0.05"),
            (json!({ "release": true }), "0"),
            (json!({ "charge": "0.25" }), "0.25"),
        ];
        for (hold, (decision, price)) in held.iter().zip(decisions) {
            let call = hold["call"].as_str().unwrap();
            house
                .admin(&format!("POST /admin/holds/{call}/settle"), Some(&decision))
                .await
                .when(201);
            let row = house.admin(&format!("GET /admin/requests/{call}"), None).await.when(200);
            assert_eq!(
                (&row["price"], &row["currency"], &row["code"]),
                (&json!(price), &json!("USD"), &json!("outcome-unknown"))
            );
            assert_eq!(
                (&row["request_id"], &row["account"]),
                (&hold["request_id"], &hold["account"])
            );
            agree(&house).await;
        }
        let found = items(
            &house,
            "GET /admin/requests?min_price=0.05&max_price=0.05&code=outcome-unknown&currency=USD",
            1,
        )
        .await;
        assert_eq!(found[0]["id"], held[0]["call"]);
        let margin = house.admin("GET /admin/margin", None).await.when(200);
        assert_eq!(
            (&margin["items"][0]["price"], &margin["items"][0]["paid"]),
            (&json!("0.8"), &json!(4))
        );
        assert_eq!(house.settled("acme").await["balances"][0]["available"], "10.2");
    }

    async fn metrics_count_calls_and_attempts(database: Database) {
        let house = House::open(database).await;
        let key = house.customer("acme", "10").await;
        house.call("GET /stock", None, &key).await;
        house.call("POST /buy", Some(&json!({ "how": "sold-out" })), &key).await;
        house.call("GET /look", None, "gk_0123456789abcdef_0123456789abcdef").await;
        let answer = house.ask("GET /metrics", None, &[]).await;
        assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        for line in [
            "gateway_calls_total{service=\"booth\",version=\"1\",method=\"stock\",code=\"ok\",\
             status=\"200\"} 1",
            "gateway_calls_total{service=\"booth\",version=\"1\",method=\"buy\",code=\"not-found\",\
             status=\"404\"} 1",
            "gateway_calls_total{service=\"booth\",version=\"1\",method=\"look\",\
             code=\"unauthenticated\",status=\"401\"} 1",
            "gateway_call_duration_seconds_bucket{service=\"booth\",version=\"1\",method=\"stock\",\
             le=\"+Inf\"} 1",
            "gateway_call_duration_seconds_count{service=\"booth\",version=\"1\",method=\"stock\"} \
             1",
            "gateway_breaker_state{provider=\"booth_supplier\",capability=\"Supply\",\
             method=\"stock\"} 0",
            "gateway_calls_total{service=\"booth\",version=\"1\",method=\"stock\",code=\"timeout\",\
             status=\"504\"} 0",
            "gateway_calls_in_flight{service=\"booth\",version=\"1\",method=\"buy\"} 0",
            "gateway_provider_state{provider=\"booth_supplier\",capability=\"Supply\",\
             method=\"stock\",state=\"closed\"} 1",
            "gateway_provider_state{provider=\"booth_supplier\",capability=\"Supply\",\
             method=\"stock\",state=\"open\"} 0",
            "gateway_attempt_duration_seconds_count{provider=\"booth_supplier\",\
             capability=\"Supply\",method=\"stock\"} 1",
            "gateway_attempts_total{provider=\"booth_supplier\",capability=\"Supply\",\
             method=\"stock\",class=\"not-sent\"} 0",
            "# TYPE gateway_price_charged_total counter",
            "# TYPE gateway_connections_open gauge",
            "# TYPE process_cpu_seconds_total counter",
            "gateway_quota_local_total 0",
            "gateway_store_unwritten 0",
            "gateway_draining 0",
            "# TYPE gateway_call_duration_seconds histogram",
        ] {
            assert!(answer.text.lines().any(|it| it == line), "{line}\n{}", answer.text);
        }
        assert!(answer.text.contains("class=\"fulfilled\"} 1"), "{}", answer.text);
    }

    async fn metrics_show_money_and_providers_that_are_out(database: Database) {
        let house = House::open(database).await;
        let key = house.customer("acme", "10").await;
        house.call("POST /buy", Some(&json!({})), &key).await.when(200);
        house.call("GET /stock", None, &key).await.when(200);
        let switch = json!({ "enabled": false });
        house.admin("PATCH /admin/providers/booth_supplier", Some(&switch)).await.when(200);
        let accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2";
        let answer = house.ask("GET /metrics", None, &[("accept", accept)]).await;
        assert_eq!(
            answer.headers["content-type"],
            "application/openmetrics-text; version=1.0.0; charset=utf-8"
        );
        for line in [
            "# TYPE gateway_calls counter",
            "gateway_price_charged_total{service=\"booth\",version=\"1\",method=\"buy\",\
             currency=\"USD\"} 0.25",
            "gateway_cost_total{service=\"booth\",version=\"1\",method=\"stock\",currency=\"USD\"} \
             0.1",
            "gateway_cost_unknown_total{service=\"booth\",version=\"1\",method=\"stock\"} 0",
            "gateway_provider_state{provider=\"booth_supplier\",capability=\"Supply\",\
             method=\"stock\",state=\"disabled\"} 1",
            "gateway_provider_state{provider=\"booth_supplier\",capability=\"Supply\",\
             method=\"stock\",state=\"closed\"} 0",
            "gateway_provider_enabled{provider=\"booth_supplier\"} 0",
        ] {
            assert!(answer.text.lines().any(|it| it == line), "{line}\n{}", answer.text);
        }
        assert!(answer.text.ends_with("\n# EOF\n"));
    }

    async fn views_show_requests_attempts_and_entries(database: Database) {
        let house = House::open(database).await;
        let key = house.customer("acme", "10.5").await;
        house.call("POST /buy", Some(&json!({})), &key).await.when(200);
        house.call("GET /stock", None, &key).await.when(200);
        house.settled("acme").await;
        // Rows that no call waits for are written a little later.
        items(&house, "GET /admin/requests?account=acme", 2).await;
        let texts = async |query: &str| house.database.texts(query).await;
        let requests = "SELECT method || ' ' || status || ' ' || coalesce(CAST(price AS TEXT), \
            '-') || ' '
            || coalesce(currency, '-') || ' ' || coalesce(CAST(cost AS TEXT), '-') || ' ' || \
            coalesce(provider, '-')
            FROM gateway_requests WHERE account = 'acme' AND duration_us > 0 ORDER BY id";
        assert_eq!(
            texts(requests).await,
            ["buy 200 0.25 USD - -", "stock 200 - - 0.1 booth_supplier"]
        );
        let attempts = "SELECT CAST(number AS TEXT) || ' ' || provider || ' ' || method || ' ' || \
            class || ' '
            || CAST(cost AS TEXT) || ' ' || cost_currency FROM gateway_attempts WHERE latency_us \
            >= 0";
        assert_eq!(texts(attempts).await, ["1 booth_supplier stock fulfilled 0.1 USD"]);
        let entries = "SELECT kind || ' ' || CAST(amount AS TEXT) || ' ' || currency FROM \
            gateway_entries ORDER BY kind";
        assert_eq!(texts(entries).await, ["charge -0.25 USD", "credit 10.5 USD"]);
        let days =
            texts("SELECT DISTINCT substr(CAST(at AS TEXT), 1, 4) FROM gateway_requests").await;
        assert!(
            days.iter().all(|year| year.parse::<u32>().is_ok_and(|year| year >= 2026)),
            "{days:?}"
        );
    }
}
