//! The HTTP client as a field of services and providers.

use crate::{
    base::start_error::StartError,
    provider::{HttpClient, HttpClientSettings},
    service::app::{BuildContext, FromApp},
};

/// The HTTP client of the program. All providers share its connections.
#[diagnostic::do_not_recommend]
impl FromApp for HttpClient {
    fn from_app(scope: &BuildContext<'_>) -> Result<Self, StartError> {
        match scope.app().get::<Self>() {
            Some(shared) => Ok(Self::clone(&shared)),
            None => Self::new(&HttpClientSettings::default()),
        }
    }
}
