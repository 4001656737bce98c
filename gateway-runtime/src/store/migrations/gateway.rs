//! The gateway's own migrations.

use crate::store::migrations::migration::{Migration, Migrations, Sql};

/// The gateway's own migrations.
pub(in crate::store) const GATEWAY: Migrations = {
    macro_rules! step {
        ($version:literal, $name:literal, $file:literal) => {
            Migration {
                version: $version,
                name: $name,
                sqlite: Some(Sql {
                    up: include_str!(concat!("sqlite/", $file, ".up.sql")),
                    down: include_str!(concat!("sqlite/", $file, ".down.sql")),
                }),
                postgres: Some(Sql {
                    up: include_str!(concat!("postgres/", $file, ".up.sql")),
                    down: include_str!(concat!("postgres/", $file, ".down.sql")),
                }),
            }
        };
    }
    Migrations {
        owner: "gateway",
        steps: &[
            step!(1, "books", "0001_books"),
            step!(2, "operator", "0002_operator"),
            step!(3, "kinds", "0003_kinds"),
            Migration {
                version: 4,
                name: "latest",
                sqlite: Some(Sql {
                    up: include_str!("sqlite/0004_latest.up.sql"),
                    down: include_str!("sqlite/0004_latest.down.sql"),
                }),
                postgres: None,
            },
            step!(5, "outbox", "0005_outbox"),
            step!(6, "holds", "0006_holds"),
            step!(7, "anonymous", "0007_anonymous"),
            step!(8, "views", "0008_views"),
        ],
    }
};
