//! The sweeper: resolves holds of calls whose gateways are gone, keeps those of unknown outcome for
//! reconciliation (SEMANTICS §7), and deletes expired idempotency keys.

use std::time::{Duration, SystemTime};

use crate::{
    base::{duration::unix_micros, money::Money},
    store::{Command, CommandOutcome, Hold, Store, StoreError, StoreWriter},
};

/// Sweeps once in each interval `interval`, for as long as the future is polled. Keys with a stored
/// answer are deleted when they expire, those without one when they expired `retention` ago.
/// `count_bytes` receives the bytes that keys of anonymous callers take.
pub(crate) async fn sweep(
    store: Store,
    writer: StoreWriter,
    interval: Duration,
    retention: Duration,
    count_bytes: impl Fn(u64),
) {
    loop {
        if let Err(error) = sweep_once(&store, &writer, retention, &count_bytes).await {
            tracing::debug!(%error, "sweep failed");
        }
        tokio::time::sleep(interval).await;
    }
}

async fn sweep_once(
    store: &Store,
    writer: &StoreWriter,
    retention: Duration,
    count_bytes: &impl Fn(u64),
) -> Result<(), StoreError> {
    let now = SystemTime::now();
    let answered = unix_micros(now);
    let open = now.checked_sub(retention).map_or(0, unix_micros);
    for hold in store.abandoned_holds(answered).await? {
        let charge = abandoned_charge(&hold);
        writer.write(Command::ResolveAbandonedHold { hold, charge }).await?;
    }
    // A few at a time, so that calls in between are not delayed.
    while let CommandOutcome::Forgotten(1..) =
        writer.write(Command::ExpireClaims { answered, open }).await?
    {}
    count_bytes(store.anonymous_bytes().await?);
    Ok(())
}

/// Returns the charge of a call that began and never ended: zero if the call could only read,
/// otherwise `None`, because the outcome is unknown.
fn abandoned_charge(hold: &Hold) -> Option<Money> {
    if !hold.may_have_effect {
        return Some(Money::from_nanos(0, hold.amount.currency()));
    }
    tracing::warn!(
        call = &*hold.call,
        account = &*hold.account,
        amount = %hold.amount,
        "abandoned hold of unknown outcome; it stays until an operator settles it"
    );
    None
}
