//! The tables whose rows are bound as values.

use crate::store::sql::table::{
    Column::{self, Boolean, Integer, Text},
    Table,
};

/// The ledger's entries for credits.
pub(in crate::store) static CREDITS: Table = Table::new("entries", ENTRIES);

/// The ledger's entries for charges.
pub(in crate::store) static CHARGES: Table = Table::staged("latest_charges", "entries", ENTRIES);

const ENTRIES: &[(&str, Column)] = &[
    ("reference", Text),
    ("at", Integer),
    ("account", Text),
    ("currency", Text),
    ("kind", Text),
    ("amount", Integer),
];

/// The open holds.
pub(in crate::store) static HOLDS: Table = Table::new(
    "holds",
    &[
        ("call", Text),
        ("account", Text),
        ("currency", Text),
        ("amount", Integer),
        ("at", Integer),
        ("until", Integer),
        ("lasting", Boolean),
        ("request_id", Text),
        ("user", Text),
        ("origin", Text),
        ("service", Text),
        ("version", Integer),
        ("method", Text),
        ("peer", Text),
        ("trace", Text),
        ("provider", Text),
    ],
);

/// The requests, each with the id of its kind. The row of a call that has not ended yet, or that
/// was taken for abandoned, is replaced by the row of its end; not so once an operator has settled
/// the hold, or the hold was resolved without a charge.
pub(in crate::store) static REQUESTS: Table = Table::staged(
    "latest_requests",
    "requests",
    &[
        ("call", Text),
        ("request_id", Text),
        ("at", Integer),
        ("account", Text),
        ("user", Text),
        ("kind", Integer),
        ("price", Integer),
        ("cost", Integer),
        ("duration", Integer),
        ("peer", Text),
        ("trace", Text),
        ("attempts", Text),
    ],
)
.replacing(
    "EXISTS (SELECT 1 FROM kinds WHERE kinds.id = {table}.kind
        AND (code = 'streaming' OR code = 'interrupted' AND {table}.price IS NULL))",
);
