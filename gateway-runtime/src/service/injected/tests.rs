//! Injected values: their messages, and the keys of an author's Redis.

use crate::{
    redis::Redis,
    service::app::{App, FromApp},
};

#[test]
fn missing_redis_is_reported_with_the_settings_to_make() {
    let error = Redis::from_app(&App::default().scope("services.chat")).unwrap_err().to_string();
    assert!(
        error.contains("`services.chat` requires `Redis`") && error.contains("REDIS_HOST"),
        "{error}"
    );
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn authors_keys_are_apart_from_the_gateways() {
    let Some(redis) = crate::redis::tests::own_redis().await else { return };
    let mut app = App::default();
    app.insert(std::sync::Arc::new(redis.for_authors()));
    let own = Redis::from_app(&app.scope("services.chat")).unwrap();
    own.set("key", b"own", std::time::Duration::from_secs(60)).await.unwrap();
    assert_eq!(redis.get("key").await.unwrap(), None);
    assert_eq!(redis.get("own:key").await.unwrap().unwrap(), &b"own"[..]);
}
