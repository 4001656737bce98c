//! The arguments of an exposed method: a tuple of up to twelve types, each an argument.

use std::future::Future;

use crate::{
    base::{call::CallRequest, error::Error, start_error::StartError},
    service::{argument::FromCall, binder::Binder},
};

/// The arguments of a method, as a tuple.
pub trait Arguments: Sized + Send {
    /// The number of inputs among the arguments.
    const INPUTS: usize;

    /// The states of the arguments, as a tuple.
    type States: Send + Sync + 'static;

    /// Prepares the arguments in order.
    ///
    /// # Errors
    ///
    /// Returns the error of the first argument that cannot be prepared.
    fn prepare(binder: &mut Binder<'_>) -> Result<Self::States, StartError>;

    /// Creates the arguments in order.
    ///
    /// # Errors
    ///
    /// Returns the error of the first argument that cannot be created.
    fn from_call(
        states: &Self::States,
        request: &mut CallRequest,
    ) -> impl Future<Output = Result<Self, Error>> + Send;
}

macro_rules! arguments {
    ($($argument:ident $state:ident),*) => {
        impl<$($argument: FromCall),*> Arguments for ($($argument,)*) {
            const INPUTS: usize = 0 $(+ $argument::IS_INPUT as usize)*;

            type States = ($($argument::State,)*);

            #[allow(unused_variables, reason = "a method may have no arguments")]
            fn prepare(binder: &mut Binder<'_>) -> Result<Self::States, StartError> {
                Ok(($($argument::prepare(binder)?,)*))
            }

            #[allow(unused_variables, reason = "a method may have no arguments")]
            async fn from_call(
                states: &Self::States,
                request: &mut CallRequest,
            ) -> Result<Self, Error> {
                let ($($state,)*) = states;
                Ok(($($argument::from_call($state, request).await?,)*))
            }
        }
    };
}

arguments!();
arguments!(A a);
arguments!(A a, B b);
arguments!(A a, B b, C c);
arguments!(A a, B b, C c, D d);
arguments!(A a, B b, C c, D d, E e);
arguments!(A a, B b, C c, D d, E e, F f);
arguments!(A a, B b, C c, D d, E e, F f, G g);
arguments!(A a, B b, C c, D d, E e, F f, G g, H h);
arguments!(A a, B b, C c, D d, E e, F f, G g, H h, I i);
arguments!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j);
arguments!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k);
arguments!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l);
