//! `gateway db`: status of the migrations, and migration forward or back.

use std::fmt::Write;

use gateway_runtime::{Gateway, db::MigrationStatus};

use crate::{command::DbCommand, print, render_problem};

pub(crate) fn execute(gateway: &Gateway, command: DbCommand) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot create a runtime: {error}"))?;
    runtime.block_on(async {
        match command {
            DbCommand::Status => {}
            DbCommand::Migrate => gateway.migrate().await.map_err(render_problem)?,
            DbCommand::MigrateTo { owner, version } => {
                gateway.migrate_to(&owner, version).await.map_err(render_problem)?
            }
        }
        print(table(&gateway.migration_status().await.map_err(render_problem)?).trim_end())
    })
}

/// Formats the migrations, a line for each.
fn table(status: &[MigrationStatus]) -> String {
    let width = status.iter().map(|step| step.owner.len()).max().unwrap_or(0);
    let mut table = String::new();
    for MigrationStatus { owner, version, name, is_applied } in status {
        let state = if *is_applied { "applied" } else { "missing" };
        let name = if name.is_empty() { "(of a newer program)" } else { name };
        // Writing to a string cannot fail.
        let _ = writeln!(table, "{owner:width$}  {version:>4}  {state}  {name}");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_migration_has_a_line() {
        let step =
            |owner, version, name, is_applied| MigrationStatus { owner, version, name, is_applied };
        let status = [
            step("gateway", 1, "books", true),
            step("till", 12, "", true),
            step("till", 2, "coins", false),
        ];
        let lines = "gateway     1  applied  books\ntill       12  applied  (of a newer program)\n\
                     till        2  missing  coins\n";
        assert_eq!(table(&status), lines);
    }
}
