//! Tests of the store, the same for every database. Those of PostgreSQL run when
//! `TEST_POSTGRES_URL` names a server, as `./test` does.

mod changes;
mod claims;
mod money;
mod reads;
mod rows;
mod search;
#[cfg(feature = "postgres")]
mod server;
mod shape;
mod writer;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    base::money::{Currency, Money},
    store::{
        Attribution, ChangeKind, Claim, ClaimEnd, ClaimOutcome, Command, CommandOutcome, Credit,
        CreditOutcome, Hold, HoldOutcome, OperatorChange, RequestRecord, SettledClaim, SettledHold,
        Settlement, Sqlite, Store,
    },
};

/// Defines a test once for each database: `each_database!(name, |store| async { … })`.
macro_rules! each_database {
    ($($(#[$attribute:meta])* async fn $name:ident($store:ident: Store) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn test($store: Store) $body

            $(#[$attribute])*
            #[tokio::test]
            async fn sqlite() {
                let file = File::new();
                test(file.store().await).await;
            }

            #[cfg(feature = "postgres")]
            $(#[$attribute])*
            #[tokio::test]
            async fn postgres() {
                if let Some(store) = server::store().await {
                    test(store).await;
                }
            }
        }
    )*};
}
use each_database;

/// A database file for one test.
struct File(PathBuf);

impl File {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("gateway-books-{}-{}", std::process::id(), fresh())))
    }

    async fn store(&self) -> Store {
        std::fs::create_dir_all(&self.0).unwrap();
        Store::new(Sqlite::open(&self.path()).await.unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.join("books.db")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn fresh() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Returns a name that no other test uses, in this run or another.
fn name(stem: &str) -> Arc<str> {
    format!("{stem}-{:016x}-{}", fastrand::u64(..), fresh()).into()
}

fn usd(nanos: i64) -> Money {
    Money::from_nanos(nanos, Currency::from_code("USD").unwrap())
}

async fn one(store: &Store, change: Command) -> CommandOutcome {
    store.commit(&[change]).await.unwrap().pop().unwrap()
}

/// Opens an account with a credit of `nanos`.
async fn account(store: &Store, nanos: i64) -> Arc<str> {
    let account = name("account");
    let open = Command::OpenAccount {
        account: Arc::clone(&account),
        plan: "standard".into(),
        at: 1,
        who: "ada".into(),
    };
    let credit = Command::Credit(credit(&account, nanos));
    let outcomes = store.commit(&[open, credit]).await.unwrap();
    assert_eq!(
        outcomes,
        [CommandOutcome::Opened(true), CommandOutcome::Credit(CreditOutcome::Credited)]
    );
    account
}

fn credit(account: &Arc<str>, nanos: i64) -> Credit {
    Credit {
        account: Arc::clone(account),
        amount: usd(nanos),
        reference: name("reference"),
        at: 1,
        who: "ada".into(),
    }
}

fn hold(account: &Arc<str>, nanos: i64) -> Hold {
    Hold {
        call: name("call"),
        account: Arc::clone(account),
        amount: usd(nanos),
        at: 2,
        until: 1000,
        may_have_effect: true,
        attribution: Arc::default(),
    }
}

/// Returns the settlement of a call with the amount captured from its hold.
fn settlement(hold: &Hold, cost: Option<i64>) -> Settlement {
    Settlement {
        hold: Some(SettledHold { hold: hold.clone(), charge: cost.map(usd) }),
        ..unpaid(Arc::clone(&hold.call))
    }
}

/// Returns the settlement of a call without a hold.
fn unpaid(call: Arc<str>) -> Settlement {
    let request = RequestRecord {
        call,
        request_id: "theirs".to_owned(),
        at: 1_700_000_000_000_000,
        account: Some("somebody".into()),
        user: None,
        origin: "http".into(),
        service: "currency".into(),
        version: 1,
        method: "rates".into(),
        status: 200,
        code: None,
        fulfilled: true,
        cache_hit: false,
        replay: false,
        price: Some(1_000_000),
        currency: Currency::from_code("USD"),
        cost: Some(-3),
        cost_currency: Currency::from_code("EUR"),
        provider: Some("fixer_io".into()),
        duration: 1234,
        peer: Some("::1".to_owned()),
        trace: None,
        attempts: Some(r#"[{"why":"a \"quote\" and \u0000"}]"#.to_owned()),
    };
    Settlement { request, hold: None, claim: None }
}

fn settle(settlement: Settlement) -> Command {
    Command::Settle(Box::new(settlement))
}

/// Returns the available and the held amount of an account, and checks them against the ledger.
async fn balance(store: &Store, account: &str) -> (i64, i64) {
    let audit = store.audit(account).await.unwrap();
    assert!(audit.iter().all(crate::store::Audit::balances), "{audit:?}");
    audit.first().map_or((0, 0), |audit| (audit.available, audit.held))
}
