//! What the calls of the API work with.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde::Serialize;

use crate::{
    base::{
        call_metrics::ConnectionSlots,
        error::{Code, Error},
    },
    bus::{Broker, CallsStatus},
    control::Control,
    edge::admin::{auth::Operator, health::Probe, values::Moment},
    pipeline::{IdempotencySettings, Limiting},
    redis::Redis,
    service::registry::Registry,
    store::{Books, Change, Edit, EditKind, Journal, Outcome, StoreError},
};

/// What the calls of the API work with.
#[derive(Debug)]
pub struct Desk {
    /// What is served.
    pub registry: Arc<Registry>,
    /// Where it is written down; none without `[store]`.
    pub books: Option<Kept>,
    /// What calls are limited with.
    pub limiting: Arc<Limiting>,
    /// How long idempotency keys hold.
    pub keys: IdempotencySettings,
    /// Redis, where it is configured.
    pub redis: Option<Redis>,
    /// The connections of the service's listener.
    pub(crate) connections: ConnectionSlots,
    /// What carries its messages.
    pub broker: Arc<dyn Broker>,
    /// How the calls stand that come by it.
    pub calls: Arc<CallsStatus>,
    /// What the gateway needs to be ready.
    pub probes: Vec<Box<dyn Probe>>,
    /// Whether it has been told to stop.
    pub draining: Draining,
}

/// What is written down, and how.
#[derive(Debug)]
pub struct Kept {
    /// The books, for reading.
    pub books: Books,
    /// Where changes are handed in.
    pub journal: Journal,
    /// What operators have set.
    pub control: Arc<Control>,
}

/// Whether a gateway has been told to stop. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Draining(Arc<AtomicBool>);

impl Draining {
    /// Says that it has.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it has.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// There is nowhere to look.
const NO_STORE: Code = Code::new("no-store", 503, "No store");

impl Desk {
    /// The books and all that belongs to them.
    ///
    /// # Errors
    ///
    /// `no-store` where there are none.
    pub(super) fn kept(&self) -> Result<&Kept, Error> {
        self.books.as_ref().ok_or_else(|| {
            Error::new(NO_STORE, "this gateway keeps no books; say where in [store], and start it again")
        })
    }

    /// The books.
    ///
    /// # Errors
    ///
    /// `no-store` where there are none.
    pub(super) fn books(&self) -> Result<&Books, Error> {
        self.kept().map(|kept| &kept.books)
    }

    /// Has a change carried out, and waits until it lasts.
    ///
    /// # Errors
    ///
    /// `no-store`, or `overloaded` when the database is away.
    pub(super) async fn write(&self, change: Change) -> Result<Outcome, Error> {
        self.kept()?.journal.write(change).await.map_err(away)
    }
}

/// Has what an operator sets hold from now on; here for every call that begins after this.
///
/// # Errors
///
/// As [`Desk::write`].
pub(super) async fn set(
    desk: &Desk,
    kind: EditKind,
    subject: &str,
    document: &impl Serialize,
    operator: &Operator,
) -> Result<(), Error> {
    let edit = Edit {
        at: Moment::now().0,
        who: Arc::clone(&operator.name),
        kind,
        subject: subject.into(),
        document: serde_json::to_string(document)?,
    };
    match desk.write(Change::Edit(edit)).await? {
        Outcome::Edited(_) => {}
        other => return Err(unexpected(&other)),
    }
    if let Err(error) = desk.kept()?.control.refresh().await {
        tracing::warn!(%error, "a change is written down, and will hold when it can be read");
    }
    Ok(())
}

/// The answer when the books cannot be read or written.
pub(super) fn away(error: StoreError) -> Error {
    if error.is_refusal() {
        return Error::internal(error);
    }
    let detail = if error.may_have_happened() {
        "the database was lost over this change, which may be there or not; send it again with the same Idempotency-Key"
    } else {
        "the database cannot be reached now; nothing was changed"
    };
    Error::new(Code::OVERLOADED, detail).log(error)
}

/// The answer to what the books say no call of the API can bring about.
pub(super) fn unexpected(outcome: &Outcome) -> Error {
    Error::internal(format!("the books answered something else: {outcome:?}"))
}
