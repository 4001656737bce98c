//! What must last: accounts and their money, idempotency keys, the record of requests.
//!
//! [`Books`] decides what a batch of [`Change`]s does, inside one transaction of a [`Database`]; `journal` makes the
//! batches, so that what concurrent calls must have on disk costs each of them a share of one commit. `statements` has
//! the SQL of both dialects; each database lives in a file of its own and knows nothing of what it keeps.

mod answers;
mod books;
mod change;
mod database;
mod db;
mod gathering;
mod glance;
mod hold;
mod journal;
mod kept;
mod migrations;
mod outbox;
#[cfg(feature = "postgres")]
mod postgres;
mod search;
mod settings;
mod sqlite;
mod statements;
mod sweep;
mod table;
mod wal;

pub use self::{
    books::Books,
    change::{
        Audit, CallKey, Change, Claim, ClaimKey, Claimed, Closing, Credit, Credited, Edit, EditKind, Edited, Outcome,
        Request, Settlement,
    },
    database::{BoxFuture, Database, StoreError, Transaction},
    db::Db,
    hold::{Attribution, Held, Hold},
    journal::Journal,
    kept::{Account, Balance, Entry, KeptKey, Span, Takings},
    migrations::{Migration, MigrationStatus, Migrations, Sql},
    outbox::Outbox,
    search::Search,
    settings::StoreSettings,
    sqlite::Sqlite,
    statements::Statement,
    table::{Column, Table, Value},
};
pub(crate) use self::{outbox::OutboxBatch, sweep::sweep};

#[cfg(feature = "postgres")]
pub use self::postgres::Postgres;
pub use sqlx;

#[cfg(test)]
mod tests;
