//! The access paths of request queries, and the table of the ids that they find.
//!
//! The choice of an index is not left to statistics, which may be stale: SQLite gets the name of
//! the index, and PostgreSQL an order (`COLLATE "C"`) that the primary key does not have.

use crate::store::{
    RequestQuery, Statement,
    sql::statements::fragment::{SqlFragment, all, compare, same, sql},
};

/// The number of matches below which a condition is selective: all of them can be read in some
/// milliseconds. Smaller in tests, which have fewer requests.
pub(in crate::store) const SELECTIVE_LIMIT: u32 = if cfg!(test) { 60 } else { 8_000 };

/// The access path of a query: the condition whose index finds the candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum AccessPath {
    Id,
    Trace,
    User,
    /// The account, with the request kinds if the query has any.
    Account,
    Peer,
    Kinds,
    Cost,
    Price,
    /// No condition: the order of time.
    Newest,
}

impl AccessPath {
    /// Returns the possible access paths of a query, the best first if none is selective.
    pub(in crate::store) fn of(search: &RequestQuery) -> impl Iterator<Item = Self> {
        [
            (search.request_id.is_some(), Self::Id),
            (search.trace.is_some(), Self::Trace),
            (search.user.is_some(), Self::User),
            (search.account.is_some(), Self::Account),
            (search.peer.is_some(), Self::Peer),
            (search.account.is_none() && search.has_kinds(), Self::Kinds),
            (search.min_cost.is_some(), Self::Cost),
            (search.min_price.is_some(), Self::Price),
        ]
        .into_iter()
        .filter_map(|(can, path)| can.then_some(path))
    }

    /// Returns whether the index is in the order of time, so that a few rows fill a page.
    pub(in crate::store) fn is_in_order(self) -> bool {
        matches!(self, Self::User | Self::Account | Self::Peer | Self::Kinds | Self::Newest)
    }

    fn index(self) -> &'static str {
        match self {
            Self::Id => "requests_by_id",
            Self::Trace => "requests_of_a_trace",
            Self::User => "requests_of_a_user",
            Self::Account => "requests_of_an_account",
            Self::Peer => "requests_of_a_peer",
            Self::Kinds => "requests_of_a_kind",
            Self::Cost => "requests_by_cost",
            Self::Price => "requests_by_price",
            Self::Newest => "",
        }
    }
}

/// Returns the statement that counts the requests of an access path, up to [`SELECTIVE_LIMIT`].
pub(in crate::store) fn frequency(search: &RequestQuery, path: AccessPath) -> Statement {
    let found = match path {
        AccessPath::Account | AccessPath::Kinds => any_of_kinds(search, path),
        AccessPath::Id => {
            equal("1 AS call", "request_id", path.index(), &SELECTIVE_LIMIT.to_string())
        }
        AccessPath::Trace => {
            equal("1 AS call", "trace", path.index(), &SELECTIVE_LIMIT.to_string())
        }
        AccessPath::Cost => {
            at_least("1 AS call", "cost", path.index(), &SELECTIVE_LIMIT.to_string())
        }
        AccessPath::Price => {
            at_least("1 AS call", "price", path.index(), &SELECTIVE_LIMIT.to_string())
        }
        AccessPath::User | AccessPath::Peer | AccessPath::Newest => {
            matching_ids(search, path, &all([]), &SELECTIVE_LIMIT.to_string())
        }
    };
    sql(
        format!("WITH RECURSIVE {} SELECT CAST(count(*) AS text) FROM found", found.sqlite),
        format!("WITH RECURSIVE {} SELECT count(*)::text FROM found", found.postgres),
    )
    .into()
}

/// Returns the query of the ids that an access path finds, as the table `found`; the newest first
/// if the index is in that order.
pub(super) fn matching_ids(
    search: &RequestQuery,
    path: AccessPath,
    conditions: &SqlFragment,
    limit: &str,
) -> SqlFragment {
    let index = path.index();
    let in_range = in_range(path);
    match path {
        AccessPath::Newest => sql(
            format!(
                "found AS MATERIALIZED (SELECT call FROM requests WHERE {} AND {} \
                    ORDER BY call DESC LIMIT {limit})",
                in_range.sqlite, conditions.sqlite
            ),
            format!(
                "found AS MATERIALIZED (SELECT call FROM requests WHERE {} AND {} \
                    ORDER BY call DESC LIMIT {limit})",
                in_range.postgres, conditions.postgres
            ),
        ),
        AccessPath::Id => equal("call", "request_id", index, limit),
        AccessPath::Trace => equal("call", "trace", index, limit),
        AccessPath::Cost => at_least("call", "cost", index, limit),
        AccessPath::Price => at_least("call", "price", index, limit),
        AccessPath::User => in_order("user", index, &in_range, conditions, limit),
        AccessPath::Peer => in_order("peer", index, &in_range, conditions, limit),
        AccessPath::Account | AccessPath::Kinds => {
            let kinds = kinds(search);
            let SqlFragment { sqlite, postgres } = of_kind(path, &in_range, conditions);
            sql(
                format!(
                    "{}, found AS MATERIALIZED (SELECT newest.value AS call
                    FROM k, json_each((SELECT json_group_array(call) FROM ({sqlite} \
                    LIMIT {limit}))) AS newest
                    ORDER BY 1 DESC LIMIT {limit})",
                    kinds.sqlite
                ),
                format!(
                    "{}, found AS MATERIALIZED (SELECT newest.call FROM k, LATERAL ({postgres} \
                        LIMIT {limit}) AS newest
                    ORDER BY 1 DESC LIMIT {limit})",
                    kinds.postgres
                ),
            )
        }
    }
}

/// Returns the condition that an id is in the range of the query.
fn in_range(path: AccessPath) -> SqlFragment {
    let column = if path == AccessPath::Newest { "call" } else { "call COLLATE \"C\"" };
    let limits = all([compare(column, ">=", "low", "text"), compare(column, "<", "high", "text")]);
    let SqlFragment { sqlite, .. } =
        all([compare("call", ">=", "low", "text"), compare("call", "<", "high", "text")]);
    SqlFragment { sqlite, ..limits }
}

/// Returns the query of some ids that an access path finds by their kinds, in no order, as the
/// table `found`.
fn any_of_kinds(search: &RequestQuery, path: AccessPath) -> SqlFragment {
    let kinds = kinds(search);
    let in_range = in_range(path);
    let account = if path == AccessPath::Account { "account = (?1 ->> 'account') AND" } else { "" };
    sql(
        format!(
            "{}, found AS (SELECT call FROM k CROSS JOIN requests INDEXED BY {}
            WHERE {account} kind = k.value AND {} LIMIT {SELECTIVE_LIMIT})",
            kinds.sqlite,
            path.index(),
            in_range.sqlite
        ),
        format!(
            "{}, found AS (SELECT one.call FROM k, LATERAL ({} LIMIT {SELECTIVE_LIMIT}) AS one \
                LIMIT {SELECTIVE_LIMIT})",
            kinds.postgres,
            of_kind(path, &in_range, &all([])).postgres
        ),
    )
}

/// Returns the query of the request kinds of the query, as the table `k`.
fn kinds(search: &RequestQuery) -> SqlFragment {
    if !search.has_kinds() {
        return kinds_of_an_account();
    }
    sql(
        "k AS (SELECT value FROM json_each(?1 -> 'kinds'))",
        "k AS (SELECT jsonb_array_elements_text($1::jsonb -> 'kinds')::bigint AS value)",
    )
}

/// Returns the query of the newest ids of the kind `k.value`, and of the account if that is the
/// access path.
fn of_kind(path: AccessPath, in_range: &SqlFragment, conditions: &SqlFragment) -> SqlFragment {
    let index = path.index();
    let account = compare("account", "=", "account", "text");
    let account = if path == AccessPath::Account { account } else { same("true") };
    sql(
        format!(
            "SELECT call FROM requests INDEXED BY {index} WHERE {} AND kind = k.value AND {} \
                AND {} ORDER BY call DESC",
            account.sqlite, in_range.sqlite, conditions.sqlite
        ),
        format!(
            "SELECT call FROM requests WHERE {} AND kind = k.value AND {} AND {} \
                ORDER BY call COLLATE \"C\" DESC",
            account.postgres, in_range.postgres, conditions.postgres
        ),
    )
}

fn equal(columns: &str, column: &str, index: &str, limit: &str) -> SqlFragment {
    let condition = compare(column, "=", column, "text");
    sql(
        format!(
            "found AS MATERIALIZED (SELECT {columns} FROM requests INDEXED BY {index} WHERE {} \
                LIMIT {limit})",
            condition.sqlite
        ),
        format!(
            "found AS MATERIALIZED (SELECT {columns} FROM requests WHERE {} ORDER BY {column} \
                LIMIT {limit})",
            condition.postgres
        ),
    )
}

/// Returns the query of the ids with at least the lowest value; in PostgreSQL the greatest first.
fn at_least(columns: &str, column: &str, index: &str, limit: &str) -> SqlFragment {
    let condition = compare(column, ">=", &format!("min_{column}"), "bigint");
    sql(
        format!(
            "found AS MATERIALIZED (SELECT {columns} FROM requests INDEXED BY {index} WHERE {} \
                LIMIT {limit})",
            condition.sqlite
        ),
        format!(
            "found AS MATERIALIZED (SELECT {columns} FROM requests WHERE {} ORDER BY {column} DESC \
                LIMIT {limit})",
            condition.postgres
        ),
    )
}

fn in_order(
    key: &str,
    index: &str,
    in_range: &SqlFragment,
    conditions: &SqlFragment,
    limit: &str,
) -> SqlFragment {
    let matches_key = compare(&format!("\"{key}\""), "=", key, "text");
    sql(
        format!(
            "found AS MATERIALIZED (SELECT call FROM requests INDEXED BY {index} WHERE {} AND {} \
                AND {}
            ORDER BY call DESC LIMIT {limit})",
            matches_key.sqlite, in_range.sqlite, conditions.sqlite
        ),
        format!(
            "found AS MATERIALIZED (SELECT call FROM requests WHERE {} AND {} AND {}
            ORDER BY call COLLATE \"C\" DESC LIMIT {limit})",
            matches_key.postgres, in_range.postgres, conditions.postgres
        ),
    )
}

/// Returns the query of the kinds of an account's requests. Each is found from the one before it,
/// by one step in the index.
fn kinds_of_an_account() -> SqlFragment {
    sql(
        "k AS (SELECT (SELECT kind FROM requests INDEXED BY requests_of_an_account
                WHERE account = (?1 ->> 'account') ORDER BY kind LIMIT 1) AS value
            UNION ALL SELECT (SELECT kind FROM requests INDEXED BY requests_of_an_account
                WHERE account = (?1 ->> 'account') AND kind > k.value ORDER BY kind LIMIT 1)
            FROM k WHERE k.value IS NOT NULL)",
        "k AS ((SELECT kind AS value FROM requests WHERE account IS NOT NULL \
            AND account >= ($1::jsonb ->> 'account')
                AND account <= ($1::jsonb ->> 'account') ORDER BY account, kind LIMIT 1)
            UNION ALL SELECT (SELECT kind FROM requests WHERE account IS NOT NULL
                AND (account, kind) > ($1::jsonb ->> 'account', k.value) \
                AND account <= ($1::jsonb ->> 'account')
                ORDER BY account, kind LIMIT 1) FROM k WHERE k.value IS NOT NULL)",
    )
}
