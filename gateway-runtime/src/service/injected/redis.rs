//! Redis as a field of services and providers, or as an argument of methods.

use crate::{
    base::{call::CallRequest, error::Error, start_error::StartError},
    redis::Redis,
    service::{
        app::{BuildContext, FromApp},
        argument::FromCall,
        registry::Binder,
    },
};

fn not_configured(asker: &str) -> StartError {
    StartError::new(format!(
        "`{asker}` asks for `Redis`, and nothing says where that is: set `url` in [redis], or \
         REDIS_HOST in the environment"
    ))
}

impl FromApp for Redis {
    fn from_app(scope: &BuildContext<'_>) -> Result<Self, StartError> {
        scope
            .app()
            .get::<Self>()
            .map(|redis| (*redis).clone())
            .ok_or_else(|| not_configured(scope.owner()))
    }
}

#[diagnostic::do_not_recommend]
impl FromCall for Redis {
    type State = Self;

    fn prepare(binder: &mut Binder<'_>) -> Result<Self, StartError> {
        binder
            .app()
            .get::<Self>()
            .map(|redis| (*redis).clone())
            .ok_or_else(|| not_configured(&binder.subject()))
    }

    async fn from_call(redis: &Self, _: &mut CallRequest) -> Result<Self, Error> {
        Ok(redis.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::app::App;

    #[test]
    fn missing_redis_is_reported_with_the_settings_to_make() {
        let error =
            Redis::from_app(&App::default().scope("services.chat")).unwrap_err().to_string();
        assert!(
            error.contains("`services.chat` asks for `Redis`") && error.contains("REDIS_HOST"),
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
}
