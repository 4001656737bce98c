//! Tests of the section `[redis]`.

use super::*;

fn address(settings: RedisSettings) -> Result<Option<String>, StartError> {
    settings.address().map(|url| url.map(|url| url.expose().to_owned()))
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn address_is_of_one_place_or_none() {
    let none = RedisSettings::default();
    assert_eq!(address(none.clone()).unwrap(), None);
    let host = RedisSettings { host: text("cache"), ..none.clone() };
    assert_eq!(address(host.clone()).unwrap(), text("redis://cache:6379/0"));
    let all = RedisSettings { host: text("::1"), port: Some(7000), db: Some(2), ..none.clone() };
    assert_eq!(address(all).unwrap(), text("redis://[::1]:7000/2"));
    let url = Some(Secret::new("redis://:hunter2@cache"));
    assert_eq!(
        address(RedisSettings { url: url.clone(), ..none.clone() }).unwrap(),
        text("redis://:hunter2@cache")
    );
    let both = address(RedisSettings { url, ..host }).unwrap_err().to_string();
    assert!(both.contains("REDIS_HOST") && !both.contains("hunter2"), "{both}");
    assert!(
        address(RedisSettings { db: Some(1), ..none })
            .unwrap_err()
            .to_string()
            .contains("without `host`")
    );
}

#[cfg(not(feature = "redis"))]
#[tokio::test]
async fn error_names_the_feature_when_redis_is_not_built_in() {
    let settings = RedisSettings { host: text("cache"), ..RedisSettings::default() };
    let error = settings.open().await.unwrap_err().to_string();
    assert!(error.contains("the feature `redis`"), "{error}");
}
