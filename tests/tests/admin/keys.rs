//! The API keys of clients.

use serde_json::{Value, json};

use super::house::House;
use crate::database::{Database, each_database};

each_database! {
    async fn api_key_is_valid_until_it_is_revoked(database: Database) {
        let house = House::open(database).await;
        let key = house.customer("acme", "1").await;
        for _ in 0..3 {
            assert_eq!(house.call("GET /look", None, &key).await.when(200), json!("acme"));
        }
        let id = key.split('_').nth(1).unwrap();
        // Another account cannot revoke it.
        house.admin("POST /admin/accounts", Some(&json!({ "id": "other" }))).await.when(201);
        assert_eq!(
            house.admin(&format!("DELETE /admin/accounts/other/keys/{id}"), None).await.problem().0,
            404
        );
        assert_eq!(house.call("GET /look", None, &key).await.status, 200);
        let gone = house.admin(&format!("DELETE /admin/accounts/acme/keys/{id}"), None).await;
        assert_eq!((gone.status, &*gone.text), (204, ""));
        assert_eq!(house.call("GET /look", None, &key).await.problem(), (401, "unauthenticated"));
        assert_eq!(
            house.admin(&format!("DELETE /admin/accounts/acme/keys/{id}"), None).await.problem().0,
            404
        );
    }

    async fn secret_of_an_api_key_is_returned_once_and_stored_nowhere(database: Database) {
        let house = House::open(database).await;
        house.admin("POST /admin/accounts", Some(&json!({ "id": "acme" }))).await.when(201);
        let order = json!({ "scopes": ["a", "b"], "expires": "2999-01-01T00:00:00Z" });
        let keys = "POST /admin/accounts/acme/keys";
        let made = house.once("k", keys, &order).await.when(201);
        assert_eq!(
            (&made["scopes"], &made["expires"]),
            (&json!(["a", "b"]), &json!("2999-01-01T00:00:00.000000Z"))
        );
        // The same token and idempotency key receive the same response again.
        assert_eq!(house.once("k", keys, &order).await.when(201), made);
        let key = made["key"].as_str().unwrap();
        assert_eq!(house.call("GET /look", None, key).await.status, 200);
        let other = house.once("l", keys, &order).await.when(201);
        assert_ne!((&other["id"], &other["key"]), (&made["id"], &made["key"]));
        // Without an idempotency key each request creates an API key.
        let two = [
            house.admin(keys, Some(&json!({}))).await.when(201),
            house.admin(keys, Some(&json!({}))).await.when(201),
        ];
        assert_ne!(two[0]["id"], two[1]["id"]);
        for made in two {
            assert_eq!(
                house.call("GET /look", None, made["key"].as_str().unwrap()).await.status,
                200
            );
        }
        let changes = house.admin("GET /admin/changes", None).await.when(200);
        let secret = key.rsplit_once('_').unwrap().1;
        assert!(!changes.to_string().contains(secret));
        let kinds: Vec<_> =
            changes["items"].as_array().unwrap().iter().map(|it| it["kind"].clone()).collect();
        assert_eq!(kinds, ["key", "key", "key", "key", "account"].map(Value::from));
        let past = json!({ "expires": "2020-01-01T00:00:00Z" });
        let past = house.admin(keys, Some(&past)).await.when(201);
        assert_eq!(house.call("GET /look", None, past["key"].as_str().unwrap()).await.status, 401);
    }
}
