//! The store: accounts and their ledger, idempotency keys, the request log.
//!
//! [`Store`] commits a batch of [`Command`]s in one transaction of a [`Database`]; `writer` forms
//! the batches (group commit), so that each of many concurrent calls pays for a share of one
//! commit. `sql` holds the statements of both dialects; each database has a file of its own, which
//! is independent of the tables.

mod command;
mod commit;
mod db;
mod hold;
mod migrations;
pub mod queries;
mod request_query;
mod settings;
mod sql;
mod sweeper;
#[cfg(test)]
mod tests;
mod views;
mod writer;

pub use crate::store::{
    command::{
        Audit, CallId, ChangeKind, ChangeRecord, Claim, ClaimEnd, ClaimKey, ClaimOutcome, Command,
        CommandOutcome, Credit, CreditOutcome, OperatorChange, RequestRecord, Settlement,
    },
    commit::Store,
    db::{Db, outbox::OutboxConnection},
    hold::{Attribution, Hold, HoldOutcome},
    migrations::{Migration, MigrationStatus, Migrations, Sql},
    request_query::RequestQuery,
    settings::StoreSettings,
    sql::{
        BoxFuture, Database, StoreError, Transaction,
        sqlite::Sqlite,
        statements::Statement,
        table::{Column, Table, Value},
    },
    views::{Account, ApiKeyRecord, Balance, LedgerEntry, MarginQuery, MarginRow},
    writer::StoreWriter,
};
pub(crate) use crate::store::{db::outbox::OutboxBatch, sweeper::sweep};

#[cfg(feature = "postgres")]
pub use crate::store::sql::postgres::Postgres;
pub use sqlx;
