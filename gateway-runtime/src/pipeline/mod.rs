//! What every call goes through between its edge and its method, by whatever road it came.
//!
//! [`Pipeline::new`] is the whole of it: read from the top, a call passes each layer on its way in and again on its
//! way out. One layer a file.

mod deadline;
mod dispatch;
mod trace;
mod unwind;
mod validate;

use std::{future::Future, sync::Arc};

use tower::{ServiceBuilder, ServiceExt};

pub(crate) use self::unwind::panicked;
use self::{
    deadline::{Deadline, DeadlineLayer},
    dispatch::Dispatch,
    trace::{Trace, TraceLayer},
    unwind::{Unwind, UnwindLayer},
    validate::{Validate, ValidateLayer},
};
use crate::{call::CallRequest, error::Error, registry::Method, reply::Reply};

/// What the layers pass on: a call, and the method that it is for.
#[derive(Debug)]
pub struct Invocation {
    /// The method.
    pub method: Arc<Method>,
    /// The call.
    pub request: CallRequest,
}

/// The layers, from the outermost in.
type Stack = Trace<Unwind<Deadline<Validate<Dispatch>>>>;

/// The stack of layers; each call needs a copy of its own, and as long as no layer has state that costs nothing.
#[derive(Clone, Debug)]
pub struct Pipeline(Stack);

impl Pipeline {
    /// The stack.
    #[must_use]
    pub fn new() -> Self {
        Self(
            ServiceBuilder::new()
                // Outermost, so that refused calls are logged too, and with their time in every other layer.
                .layer(TraceLayer)
                // Around all that can panic, so that the line says why.
                .layer(UnwindLayer)
                .layer(DeadlineLayer)
                // Judges the input by the method's schema; a call that fails here has cost nothing yet.
                .layer(ValidateLayer)
                .service(Dispatch),
        )
    }

    /// Carries out one call.
    pub fn call(
        &self,
        method: &Arc<Method>,
        request: CallRequest,
    ) -> impl Future<Output = Result<Reply, Error>> + Send + use<> {
        self.0.oneshot(Invocation { method: Arc::clone(method), request })
    }
}

impl Default for Pipeline {
    fn default() -> Self {
        Self::new()
    }
}
