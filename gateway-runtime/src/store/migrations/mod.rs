//! Migrations of the database: versioned steps forward and back, embedded in the binary.
//!
//! The gateway has its own, and each crate of an author's may have some, numbered separately.

#[cfg(feature = "sqlite")]
mod apply;
#[cfg(feature = "sqlite")]
mod gateway;
mod migration;
#[cfg(feature = "sqlite")]
mod migrator;

pub use crate::store::migrations::migration::{Migration, MigrationStatus, Migrations, Sql};
#[cfg(feature = "sqlite")]
pub(super) use crate::store::migrations::{
    apply::{apply, migrate_to, require, status},
    gateway::GATEWAY,
    migrator::Dialect,
};
