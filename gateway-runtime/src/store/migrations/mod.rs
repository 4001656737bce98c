//! Migrations of the database: versioned steps forward and back, embedded in the binary.
//!
//! The gateway has its own, and each crate of an author's may have some, numbered separately.

mod apply;
mod gateway;
mod migration;

pub use crate::store::migrations::migration::{Migration, MigrationStatus, Migrations, Sql};
pub(super) use crate::store::migrations::{
    apply::{apply, migrate_to, require, status},
    gateway::GATEWAY,
    migration::Dialect,
};
