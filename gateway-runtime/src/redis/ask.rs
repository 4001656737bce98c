//! Redis as a field or an argument of services and providers.

use super::Redis;
use crate::{
    app::{FromApp, Scope, StartError},
    call::CallRequest,
    error::Error,
    extract::FromCall,
    registry::Binder,
};

fn missing(asker: &str) -> StartError {
    StartError::new(format!(
        "`{asker}` asks for `Redis`, and nothing says where that is: set `url` in [redis], or REDIS_HOST in the environment"
    ))
}

impl FromApp for Redis {
    fn from_app(scope: &Scope<'_>) -> Result<Self, StartError> {
        scope.app().get::<Self>().map(|redis| (*redis).clone()).ok_or_else(|| missing(scope.owner()))
    }
}

#[diagnostic::do_not_recommend]
impl FromCall for Redis {
    type State = Self;

    fn prepare(binder: &mut Binder<'_>) -> Result<Self, StartError> {
        binder.app().get::<Self>().map(|redis| (*redis).clone()).ok_or_else(|| missing(&binder.subject()))
    }

    async fn from_call(redis: &Self, _: &mut CallRequest) -> Result<Self, Error> {
        Ok(redis.clone())
    }
}
