//! The store: accounts and their ledger, idempotency keys, the request log.
//!
//! [`Store`] commits a batch of [`Command`]s in one transaction of a [`Database`]; `writer` forms
//! the batches (group commit), so that each of many concurrent calls pays for a share of one
//! commit. `sql` holds the statements of both dialects; each database has a file of its own, which
//! is independent of the tables.

#[cfg(not(feature = "sqlite"))]
mod absent;
mod claim;
mod command;
mod commit;
mod credit;
#[cfg(feature = "sqlite")]
mod db;
mod error;
mod hold;
mod json_rows;
mod migrations;
#[cfg(feature = "sqlite")]
mod open;
mod operator_change;
pub mod queries;
mod request_query;
mod request_record;
mod settings;
mod settlement;
mod sql;
mod sweeper;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;
mod time_limit;
mod views;
mod writer;

#[cfg(feature = "sqlite")]
pub(crate) use crate::store::db::outbox::OutboxBatch;
pub(crate) use crate::store::sweeper::sweep;
pub use crate::store::{
    claim::{Claim, ClaimEnd, ClaimKey, ClaimOutcome},
    command::{Command, CommandOutcome},
    commit::Store,
    credit::{Credit, CreditOutcome},
    error::StoreError,
    hold::{Attribution, Hold, HoldOutcome},
    migrations::{Migration, MigrationStatus, Migrations, Sql},
    operator_change::{ChangeKind, ChangeRecord, OperatorChange},
    request_query::RequestQuery,
    request_record::{CallId, RequestRecord},
    settings::StoreSettings,
    settlement::{SettledClaim, SettledHold, Settlement},
    sql::{
        database::{Database, Transaction},
        statement::Statement,
        table::{Column, Table, Value},
    },
    views::{Account, ApiKeyRecord, Audit, Balance, LedgerEntry, MarginQuery, MarginRow},
    writer::{StoreWriter, WriterStats},
};
#[cfg(feature = "sqlite")]
pub use crate::store::{
    db::{Db, outbox::OutboxConnection},
    sql::sqlite::Sqlite,
};

#[cfg(feature = "postgres")]
pub use crate::store::sql::postgres::Postgres;
#[cfg(feature = "sqlite")]
pub use sqlx;
