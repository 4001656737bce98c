//! The sweeper: ends holds of calls whose gateways are gone, keeps those of unknown outcome for reconciliation (SEMANTICS §7),
//! and deletes expired idempotency keys.

use std::time::{Duration, SystemTime};

use crate::{
    base::{duration::unix_micros, money::Money},
    store::{Command, CommandOutcome, Hold, Store, StoreError, StoreWriter},
};

/// Sweeps every so often, as long as it is polled. Answered keys go when their time is over, those without an answer
/// when they are `kept` older. `count` receives the bytes that keys of anonymous callers take.
pub(crate) async fn sweep(
    books: Store,
    journal: StoreWriter,
    every: Duration,
    kept: Duration,
    count: impl Fn(u64),
) {
    loop {
        if let Err(error) = once(&books, &journal, kept, &count).await {
            tracing::debug!(%error, "nothing can be swept now");
        }
        tokio::time::sleep(every).await;
    }
}

async fn once(
    books: &Store,
    journal: &StoreWriter,
    kept: Duration,
    count: &impl Fn(u64),
) -> Result<(), StoreError> {
    let now = SystemTime::now();
    let (answered, open) = (unix_micros(now), now.checked_sub(kept).map_or(0, unix_micros));
    for hold in books.abandoned_holds(answered).await? {
        let charge = abandoned_charge(&hold);
        journal.write(Command::ResolveAbandonedHold(hold, charge)).await?;
    }
    // A few at a time, so that calls between them need not wait.
    while let CommandOutcome::Forgotten(1..) =
        journal.write(Command::ExpireClaims { answered, open }).await?
    {}
    count(books.anonymous_bytes().await?);
    Ok(())
}

/// What a call costs that began and never ended: nothing if all it could do is read, and otherwise nobody knows.
fn abandoned_charge(hold: &Hold) -> Option<Money> {
    if !hold.may_have_effect {
        return Some(Money::from_nanos(0, hold.amount.currency()));
    }
    tracing::warn!(
        call = &*hold.call,
        account = &*hold.account,
        amount = %hold.amount,
        "a call never ended, its gateway is gone; what is set aside for it stays so until somebody knows what became of it"
    );
    None
}
