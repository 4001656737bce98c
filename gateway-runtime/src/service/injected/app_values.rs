//! Values of the app: clones of one handle, as fields of services and providers, or as arguments of
//! methods.

#[cfg(feature = "sqlite")]
use crate::store::Db;
use crate::{
    base::{call::CallRequest, error::Error, start_error::StartError},
    bus::publisher::Publisher,
    redis::Redis,
    service::{
        app::{App, BuildContext, FromApp},
        argument::FromCall,
        binder::Binder,
    },
};

/// Implements both traits for a handle that the app holds. `$problem` is the problem of a program
/// without one, after the name of the owner or the method.
macro_rules! app_value {
    ($handle:ty, $problem:literal) => {
        impl FromApp for $handle {
            fn from_app(scope: &BuildContext<'_>) -> Result<Self, StartError> {
                find(scope.app(), || not_configured(scope.owner(), $problem))
            }
        }

        #[diagnostic::do_not_recommend]
        impl FromCall for $handle {
            type State = Self;

            fn prepare(binder: &mut Binder<'_>) -> Result<Self, StartError> {
                find(binder.app(), || not_configured(&binder.subject(), $problem))
            }

            async fn from_call(handle: &Self, _: &mut CallRequest) -> Result<Self, Error> {
                Ok(handle.clone())
            }
        }
    };
}

#[cfg(feature = "sqlite")]
app_value!(
    Db,
    "requires a `Db`, and no database is configured\n\
     help: set `path` or `url` in [store] (in the environment: `DB_URL`)"
);
app_value!(
    Publisher,
    "requires a `Publisher`, which this app does not have\n\
     help: add one to an app that is made by hand"
);
app_value!(
    Redis,
    "requires `Redis`, which is not configured\n\
     help: set `url` in [redis] (in the environment: `REDIS_HOST`); the feature `redis` of \
     gateway-runtime is needed too"
);

fn find<T: Clone + Send + Sync + 'static>(
    app: &App,
    problem: impl FnOnce() -> StartError,
) -> Result<T, StartError> {
    app.get::<T>().map(|handle| T::clone(&handle)).ok_or_else(problem)
}

fn not_configured(owner: &str, problem: &str) -> StartError {
    StartError::new(format!("`{owner}` {problem}"))
}
