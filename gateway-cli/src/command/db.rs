//! `gateway db`: the arguments and the help.

use crate::command::{Command, Options};

/// The owner of the gateway's own migrations.
const GATEWAY: &str = "gateway";

pub(super) const HELP: &str = "  \
  db status                         print the migrations, and which of them are applied
  db migrate                        apply the missing migrations
  db migrate --to N [--owner NAME]  migrate one owner (default: gateway) to version N, forward or
                                    back
";

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DbCommand {
    Status,
    Migrate,
    /// A migration of one owner to a version, forward or back.
    MigrateTo {
        owner: String,
        version: i64,
    },
}

/// Parses the words after `db`; `None` if they are unknown.
pub(super) fn read(words: &[&str], mut options: Options) -> Result<Option<Command>, String> {
    let command = match words {
        ["status"] => DbCommand::Status,
        ["migrate"] => migrate(&mut options)?,
        _ => return Ok(None),
    };
    Ok(Some(Command::Db(command, options.into_rest())))
}

fn migrate(options: &mut Options) -> Result<DbCommand, String> {
    let owner = options.take("--owner")?;
    let Some(to) = options.take("--to")? else {
        return match owner {
            None => Ok(DbCommand::Migrate),
            Some(owner) => Err(format!(
                "`--owner {owner}` without `--to`\nhelp: add `--to` with the version of a \
                 migration, or 0"
            )),
        };
    };
    let version = to.parse().ok().filter(|version| *version >= 0);
    let version = version.ok_or_else(|| {
        format!("invalid value `{to}` for `--to`\nhelp: use the version of a migration, or 0")
    })?;
    Ok(DbCommand::MigrateTo { owner: owner.unwrap_or_else(|| GATEWAY.to_owned()), version })
}
