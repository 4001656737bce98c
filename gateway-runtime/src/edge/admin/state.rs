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
    control::OperatorSettings,
    edge::admin::{auth::Operator, health::ReadinessCheck, values::Timestamp},
    pipeline::{IdempotencySettings, QuotaEnforcer},
    redis::Redis,
    service::registry::Registry,
    store::{ChangeKind, Command, CommandOutcome, OperatorChange, Store, StoreError, StoreWriter},
};

/// What the calls of the API work with.
#[derive(Debug)]
pub struct AdminState {
    /// What is served.
    pub registry: Arc<Registry>,
    /// Where it is written down; none without `[store]`.
    pub books: Option<AdminStore>,
    /// What calls are limited with.
    pub limiting: Arc<QuotaEnforcer>,
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
    pub probes: Vec<Box<dyn ReadinessCheck>>,
    /// Whether it has been told to stop.
    pub draining: DrainFlag,
}

/// What is written down, and how.
#[derive(Debug)]
pub struct AdminStore {
    /// The books, for reading.
    pub books: Store,
    /// Where changes are handed in.
    pub journal: StoreWriter,
    /// What operators have set.
    pub control: Arc<OperatorSettings>,
}

/// Whether a gateway has been told to stop. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct DrainFlag(Arc<AtomicBool>);

impl DrainFlag {
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

impl AdminState {
    /// The books and all that belongs to them.
    ///
    /// # Errors
    ///
    /// `no-store` where there are none.
    pub(super) fn kept(&self) -> Result<&AdminStore, Error> {
        self.books.as_ref().ok_or_else(|| {
            Error::new(
                NO_STORE,
                "this gateway keeps no books; say where in [store], and start it again",
            )
        })
    }

    /// The books.
    ///
    /// # Errors
    ///
    /// `no-store` where there are none.
    pub(super) fn books(&self) -> Result<&Store, Error> {
        self.kept().map(|kept| &kept.books)
    }

    /// Has a change carried out, and waits until it lasts.
    ///
    /// # Errors
    ///
    /// `no-store`, or `overloaded` when the database is away.
    pub(super) async fn write(&self, change: Command) -> Result<CommandOutcome, Error> {
        self.kept()?.journal.write(change).await.map_err(store_error)
    }
}

/// Has what an operator sets hold from now on; here for every call that begins after this.
///
/// # Errors
///
/// As [`Desk::write`].
pub(super) async fn set(
    desk: &AdminState,
    kind: ChangeKind,
    subject: &str,
    document: &impl Serialize,
    operator: &Operator,
) -> Result<(), Error> {
    let edit = OperatorChange {
        at: Timestamp::now().0,
        who: Arc::clone(&operator.name),
        kind,
        subject: subject.into(),
        document: serde_json::to_string(document)?,
    };
    match desk.write(Command::OperatorChange(edit)).await? {
        CommandOutcome::ChangeRecord(_) => {}
        other => return Err(unexpected(&other)),
    }
    if let Err(error) = desk.kept()?.control.refresh().await {
        tracing::warn!(%error, "a change is written down, and will hold when it can be read");
    }
    Ok(())
}

/// The answer when the books cannot be read or written.
pub(super) fn store_error(error: StoreError) -> Error {
    if error.is_refusal() {
        return Error::internal(error);
    }
    let detail = if error.is_ambiguous() {
        "the database was lost over this change, which may be there or not; send it again with the same Idempotency-Key"
    } else {
        "the database cannot be reached now; nothing was changed"
    };
    Error::new(Code::OVERLOADED, detail).with_log_message(error)
}

/// The answer to what the books say no call of the API can bring about.
pub(super) fn unexpected(outcome: &CommandOutcome) -> Error {
    Error::internal(format!("the books answered something else: {outcome:?}"))
}
