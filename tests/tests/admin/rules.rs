//! Prices, limits and the switches of providers: changed at run time, and visible in the cost of
//! calls.

use serde_json::json;

use super::house::House;
use crate::database::{Database, each_database};

each_database! {
    async fn a_price_list_holds_for_the_next_call(database: Database) {
        let house = House::open(database).await;
        let key = house.customer("acme", "10").await;
        let paid = async || {
            house.call("POST /buy", Some(&json!({})), &key).await.headers["x-request-price"].clone()
        };
        assert_eq!(paid().await, "0.25");
        let priced = |price: &str, from: &str| json!({
            "effective_at": from,
            "prices": [{ "service": "booth", "version": 1, "method": "buy", "price": price }]
        });
        let list = priced("0.5 USD", "2020-01-01T00:00:00Z");
        let put = house.once("k", "PUT /admin/prices", &list).await.when(201);
        assert_eq!(put["prices"][0]["price"], "0.5 USD");
        assert_eq!(paid().await, "0.5");
        house.once("k", "PUT /admin/prices", &list).await.when(201);
        house
            .admin("PUT /admin/prices", Some(&priced("9 USD", "2999-01-01T00:00:00Z")))
            .await
            .when(201);
        assert_eq!(paid().await, "0.5");
        let lists = house.admin("GET /admin/prices", None).await.when(200);
        let told: Vec<_> = lists["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (&it["state"], &it["list"]["prices"][0]["price"]))
            .collect();
        assert_eq!(
            told,
            [(&json!("scheduled"), &json!("9 USD")), (&json!("effective"), &json!("0.5 USD"))],
            "{lists}"
        );
        let bad = json!({
            "effective_at": "soon",
            "prices": [{ "service": "booth", "version": 1, "method": "buy", "price": 1 }]
        });
        let bad = house.admin("PUT /admin/prices", Some(&bad)).await;
        assert_eq!(
            (bad.problem(), bad.body["errors"].as_array().unwrap().len()),
            ((400, "invalid-request"), 2)
        );
        let unknown = json!({ "effective_at": "2020-01-01T00:00:00Z", "prices": [
            { "service": "booth", "version": 2, "method": "buy", "price": "-1 USD" }] });
        let unknown = house.admin("PUT /admin/prices", Some(&unknown)).await;
        let pointers: Vec<_> = unknown.body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["pointer"].as_str().unwrap())
            .collect();
        assert_eq!(pointers, ["/prices/0", "/prices/0/price"], "{}", unknown.text);
    }

    async fn a_price_list_of_the_past_is_not_forgotten(database: Database) {
        let house = House::open(database).await;
        let listed = |from: &str, plan: Option<&str>| json!({
            "effective_at": from, "plan": plan, "prices": []
        });
        let (first, later) = ("2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z");
        for (from, plan) in
            [(first, None), (later, Some("gold")), (later, None), (later, None), (first, None)]
        {
            house.admin("PUT /admin/prices", Some(&listed(from, plan))).await.when(201);
            // Changes of other kinds come in between.
            house.admin("PUT /admin/limits", Some(&json!({}))).await.when(200);
        }
        let (mut told, mut after) = (Vec::new(), String::new());
        loop {
            let page =
                house.admin(&format!("GET /admin/prices?limit=2{after}"), None).await.when(200);
            let items = page["items"].as_array().unwrap().clone();
            assert!(items.len() <= 2, "{page}");
            told.extend(items);
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        let told: Vec<_> = told
            .iter()
            .map(|it| {
                (
                    it["state"].as_str().unwrap(),
                    it["list"]["effective_at"].as_str().unwrap(),
                    it["list"]["plan"].as_str(),
                )
            })
            .collect();
        let expected = [
            ("superseded", first, None),
            ("effective", later, None),
            ("superseded", later, None),
            ("effective", later, Some("gold")),
            ("superseded", first, None),
        ];
        assert_eq!(told, expected);
    }

    async fn limits_hold_for_the_next_call(database: Database) {
        let house = House::open(database).await;
        let key = house.customer("acme", "10").await;
        assert_eq!(house.admin("GET /admin/limits", None).await.when(200)["set"], false);
        let limits = json!({ "accounts": { "acme": { "methods": { "booth/v1/look": "2/h" } } } });
        let set = house.admin("PUT /admin/limits", Some(&limits)).await.when(200);
        assert_eq!(
            set["limits"]["accounts"]["acme"]["methods"]["booth/v1/look"]["rate"], "2/h",
            "{set}"
        );
        assert_eq!(house.admin("GET /admin/limits", None).await.when(200), set);
        let mut statuses = Vec::new();
        for _ in 0..3 {
            statuses.push(house.call("GET /look", None, &key).await.status);
        }
        assert_eq!(statuses, [200, 200, 429]);
        let unknown = json!({ "methods": { "booth/v1/lok": "2/h" } });
        assert_eq!(
            house.admin("PUT /admin/limits", Some(&unknown)).await.problem(),
            (400, "invalid-request")
        );
        assert_eq!(
            house.admin("PUT /admin/limits", Some(&json!({ "total": "many" }))).await.problem().0,
            400
        );
    }

    async fn providers_are_switched_one_by_one(database: Database) {
        let house = House::open(database).await;
        let key = house.customer("acme", "10").await;
        let provider = async || {
            let all = house.admin("GET /admin/providers", None).await.when(200);
            let mut items = all["items"].as_array().unwrap().clone();
            items.retain(|it| it["name"] == "booth_supplier");
            items.remove(0)
        };
        assert_eq!(house.call("GET /stock", None, &key).await.when(200), json!(7));
        let before = provider().await;
        assert_eq!((&before["health"], &before["enabled"]), (&json!("ready"), &json!(true)));
        let method = &before["methods"][0];
        assert_eq!(
            (&method["cost"], &method["breaker"], &method["share"]),
            (&json!("0.1 USD"), &json!("closed"), &json!(1.0))
        );
        assert_eq!(method["attempts"], json!({ "fulfilled": 1 }));
        let off = house
            .admin("PATCH /admin/providers/booth_supplier", Some(&json!({ "enabled": false })))
            .await
            .when(200);
        assert_eq!((&off["enabled"], &off["health"]), (&json!(false), &json!("disabled")));
        assert_eq!(house.call("GET /stock", None, &key).await.problem(), (503, "no-provider"));
        let weighed = json!({ "weight": 3, "order": -1 });
        let weighed =
            house.admin("PATCH /admin/providers/booth_supplier", Some(&weighed)).await.when(200);
        assert_eq!(
            (&weighed["enabled"], &weighed["weight"], &weighed["order"]),
            (&json!(false), &json!(3), &json!(-1))
        );
        house
            .admin("PATCH /admin/providers/booth_supplier", Some(&json!({ "enabled": true })))
            .await
            .when(200);
        assert_eq!(house.call("GET /stock", None, &key).await.status, 200);
        let nobody =
            house.admin("PATCH /admin/providers/nobody", Some(&json!({ "enabled": true }))).await;
        assert_eq!(nobody.problem(), (404, "not-found"));
        // An empty change is accepted and changes nothing.
        house.admin("PATCH /admin/providers/booth_supplier", Some(&json!({}))).await.when(200);
        let wrong = json!({ "weight": -1, "enable": true });
        let wrong = house.admin("PATCH /admin/providers/booth_supplier", Some(&wrong)).await;
        assert_eq!(wrong.body["errors"].as_array().unwrap().len(), 2, "{}", wrong.text);
        let changes = house.admin("GET /admin/changes?limit=3", None).await.when(200);
        let documents: Vec<_> =
            changes["items"].as_array().unwrap().iter().map(|it| &it["document"]).collect();
        assert_eq!(documents[0], &json!({ "enabled": true, "weight": 3, "order": -1 }));
        assert_eq!(
            (&changes["items"][0]["kind"], &changes["items"][0]["who"]),
            (&json!("provider"), &json!("admin"))
        );
    }
}
