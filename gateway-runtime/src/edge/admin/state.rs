//! The state of the admin API: what its operations read and change.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde::Serialize;

use crate::{
    base::{
        connection_slots::ConnectionSlots,
        error::{Code, Error},
    },
    bus::{Broker, CallsStatus},
    control::OperatorSettings,
    edge::admin::{auth::Operator, readiness_check::ReadinessCheck, values::Timestamp},
    pipeline::{IdempotencySettings, QuotaEnforcer},
    redis::Redis,
    service::registry::Registry,
    store::{ChangeKind, Command, CommandOutcome, OperatorChange, Store, StoreError, StoreWriter},
};

/// The parts of a gateway that the operations of the admin API use.
#[derive(Debug)]
pub struct AdminState {
    /// The registry of services and providers.
    pub registry: Arc<Registry>,
    /// The store; none without `[store]`.
    pub store: Option<AdminStore>,
    /// The quotas of calls.
    pub limiting: Arc<QuotaEnforcer>,
    /// The settings of idempotency keys, such as their retention.
    pub keys: IdempotencySettings,
    /// The Redis client, if one is configured.
    pub redis: Option<Redis>,
    /// The connections of the public listener.
    pub(crate) connections: ConnectionSlots,
    /// The broker of the bus.
    pub broker: Arc<dyn Broker>,
    /// The status of calls by the bus.
    pub calls: Arc<CallsStatus>,
    /// The readiness checks.
    pub probes: Vec<Box<dyn ReadinessCheck>>,
    /// Whether the gateway drains.
    pub draining: DrainFlag,
}

/// The store of a gateway, for reading and writing.
#[derive(Debug)]
pub struct AdminStore {
    /// The database, for reading.
    pub store: Store,
    /// The writer, which executes commands.
    pub writer: StoreWriter,
    /// The settings that operators have changed.
    pub control: Arc<OperatorSettings>,
}

/// A flag that is set when the gateway starts to drain. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct DrainFlag(Arc<AtomicBool>);

impl DrainFlag {
    /// Sets the flag.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns whether the gateway drains.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The code of an operation that needs a store where none is configured.
const NO_STORE: Code = Code::new("no-store", 503, "No store");

impl AdminState {
    /// Returns the store and its writer.
    ///
    /// # Errors
    ///
    /// `no-store` without `[store]`.
    pub(super) fn kept(&self) -> Result<&AdminStore, Error> {
        self.store
            .as_ref()
            .ok_or_else(|| Error::new(NO_STORE, "no store is configured; set [store] and restart"))
    }

    /// Returns the database, for reading.
    ///
    /// # Errors
    ///
    /// `no-store` without `[store]`.
    pub(super) fn store(&self) -> Result<&Store, Error> {
        self.kept().map(|kept| &kept.store)
    }

    /// Executes a command, and waits until it is durable.
    ///
    /// # Errors
    ///
    /// `no-store` without `[store]`; `overloaded` while the database is unavailable.
    pub(super) async fn write(&self, change: Command) -> Result<CommandOutcome, Error> {
        self.kept()?.writer.write(change).await.map_err(store_error)
    }
}

/// Writes an operator's change and applies it here, for every call that begins after this.
///
/// # Errors
///
/// The errors of [`AdminState::write`].
pub(super) async fn set(
    state: &AdminState,
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
    match state.write(Command::OperatorChange(edit)).await? {
        CommandOutcome::Changed(_) => {}
        other => return Err(unexpected(&other)),
    }
    if let Err(error) = state.kept()?.control.refresh().await {
        tracing::warn!(%error, "change written; it takes effect when it can be read");
    }
    Ok(())
}

/// Returns the error for a failure to read or write the store.
pub(super) fn store_error(error: StoreError) -> Error {
    if error.is_refusal() {
        return Error::internal(error);
    }
    let detail = if error.is_ambiguous() {
        "the connection to the database was lost and the outcome is unknown; retry with the same \
         Idempotency-Key"
    } else {
        "the database is unavailable and nothing was changed; retry later"
    };
    Error::new(Code::OVERLOADED, detail).with_log_message(error)
}

/// Returns the error for an outcome that no operation can cause.
pub(super) fn unexpected(outcome: &CommandOutcome) -> Error {
    Error::internal(format!("unexpected outcome of the store: {outcome:?}"))
}
