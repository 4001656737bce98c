//! The database as a field of services and providers, or as an argument of methods.

use crate::{
    base::{call::CallRequest, error::Error, start_error::StartError},
    service::{
        app::{BuildContext, FromApp},
        argument::FromCall,
        registry::Binder,
    },
    store::Db,
};

fn missing(asker: &str) -> StartError {
    StartError::new(format!(
        "`{asker}` asks for a `Db`, and no database is configured: set `path` or `url` in [store] \
         (the environment's DB_URL is \
         `url`)"
    ))
}

impl FromApp for Db {
    fn from_app(scope: &BuildContext<'_>) -> Result<Self, StartError> {
        scope.app().get::<Self>().map(|db| (*db).clone()).ok_or_else(|| missing(scope.owner()))
    }
}

#[diagnostic::do_not_recommend]
impl FromCall for Db {
    type State = Self;

    fn prepare(binder: &mut Binder<'_>) -> Result<Self, StartError> {
        binder.app().get::<Self>().map(|db| (*db).clone()).ok_or_else(|| missing(&binder.subject()))
    }

    async fn from_call(db: &Self, _: &mut CallRequest) -> Result<Self, Error> {
        Ok(db.clone())
    }
}
