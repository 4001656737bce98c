//! Composed arguments: the trait that `#[derive(FromCall)]` implements, and the functions that its
//! code calls.

use std::{any::Any, future::Future, marker::PhantomData, sync::Arc};

use crate::{
    base::{
        call::CallRequest,
        error::{Error, Result},
        start_error::StartError,
    },
    service::{arguments::Arguments, binder::Binder},
};

/// A struct with `#[derive(FromCall)]`, whose fields could be arguments themselves.
pub trait Composed: Sized + Send + 'static {
    /// The fields of the struct, as a tuple.
    type Fields: Arguments;

    /// Creates the struct from its fields.
    fn compose(fields: Self::Fields) -> Self;
}

/// The state that the fields of a composed argument prepared at start. Its type does not depend on
/// theirs, so that a field which cannot be an argument is reported once.
pub struct ComposedState<C>(Arc<dyn Any + Send + Sync>, PhantomData<fn() -> C>);

/// Returns whether one of the fields is the input.
#[must_use]
pub const fn composed_input<C: Composed>() -> bool {
    <C::Fields as Arguments>::INPUTS > 0
}

/// Rejects two inputs among the fields.
///
/// # Panics
///
/// Panics at compile time, at the fields of the struct.
#[track_caller]
pub const fn one_input_composed<C: Composed>() {
    assert!(
        <C::Fields as Arguments>::INPUTS <= 1,
        "a call has at most one input; put the fields of both into one struct"
    );
}

/// Prepares the fields in order.
///
/// # Errors
///
/// Returns the error of the first field that cannot be prepared.
pub fn prepare_composed<C: Composed>(
    binder: &mut Binder<'_>,
) -> Result<ComposedState<C>, StartError> {
    <C::Fields as Arguments>::prepare(binder)
        .map(|states| ComposedState(Arc::new(states), PhantomData))
}

/// Creates the fields, and the struct from them.
///
/// # Errors
///
/// Returns the error of the first field that cannot be created.
#[expect(
    clippy::manual_async_fn,
    reason = "`Send` is promised here, so that nobody looks for it in the fields"
)]
pub fn compose<C: Composed>(
    state: &ComposedState<C>,
    request: &mut CallRequest,
) -> impl Future<Output = Result<C, Error>> + Send {
    async {
        let states = state.0.downcast_ref::<<C::Fields as Arguments>::States>();
        let states =
            states.ok_or_else(|| Error::internal("a composed argument was prepared as another"))?;
        <C::Fields as Arguments>::from_call(states, request).await.map(C::compose)
    }
}
