//! What every call goes through between its edge and its method, by whatever road it came.
//!
//! [`Pipeline::new`] is the whole of it: read from the top, a call passes each layer on its way in and again on its
//! way out. One layer a file.

mod answer;
mod deadline;
mod dispatch;
mod idempotency;
mod keeping;
mod record;
mod tab;
mod trace;
mod unwind;
mod validate;

use std::{future::Future, sync::Arc};

use tower::{ServiceBuilder, ServiceExt};

pub use self::keeping::{IdempotencySettings, Keeping};
pub(crate) use self::unwind::panicked;
use self::{
    deadline::{Deadline, DeadlineLayer},
    dispatch::Dispatch,
    idempotency::{IdempotencyLayer, Idempotent},
    record::{Record, RecordLayer},
    tab::Tab,
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
    /// What is noted of it for its record.
    tab: Tab,
}

/// The layers, from the outermost in.
type Stack = Trace<Record<Unwind<Deadline<Validate<Idempotent<Dispatch>>>>>>;

/// The stack of layers; each call needs a copy of its own, which costs a count or two.
#[derive(Clone, Debug)]
pub struct Pipeline(Stack);

impl Pipeline {
    /// The stack; calls are written down where there is something to do it with, and only then keys are honoured.
    #[must_use]
    pub fn new(keeping: Option<Arc<Keeping>>) -> Self {
        Self(
            ServiceBuilder::new()
                // Outermost, so that refused calls are logged too, and with their time in every other layer.
                .layer(TraceLayer)
                // Sees how a call has ended, panics and lateness too, and writes it down.
                .layer(RecordLayer(keeping.clone()))
                // Around all that can panic, so that the line says why.
                .layer(UnwindLayer)
                .layer(DeadlineLayer)
                // Judges the input by the method's schema; a call that fails here has cost nothing yet.
                .layer(ValidateLayer)
                // Carries out once what comes with a key, and knows by its input that it is the same.
                .layer(IdempotencyLayer(keeping))
                .service(Dispatch),
        )
    }

    /// Carries out one call.
    pub fn call(
        &self,
        method: &Arc<Method>,
        request: CallRequest,
    ) -> impl Future<Output = Result<Reply, Error>> + Send + use<> {
        self.0.clone().oneshot(Invocation { method: Arc::clone(method), request, tab: Tab::default() })
    }
}
