//! Statements that find and read requests.

use crate::store::{
    RequestQuery, Statement,
    sql::statements::{
        access_path::{AccessPath, SELECTIVE_LIMIT, matching_ids},
        fragment::{SqlFragment, all, bound, compare, sql},
    },
};

/// A join that SQLite does not reorder to have the result in order.
const IN_THIS_ORDER: &str = "CROSS JOIN";

impl RequestQuery {
    /// Returns the conditions on the request kind.
    fn of_kind(&self) -> impl Iterator<Item = SqlFragment> {
        [
            (self.origin.is_some(), "origin", "text"),
            (self.service.is_some(), "service", "text"),
            (self.version.is_some(), "version", "bigint"),
            (self.method.is_some(), "method", "text"),
            (self.status.is_some(), "status", "bigint"),
            (self.code.is_some(), "code", "text"),
            (self.fulfilled.is_some(), "fulfilled", "boolean"),
            (self.cache_hit.is_some(), "cache_hit", "boolean"),
            (self.replay.is_some(), "replay", "boolean"),
            (self.provider.is_some(), "provider", "text"),
            (self.currency.is_some(), "currency", "text"),
        ]
        .into_iter()
        .filter(|(is_asked, ..)| *is_asked)
        .map(|(_, column, type_of)| compare(column, "=", column, type_of))
    }

    pub(in crate::store) fn has_kinds(&self) -> bool {
        self.of_kind().next().is_some()
    }

    /// Returns the conditions on the request itself, without those that the access path `lead`
    /// covers: PostgreSQL would check them twice.
    fn of_row(&self, lead: AccessPath) -> impl Iterator<Item = SqlFragment> {
        let kinds = sql(
            "kind IN (SELECT value FROM json_each(?1 -> 'kinds'))",
            "kind = ANY (ARRAY (SELECT jsonb_array_elements_text($1::jsonb -> 'kinds')::bigint))",
        );
        [
            (self.request_id.is_some(), "request_id", "=", "request_id", "text"),
            (self.trace.is_some(), "trace", "=", "trace", "text"),
            (
                self.account.is_some() && lead != AccessPath::Account,
                "account",
                "=",
                "account",
                "text",
            ),
            (self.user.is_some() && lead != AccessPath::User, "\"user\"", "=", "user", "text"),
            (self.peer.is_some() && lead != AccessPath::Peer, "peer", "=", "peer", "text"),
            (self.min_price.is_some(), "price", ">=", "min_price", "bigint"),
            (self.max_price.is_some(), "price", "<=", "max_price", "bigint"),
            (self.min_cost.is_some(), "cost", ">=", "min_cost", "bigint"),
            (self.max_cost.is_some(), "cost", "<=", "max_cost", "bigint"),
            (self.since.is_some(), "at", ">=", "since", "bigint"),
            (self.until.is_some(), "at", "<", "until", "bigint"),
        ]
        .into_iter()
        .filter(|(is_asked, ..)| *is_asked)
        .map(|(_, column, operator, key, type_of)| compare(column, operator, key, type_of))
        .chain(
            (self.has_kinds() && !matches!(lead, AccessPath::Account | AccessPath::Kinds))
                .then_some(kinds),
        )
    }
}

/// Returns the statement that finds the matching request kinds.
pub(in crate::store) fn find_kinds(search: &RequestQuery) -> Statement {
    let condition = all(search.of_kind());
    sql(
        format!("SELECT CAST(id AS text) FROM kinds WHERE {}", condition.sqlite),
        format!("SELECT id::text FROM kinds WHERE {}", condition.postgres),
    )
    .into()
}

/// Returns the statement that finds requests, newest first, as `RequestRecord` is read.
pub(in crate::store) fn requests(search: &RequestQuery, lead: AccessPath) -> Statement {
    let limit = bound("count", "bigint");
    let conditions = all(search.of_row(lead));
    let found = if lead.is_in_order() {
        let SqlFragment { sqlite, .. } = matching_ids(search, lead, &conditions, &limit.sqlite);
        sql(
            sqlite,
            crate::store::sql::statements::requests::matching_ids(
                search,
                lead,
                &conditions,
                &limit.postgres,
            )
            .postgres,
        )
    } else {
        // All matches of the access path are read, and then sorted.
        let led = matching_ids(search, lead, &all([]), &SELECTIVE_LIMIT.to_string());
        let SqlFragment { sqlite, postgres } = all([
            compare("found.call", ">=", "low", "text"),
            compare("found.call", "<", "high", "text"),
            conditions,
        ]);
        let chosen = |join: &str, condition: &str, limit: &str| {
            format!(
                "chosen AS MATERIALIZED (SELECT requests.call FROM found {join} requests \
                    ON requests.call = found.call
                WHERE {condition} ORDER BY requests.call DESC LIMIT {limit})"
            )
        };
        sql(
            format!("{}, {}", led.sqlite, chosen(IN_THIS_ORDER, &sqlite, &limit.sqlite)),
            format!("{}, {}", led.postgres, chosen("JOIN", &postgres, &limit.postgres)),
        )
    };
    rows(&found, if lead.is_in_order() { "found" } else { "chosen" })
}

/// Returns the statement that reads the requests bound as `calls`, newest first, as `RequestRecord`
/// is read.
pub(in crate::store) fn requests_named() -> Statement {
    let found = sql(
        "found AS (SELECT value AS call FROM json_each(?1 -> 'calls'))",
        "found AS (SELECT jsonb_array_elements_text($1::jsonb -> 'calls') AS call)",
    );
    rows(&found, "found")
}

fn rows(with: &SqlFragment, names: &str) -> Statement {
    let joined = |join: &str| {
        format!(
            "{names} {join} requests ON requests.call = {names}.call {join} kinds \
                ON kinds.id = requests.kind
            ORDER BY requests.call DESC"
        )
    };
    sql(
        format!(
            "WITH RECURSIVE {} SELECT json_object('call', requests.call, 'request_id', request_id, \
                'at', at,
                'account', account, 'user', user, 'origin', origin, 'service', service, 'version', \
                version,
                'method', method, 'status', status, 'code', code, 'fulfilled', json(iif(fulfilled, \
                'true', 'false')),
                'cache_hit', json(iif(cache_hit, 'true', 'false')), 'replay', json(iif(replay, \
                'true', 'false')),
                'price', price, 'currency', currency, 'cost', cost, 'cost_currency', cost_currency,
                'provider', provider, 'duration', duration, 'peer', peer, 'trace', trace, \
                'attempts', attempts)
            FROM {}",
            with.sqlite,
            joined(IN_THIS_ORDER)
        ),
        format!(
            "WITH RECURSIVE {} SELECT row_to_json(r)::text FROM (SELECT requests.call, request_id, \
                at, account, \"user\",
                origin, service, version, method, status, code, fulfilled, cache_hit, replay, \
                price, currency, cost,
                cost_currency, provider, duration, peer, trace, attempts
            FROM {}) AS r",
            with.postgres,
            joined("JOIN")
        ),
    )
    .reading_latest()
}
