//! The publisher as a field of services and providers, or as an argument of methods.

use crate::{
    base::{call::CallRequest, error::Error, start_error::StartError},
    bus::publisher::Publisher,
    service::{
        app::{BuildContext, FromApp},
        argument::FromCall,
        registry::Binder,
    },
};

fn missing(asker: &str) -> StartError {
    StartError::new(format!(
        "`{asker}` asks for a `Publisher`, and there is none: an app that is made by hand must be \
         given one"
    ))
}

impl FromApp for Publisher {
    fn from_app(scope: &BuildContext<'_>) -> Result<Self, StartError> {
        scope
            .app()
            .get::<Self>()
            .map(|publisher| (*publisher).clone())
            .ok_or_else(|| missing(scope.owner()))
    }
}

#[diagnostic::do_not_recommend]
impl FromCall for Publisher {
    type State = Self;

    fn prepare(binder: &mut Binder<'_>) -> Result<Self, StartError> {
        binder
            .app()
            .get::<Self>()
            .map(|publisher| (*publisher).clone())
            .ok_or_else(|| missing(&binder.subject()))
    }

    async fn from_call(publisher: &Self, _: &mut CallRequest) -> Result<Self, Error> {
        Ok(publisher.clone())
    }
}
