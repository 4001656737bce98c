//! The table of endings: what each end of a call does, under each effect, to its charge, its
//! idempotency key and its row (SEMANTICS §3, §5, §7).
//!
//! The rules, in the words of SEMANTICS:
//!
//! - §7: the hold is "captured when fulfilled, released on definite failure, kept for
//!   reconciliation when the outcome is unknown; a client that disconnects after the effect was
//!   sent still pays; a deadline that ends before anything was sent is a definite failure".
//! - §5: "Stored: 2xx and executed 4xx, and ambiguous outcomes; released: refusals and all
//!   not-sent/rejected."
//! - §3: after an ambiguous attempt, `read` and `idempotent` may be repeated, so their failure is
//!   definite, as far as the caller is concerned; `once` "stops with `outcome-unknown`", and
//!   `keyed` may be repeated at the same provider with the same key only, which no new call has.

use std::{thread, time::Duration};

use tower::{ServiceBuilder, ServiceExt, util::BoxCloneService};

use super::*;
use crate::{
    base::{
        attempt::AttemptClass,
        spec::{AuthMode, Effect, MethodSpec},
    },
    pipeline::{
        billing::{BillingSettings, PlaceHoldLayer},
        catch_panic::UnwindLayer,
        deadline::DeadlineLayer,
        idempotency::IdempotentLayer,
        tests::{
            mock_service::{self, MockHandle, MockRequest},
            test_call::{TestMethod, attempt, spec},
            test_store::{TestBalance, TestStore, usd},
        },
    },
    provider::ProviderError,
};

/// An author's own refusal.
const SOLD_OUT: Code = Code::new("sold-out", 409, "Sold out");
/// An author's own failure, which says nothing about a repetition.
const BROKEN: Code = Code::new("broken", 503, "Broken");

const PRICE: i64 = 1_000_000;
const FUNDS: i64 = 10 * PRICE;

/// The ends of calls. "Sent" is what has begun at the method: until then nothing was sent.
#[derive(Clone, Copy, Debug)]
enum Ending {
    /// The call has its reply.
    Fulfilled,
    /// The method refused the call: an executed 4xx.
    Refused,
    /// All that the gateway itself refuses between the key and the method: quota, overload.
    GatewayRefused,
    /// A provider found the request invalid: an executed 4xx.
    Invalid,
    /// Every attempt was `not-sent`.
    NotSent,
    /// Every attempt was `rejected`.
    Rejected,
    /// An attempt was `ambiguous`, and its pool gave up.
    Ambiguous,
    /// The method sent a request of its own, outside a pool, and it was `ambiguous`.
    AmbiguousOutsidePool,
    /// One provider fulfilled its part, and then every attempt at another was `rejected`.
    RejectedAfterFulfilled,
    /// One provider was read from, and then every attempt at another was `rejected`.
    RejectedAfterRead,
    /// No provider was available.
    NoProvider,
    /// The method failed with a code of its own above 499, which says that it did nothing.
    Broken,
    /// The method failed with an internal error.
    Internal,
    /// An internal error, and every attempt at a provider was `not-sent` or `rejected`.
    InternalAfterRejected,
    /// The deadline ended before the method was called.
    TimeoutBeforeDispatch,
    /// The deadline ended while the method ran.
    TimeoutAfterDispatch,
    /// A panic before the method was called.
    PanicBeforeDispatch,
    /// A panic in the method.
    PanicAfterDispatch,
    /// The client disconnected while the method ran, and the method then fulfilled the call.
    Disconnected,
    /// The program ended before the method was called.
    StoppedBeforeDispatch,
    /// The program ended while the method ran.
    StoppedAfterDispatch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charge {
    /// The price was captured.
    Captured,
    /// The hold was released.
    Released,
    /// The hold is kept until an operator settles it.
    Kept,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    /// The answer is stored, and is replayed.
    Stored,
    /// The key is free: the next call with it is a new one.
    Freed,
}

use Charge::{Captured, Kept, Released};
use Effect::{Idempotent, Keyed, Once, Read};
use Ending::*;
use Key::{Freed, Stored};

/// Every effect.
const ANY: &[Effect] = &[Read, Idempotent, Keyed, Once];
/// The effects whose calls may be repeated.
const REPEATABLE: &[Effect] = &[Read, Idempotent];
/// The effects whose calls must not run twice.
const LASTING: &[Effect] = &[Keyed, Once];

/// A line of the table. The key is that of a call which can claim one: no `read` does.
type Line = (Ending, &'static [Effect], Charge, Key, u16, &'static str);

#[rustfmt::skip]
const TABLE: &[Line] = &[
    // ending                 effects     charge    key     row: status, code
    (Fulfilled,               ANY,        Captured, Stored, 200, ""),
    (Disconnected,            ANY,        Captured, Stored, 200, ""),
    (Refused,                 ANY,        Released, Stored, 409, "sold-out"),
    (Invalid,                 ANY,        Released, Stored, 400, "invalid-request"),
    (GatewayRefused,          ANY,        Released, Freed,  429, "quota-exceeded"),
    (Broken,                  ANY,        Released, Freed,  503, "broken"),
    (NoProvider,              ANY,        Released, Freed,  503, "no-provider"),
    (NotSent,                 ANY,        Released, Freed,  502, "provider-failed"),
    (Rejected,                ANY,        Released, Freed,  502, "provider-failed"),
    (InternalAfterRejected,   ANY,        Released, Freed,  500, "internal"),
    (TimeoutBeforeDispatch,   ANY,        Released, Freed,  504, "timeout"),
    (PanicBeforeDispatch,     ANY,        Released, Freed,  500, "internal"),
    (StoppedBeforeDispatch,   ANY,        Released, Freed,  499, "cancelled"),

    (Ambiguous,               REPEATABLE, Released, Freed,  502, "provider-failed"),
    (Ambiguous,               LASTING,    Kept,     Stored, 504, "outcome-unknown"),
    (AmbiguousOutsidePool,    REPEATABLE, Released, Freed,  502, "provider-failed"),
    (AmbiguousOutsidePool,    LASTING,    Kept,     Stored, 502, "provider-failed"),
    (RejectedAfterFulfilled,  REPEATABLE, Released, Freed,  502, "provider-failed"),
    (RejectedAfterFulfilled,  LASTING,    Kept,     Stored, 502, "provider-failed"),
    (RejectedAfterRead,       ANY,        Released, Freed,  502, "provider-failed"),
    (Internal,                REPEATABLE, Released, Freed,  500, "internal"),
    (Internal,                LASTING,    Kept,     Stored, 500, "internal"),
    (TimeoutAfterDispatch,    REPEATABLE, Released, Freed,  504, "timeout"),
    (TimeoutAfterDispatch,    LASTING,    Kept,     Stored, 504, "outcome-unknown"),
    (PanicAfterDispatch,      REPEATABLE, Released, Freed,  500, "internal"),
    (PanicAfterDispatch,      LASTING,    Kept,     Stored, 500, "internal"),
    (StoppedAfterDispatch,    REPEATABLE, Released, Freed,  499, "cancelled"),
    (StoppedAfterDispatch,    LASTING,    Kept,     Stored, 504, "outcome-unknown"),
];

/// The layers between the record of a call and its method, as far as they write.
struct Shop {
    store: TestStore,
    method: TestMethod,
    service: BoxCloneService<Invocation, Reply, Error>,
    handle: MockHandle,
}

impl Shop {
    async fn open(effect: Effect) -> Self {
        let store = TestStore::open().await;
        let method = TestMethod::new(MethodSpec {
            price: Some(usd(PRICE)),
            auth: Some(AuthMode::Optional),
            ..spec(effect)
        });
        let registry = Arc::clone(&method.registry);
        let billing = Billing::new(store.writer.clone(), &BillingSettings::default(), registry);
        let (billing, persistence) = (Some(Arc::new(billing)), Some(store.persistence()));
        let (inner, handle) = mock_service::pair();
        let service = ServiceBuilder::new()
            .layer(RecordLayer(persistence.clone(), billing.clone()))
            .layer(UnwindLayer)
            .layer(DeadlineLayer)
            .layer(IdempotentLayer::new(persistence))
            .layer(PlaceHoldLayer::new(billing))
            .service(inner);
        Self { store, method, service: BoxCloneService::new(service), handle }
    }

    /// Ends one call, by an account and with a key of its own, and returns what became of it.
    async fn observe(&mut self, ending: Ending) -> (Charge, Key, u16, String) {
        let account = format!("{ending:?}");
        self.store.fund(&account, FUNDS).await;
        let call = self.method.call().validated().with_account(&account);
        let call = call.with_header("idempotency-key", &account);
        let first = call.invocation();
        let id = first.request.call.id().as_str().to_owned();
        self.end(ending, first).await;
        let row = self.store.row(&id).await;
        self.store.flush().await;
        let charge = match self.store.balance(&account).await {
            TestBalance { available, held: 0 } if available == FUNDS - PRICE => Captured,
            TestBalance { available: FUNDS, held: 0 } => Released,
            TestBalance { available, held: PRICE } if available == FUNDS - PRICE => Kept,
            other => panic!("{other:?}"),
        };
        let price = match charge {
            Captured => Some(PRICE),
            Released => Some(0),
            Kept => None,
        };
        assert_eq!(row.price, price, "{ending:?}: the row says another price than the ledger");
        assert_eq!(row.fulfilled, charge == Captured, "{ending:?}");
        let code = row.code.map_or(String::new(), |code| code.into_owned());
        (charge, self.key(call.invocation()).await, row.status, code)
    }

    /// Sends the call again, to see whether its key is free.
    async fn key(&mut self, again: Invocation) -> Key {
        let call = again.request.call.clone();
        let mut future = tokio::spawn(self.service.clone().oneshot(again));
        tokio::select! {
            request = self.handle.next_request() => {
                request.reply.send(Err(Error::new(Code::QUOTA_EXCEEDED, "only a look")));
                future.await.unwrap().unwrap_err();
                Freed
            }
            outcome = &mut future => {
                drop(outcome.unwrap());
                assert!(call.is_replayed());
                Stored
            }
        }
    }

    async fn end(&mut self, ending: Ending, invocation: Invocation) {
        let call = invocation.request.call.clone();
        let mut future = Box::pin(self.service.clone().oneshot(invocation));
        let MockRequest { reply, .. } = tokio::select! {
            early = &mut future => panic!("{ending:?}: {early:?}"),
            request = self.handle.next_request() => request,
        };
        if !ending.is_before_dispatch() {
            call.mark_dispatched();
        }
        match ending {
            TimeoutBeforeDispatch | TimeoutAfterDispatch => {
                tokio::time::pause();
                tokio::time::advance(Duration::from_secs(31)).await;
                tokio::time::resume();
                future.await.unwrap_err();
            }
            PanicBeforeDispatch | PanicAfterDispatch => {
                reply.panic();
                future.await.unwrap_err();
            }
            // A call that must be completed has no task of its own without a runtime.
            StoppedBeforeDispatch | StoppedAfterDispatch => {
                thread::spawn(move || drop(future)).join().unwrap();
            }
            Disconnected => {
                drop(future);
                assert!(!reply.is_dropped(), "the call does not go on");
                reply.send(outcome(ending, &call));
            }
            _ => {
                let outcome = outcome(ending, &call);
                let is_fulfilled = outcome.is_ok();
                reply.send(outcome);
                assert_eq!(future.await.is_ok(), is_fulfilled);
            }
        }
    }
}

impl Ending {
    fn is_before_dispatch(self) -> bool {
        matches!(
            self,
            GatewayRefused | TimeoutBeforeDispatch | PanicBeforeDispatch | StoppedBeforeDispatch
        )
    }
}

/// Returns the outcome of the method, as pools and methods have it, and records its attempts.
fn outcome(ending: Ending, call: &Call) -> Result<Reply, Error> {
    let effect = call.method().effect;
    let attempted = |class| call.record(attempt(class, effect));
    let pool_failed = |class| {
        attempted(class);
        let failed = Error::new(Code::PROVIDER_FAILED, "the provider failed");
        Err(failed.with_attempt(class, None).with_retryable(true))
    };
    match ending {
        Fulfilled | Disconnected => {
            attempted(AttemptClass::Fulfilled);
            Ok(Reply::Json("{}".into()))
        }
        Refused => Err(Error::new(SOLD_OUT, "none left")),
        GatewayRefused => Err(Error::new(Code::QUOTA_EXCEEDED, "too many")),
        Invalid => {
            attempted(AttemptClass::Invalid);
            Err(ProviderError::invalid("wrong").into())
        }
        NotSent => pool_failed(AttemptClass::NotSent),
        Rejected => pool_failed(AttemptClass::Rejected),
        RejectedAfterFulfilled => {
            attempted(AttemptClass::Fulfilled);
            pool_failed(AttemptClass::Rejected)
        }
        RejectedAfterRead => {
            call.record(attempt(AttemptClass::Fulfilled, Read));
            pool_failed(AttemptClass::Rejected)
        }
        Ambiguous if matches!(effect, Keyed | Once) => {
            attempted(AttemptClass::Ambiguous);
            Err(Error::new(Code::OUTCOME_UNKNOWN, "the reply was lost"))
        }
        Ambiguous => pool_failed(AttemptClass::Ambiguous),
        AmbiguousOutsidePool => Err(ProviderError::ambiguous("reset").into()),
        NoProvider => Err(Error::new(Code::NO_PROVIDER, "none")),
        Broken => Err(Error::new(BROKEN, "broken")),
        Internal => Err(Error::internal("broken")),
        InternalAfterRejected => {
            attempted(AttemptClass::NotSent);
            attempted(AttemptClass::Rejected);
            Err(Error::internal("broken"))
        }
        _ => unreachable!("{ending:?} has no outcome of the method"),
    }
}

async fn assert_table(effect: Effect) {
    let mut shop = Shop::open(effect).await;
    let mut wrong = Vec::new();
    let mut lines = 0;
    for (ending, effects, charge, key, status, code) in TABLE {
        if !effects.contains(&effect) {
            continue;
        }
        lines += 1;
        let key = if effect == Read { Freed } else { *key };
        let expected = (*charge, key, *status, (*code).to_owned());
        let observed = shop.observe(*ending).await;
        if observed != expected {
            wrong.push(format!("{ending:?}: expected {expected:?}, observed {observed:?}"));
        }
    }
    assert_eq!(lines, 21, "each ending has one line for each effect");
    assert!(wrong.is_empty(), "under {effect:?}:\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn table_holds_under_read() {
    assert_table(Read).await;
}

#[tokio::test]
async fn table_holds_under_idempotent() {
    assert_table(Idempotent).await;
}

#[tokio::test]
async fn table_holds_under_keyed() {
    assert_table(Keyed).await;
}

#[tokio::test]
async fn table_holds_under_once() {
    assert_table(Once).await;
}
