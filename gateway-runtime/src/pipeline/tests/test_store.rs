//! A store in a temporary file, for the layers that write.

use std::{path::PathBuf, sync::Arc};

use crate::{
    base::money::{Currency, Money},
    pipeline::persistence::{IdempotencySettings, Persistence, RequestLogSettings},
    store::{
        Command, CommandOutcome, Credit, RequestQuery, RequestRecord, Sqlite, Store, StoreWriter,
    },
};

/// A store, its writer, and the file that is removed with it.
#[derive(Debug)]
pub(in crate::pipeline) struct TestStore {
    pub(in crate::pipeline) store: Store,
    pub(in crate::pipeline) writer: StoreWriter,
    directory: PathBuf,
}

/// The balance of an account, in 10⁻⁹ of a dollar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pipeline) struct TestBalance {
    pub(in crate::pipeline) available: i64,
    pub(in crate::pipeline) held: i64,
}

pub(in crate::pipeline) fn usd(nanos: i64) -> Money {
    Money::from_nanos(nanos, Currency::from_code("USD").unwrap())
}

impl TestStore {
    pub(in crate::pipeline) async fn open() -> Self {
        let name = format!("gateway-pipeline-{}-{:016x}", std::process::id(), fastrand::u64(..));
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        let store = Store::new(Sqlite::open(&directory.join("gateway.db")).await.unwrap());
        let (writer, _) = StoreWriter::start(store.clone());
        Self { store, writer, directory }
    }

    pub(in crate::pipeline) fn persistence(&self) -> Arc<Persistence> {
        self.persistence_with(IdempotencySettings::default(), RequestLogSettings::default())
    }

    pub(in crate::pipeline) fn persistence_with(
        &self,
        keys: IdempotencySettings,
        records: RequestLogSettings,
    ) -> Arc<Persistence> {
        Arc::new(Persistence::new(self.writer.clone(), keys, records))
    }

    /// Opens an account with a credit.
    pub(in crate::pipeline) async fn fund(&self, account: &str, nanos: i64) {
        let account: Arc<str> = account.into();
        let reference = format!("reference of {account}").into();
        let who: Arc<str> = "a test".into();
        self.open_account(&account, "standard").await;
        let credit = Credit { account, amount: usd(nanos), reference, at: 1, who };
        self.writer.write(Command::Credit(credit)).await.unwrap();
    }

    pub(in crate::pipeline) async fn open_account(&self, account: &str, plan: &str) {
        let open = Command::OpenAccount {
            account: account.into(),
            plan: plan.into(),
            at: 1,
            who: "a test".into(),
        };
        let opened = self.writer.write(open).await.unwrap();
        assert!(matches!(opened, CommandOutcome::Opened(_)));
    }

    /// Waits until the settlements in the writer's queue are written.
    pub(in crate::pipeline) async fn flush(&self) {
        self.open_account("flushed", "standard").await;
    }

    pub(in crate::pipeline) async fn balance(&self, account: &str) -> TestBalance {
        let balances = self.store.balances(account).await.unwrap();
        let [balance] = &balances[..] else { panic!("{balances:?}") };
        TestBalance { available: balance.available, held: balance.held }
    }

    /// Waits for the row of a call.
    pub(in crate::pipeline) async fn row(&self, request_id: &str) -> RequestRecord {
        let query =
            RequestQuery { request_id: Some(request_id.to_owned()), ..RequestQuery::default() };
        for _ in 0..2000 {
            if let Some(row) = self.store.search(&query, 1).await.unwrap().pop() {
                return row;
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        panic!("no row of {request_id}");
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
