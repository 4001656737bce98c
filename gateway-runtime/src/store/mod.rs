//! What must last: accounts and their money, idempotency keys, the record of requests.
//!
//! [`Books`] decides what a batch of [`Change`]s does, inside one transaction of a [`Database`]; `journal` makes the
//! batches, so that what concurrent calls must have on disk costs each of them a share of one commit. `statements` has
//! the SQL of both dialects; each database lives in a file of its own and knows nothing of what it keeps.

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
