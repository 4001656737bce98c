//! The SQL statements, in both dialects.
//!
//! Each statement takes one JSON text as its argument, and returns rows of one JSON text.

use std::borrow::Cow;

use crate::store::sql::table::{
    Column::{self, Boolean, Integer, Text},
    Table,
};

/// A statement, in the dialect of each database.
#[derive(Debug)]
pub struct Statement {
    pub(in crate::store) sqlite: Cow<'static, str>,
    #[cfg_attr(
        not(feature = "postgres"),
        expect(dead_code, reason = "written for both, so that both stay in view")
    )]
    pub(in crate::store) postgres: Cow<'static, str>,
    /// Whether the statement reads tables that SQLite writes through a staging table.
    pub(in crate::store) reads_staging: bool,
    /// Whether the statement is polled and reads so little that SQLite runs it on the calling
    /// thread.
    pub(in crate::store) is_polled: bool,
}

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident {
        sqlite: $sqlite:expr,
        postgres: $postgres:expr
        $(, reads_staging: $latest:literal)?
        $(, is_polled: $polled:literal)?
    })*) => {$(
        $(#[$doc])*
        pub(in crate::store) static $name: Statement = Statement {
            sqlite: std::borrow::Cow::Borrowed($sqlite),
            postgres: std::borrow::Cow::Borrowed($postgres),
            reads_staging: false $(|| $latest)?,
            is_polled: false $(|| $polled)?,
        };
    )*};
}

impl Statement {
    /// Returns whether the statement was composed for one query, so that a database need not cache
    /// it.
    pub(in crate::store) fn is_dynamic(&self) -> bool {
        matches!(self.sqlite, Cow::Owned(_))
    }
}

/// Expands to SQLite's JSON of a hold, as `HoldRow` is read.
macro_rules! hold_as_json {
    () => {
        "json_object('call', call, 'account', account, 'currency', currency, 'amount', amount, \
            'at', at,
            'until', until, 'lasting', json(iif(lasting, 'true', 'false')),
            'unknown', json(iif(unknown, 'true', 'false')), 'request_id', request_id, 'user', \
            user, 'origin', origin,
            'service', service, 'version', version, 'method', method, 'peer', peer, 'trace', trace,
            'provider', provider)"
    };
}

pub(in crate::store) mod access_path;
mod admin;
mod fragment;
pub(in crate::store) mod margin;
pub(in crate::store) mod requests;

pub(in crate::store) use crate::store::sql::statements::admin::*;

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

statements! {
    /// Opens the accounts `[{id, plan, created}]`; returns the ids of the new ones.
    OPEN_ACCOUNTS {
        sqlite: "INSERT INTO accounts (id, plan, created)
            SELECT value ->> 'id', value ->> 'plan', value ->> 'created' FROM jsonb_each(?1) \
            WHERE true
            ON CONFLICT DO NOTHING RETURNING json_quote(id)",
        postgres: "INSERT INTO accounts (id, plan, created)
            SELECT id, plan, created FROM jsonb_to_recordset($1::jsonb) \
            AS j (id text, plan text, created bigint)
            ON CONFLICT DO NOTHING RETURNING to_json(id)::text"
    }

    /// Writes a row unchanged, to test whether the database can be written. Takes any argument.
    WRITE_SOMETHING {
        // REPLACE, because SQLite writes no page for an UPDATE that changes nothing.
        sqlite: "REPLACE INTO accounts SELECT * FROM accounts WHERE id = (SELECT min(id) \
            FROM accounts) AND ?1 NOT NULL",
        postgres: "UPDATE accounts SET plan = plan WHERE id = (SELECT min(id) FROM accounts) \
            AND $1::jsonb IS NOT NULL
            RETURNING '0'"
    }

    /// Inserts an empty balance for each of `[{account, currency}]` that exists as an account and
    /// has none.
    ENSURE_BALANCES {
        sqlite: "INSERT INTO balances (account, currency, available, held)
            SELECT accounts.id, value ->> 'currency', 0, 0 FROM jsonb_each(?1) JOIN accounts \
            ON accounts.id = value ->> 'account' WHERE true
            ON CONFLICT DO NOTHING",
        postgres: "INSERT INTO balances (account, currency, available, held)
            SELECT id, currency, 0, 0
            FROM jsonb_to_recordset($1::jsonb) AS j (account text, currency text) JOIN accounts \
            ON id = account
            ORDER BY id, currency ON CONFLICT DO NOTHING"
    }

    /// Locks the balances `[{account, currency}]`, each named once, until the transaction ends;
    /// returns them as `{account, currency, available, held}`.
    LOCK_BALANCES {
        sqlite: "SELECT json_object('account', account, 'currency', currency, 'available', \
            available, 'held', held)
            FROM jsonb_each(?1) JOIN balances ON account = value ->> 'account' \
            AND currency = value ->> 'currency'",
        postgres: "SELECT json_build_object('account', account, 'currency', currency,
                'available', available, 'held', held)::text
            FROM balances JOIN jsonb_to_recordset($1::jsonb) AS j (account text, currency text) \
            USING (account, currency)
            ORDER BY account, currency FOR UPDATE OF balances"
    }

    /// Updates the balances `[{account, currency, available, held}]`.
    SET_BALANCES {
        sqlite: "UPDATE balances SET available = value ->> 'available', held = value ->> 'held'
            FROM jsonb_each(?1) WHERE account = value ->> 'account' \
            AND currency = value ->> 'currency'",
        postgres: "UPDATE balances SET available = j.available, held = j.held
            FROM jsonb_to_recordset($1::jsonb) AS j (account text, currency text, available \
            bigint, held bigint)
            WHERE balances.account = j.account AND balances.currency = j.currency"
    }

    /// Returns the existing credits among `[{account, reference}]`, as `{account, reference,
    /// currency, amount}`. In SQLite this also merges the staged charges, so that earlier charges
    /// get smaller numbers than new credits.
    FIND_CREDITS {
        sqlite: "SELECT json_object('account', account, 'reference', reference, 'currency', \
            currency, 'amount', amount)
            FROM jsonb_each(?1) JOIN entries
            ON kind = 'credit' AND reference = value ->> 'reference' \
            AND account = value ->> 'account'",
        postgres: "SELECT json_build_object('account', account, 'reference', reference,
                'currency', currency, 'amount', amount)::text
            FROM entries JOIN jsonb_to_recordset($1::jsonb) AS j (account text, reference text) \
            USING (account, reference)
            WHERE kind = 'credit'",
        reads_staging: true
    }

    /// Returns the holds whose calls must have ended before `[time]`, as `HoldRow` is read.
    OVERDUE_HOLDS {
        sqlite: concat!("SELECT ", hold_as_json!(), " FROM holds WHERE NOT unknown \
            AND until < ?1 ->> 0 LIMIT 256"),
        postgres: "SELECT row_to_json(holds)::text
            FROM holds WHERE NOT unknown AND until < ($1::jsonb ->> 0)::bigint LIMIT 256"
    }

    /// Marks the holds of the calls `[call]` as of unknown outcome; returns the ids of those that
    /// were not marked before.
    KEEP_HOLDS {
        sqlite: "UPDATE holds SET unknown = 1 WHERE NOT unknown AND call IN (SELECT value \
            FROM jsonb_each(?1))
            RETURNING json_quote(call)",
        postgres: "UPDATE holds SET unknown = true
            WHERE NOT unknown AND call IN (SELECT jsonb_array_elements_text($1::jsonb)) \
            RETURNING to_json(call)::text"
    }

    /// Names the providers about to be asked, `[{call, provider}]`, in the calls' holds.
    NOTE_PROVIDERS {
        sqlite: "UPDATE holds SET provider = value ->> 'provider' FROM jsonb_each(?1) \
            WHERE call = value ->> 'call'",
        postgres: "UPDATE holds SET provider = j.provider
            FROM jsonb_to_recordset($1::jsonb) AS j (call text, provider text) \
            WHERE holds.call = j.call"
    }

    /// Updates logged requests to the prices `[{call, kind, price}]` that an operator has decided.
    SET_PRICES {
        sqlite: "UPDATE requests SET kind = value ->> 'kind', price = value ->> 'price' \
            FROM json_each(?1)
            WHERE call = value ->> 'call'",
        postgres: "UPDATE requests SET kind = j.kind, price = j.price
            FROM jsonb_to_recordset($1::jsonb) AS j (call text, kind bigint, price bigint) \
            WHERE requests.call = j.call",
        reads_staging: true
    }

    /// Locks the changes until the transaction ends, so that the order of their numbers is the
    /// order in which they become visible. Takes `[0]`.
    LOCK_CHANGES {
        sqlite: "SELECT 'null' WHERE ?1 IS NULL",
        postgres: "SELECT 'null' FROM (SELECT pg_advisory_xact_lock(8031729), $1::jsonb) AS locked"
    }

    /// Returns the latest change of each of `[{kind, subject}]`, as `ChangeRecord` is read.
    LATEST_CHANGES {
        sqlite: "SELECT json_object('id', id, 'at', at, 'who', who, 'kind', kind, 'subject', \
            subject, 'document', document)
            FROM changes WHERE id IN (SELECT (SELECT max(id) FROM changes
                WHERE kind = value ->> 'kind' AND subject = value ->> 'subject') \
                FROM jsonb_each(?1))",
        postgres: "SELECT row_to_json(changes)::text FROM changes
            WHERE id IN (SELECT (SELECT max(id) FROM changes WHERE changes.kind = j.kind \
            AND changes.subject = j.subject)
                FROM jsonb_to_recordset($1::jsonb) AS j (kind text, subject text))"
    }

    /// Inserts the changes `[{at, who, kind, subject, document}]`.
    ADD_CHANGES {
        sqlite: "INSERT INTO changes (at, who, kind, subject, document)
            SELECT value ->> 'at', value ->> 'who', value ->> 'kind', value ->> 'subject', value \
            ->> 'document'
            FROM jsonb_each(?1)",
        postgres: "INSERT INTO changes (at, who, kind, subject, document)
            SELECT at, who, kind, subject, document FROM jsonb_to_recordset($1::jsonb)
            AS j (at bigint, who text, kind text, subject text, document text)"
    }

    /// Returns the number of the last change. Takes `[0]`.
    LAST_CHANGE {
        sqlite: "SELECT CAST(coalesce(max(id), 0) AS TEXT) FROM changes WHERE ?1 NOT NULL",
        postgres: "SELECT coalesce(max(id), 0)::text FROM changes WHERE $1::jsonb IS NOT NULL",
        is_polled: true
    }

    /// Returns the changes with numbers in `[after, until]` that are in force after them, as
    /// `ChangeRecord` is read: all price lists, the latest limits, the latest of each provider.
    /// `after` is exclusive, `until` inclusive.
    SETTINGS {
        sqlite: "SELECT json_object('id', id, 'at', at, 'who', who, 'kind', kind, 'subject', \
            subject, 'document', document)
            FROM changes WHERE id > ?1 ->> 0 AND id <= ?1 ->> 1 AND (kind = 'prices' OR id \
            IN (SELECT max(id) FROM changes
                WHERE id <= ?1 ->> 1 AND kind IN ('limits', 'provider') GROUP BY kind, subject)) \
                ORDER BY id",
        postgres: "SELECT row_to_json(changes)::text FROM changes
            WHERE id > ($1::jsonb ->> 0)::bigint AND id <= ($1::jsonb ->> 1)::bigint
            AND (kind = 'prices' OR id IN (SELECT max(id) FROM changes
                WHERE id <= ($1::jsonb ->> 1)::bigint AND kind IN ('limits', 'provider') GROUP BY \
                kind, subject)) ORDER BY id"
    }

    /// Returns the plan of `[account]`.
    PLAN_OF {
        sqlite: "SELECT json_quote(plan) FROM accounts WHERE id = ?1 ->> 0",
        postgres: "SELECT to_json(plan)::text FROM accounts WHERE id = $1::jsonb ->> 0"
    }

    /// Inserts the API keys `[{scopes, key}]`, `key` as `ApiKeyRecord` is written; returns the ids
    /// of those whose accounts exist. A key with an existing id comes from a repetition of the same
    /// request, whose secret was never shown, and gets the new hash.
    ADD_KEYS {
        sqlite: "INSERT INTO api_keys (id, account, scopes, expires, hash, created)
            SELECT value ->> '$.key.id', accounts.id, value ->> 'scopes', value ->> '$.key.expires',
                value ->> '$.key.hash', value ->> '$.key.created'
            FROM jsonb_each(?1) JOIN accounts ON accounts.id = value ->> '$.key.account' WHERE true
            ON CONFLICT (id) DO UPDATE SET hash = excluded.hash \
            WHERE api_keys.account = excluded.account
            RETURNING json_quote(id)",
        postgres: "INSERT INTO api_keys (id, account, scopes, expires, hash, created)
            SELECT key ->> 'id', accounts.id, scopes, (key ->> 'expires')::bigint, key ->> 'hash',
                (key ->> 'created')::bigint
            FROM jsonb_to_recordset($1::jsonb) AS j (scopes text, key jsonb) JOIN accounts \
            ON accounts.id = key ->> 'account'
            ON CONFLICT (id) DO UPDATE SET hash = excluded.hash \
            WHERE api_keys.account = excluded.account
            RETURNING to_json(id)::text"
    }

    /// Revokes the API keys `[{account, id}]`; returns the ids of those that were in force.
    REVOKE_KEYS {
        sqlite: "UPDATE api_keys SET revoked = 1 FROM jsonb_each(?1)
            WHERE api_keys.id = value ->> 'id' AND account = value ->> 'account' AND NOT revoked
            RETURNING json_quote(api_keys.id)",
        postgres: "UPDATE api_keys SET revoked = true
            FROM jsonb_to_recordset($1::jsonb) AS j (account text, id text)
            WHERE api_keys.id = j.id AND api_keys.account = j.account AND NOT revoked \
            RETURNING to_json(api_keys.id)::text"
    }

    /// Inserts the claims `[{key, fingerprint, fence, until, once, bytes}]`; returns the fences of
    /// those whose keys are new.
    ADD_CLAIMS {
        sqlite: "INSERT INTO claims (key, fingerprint, fence, until, once, bytes)
            SELECT value ->> 'key', value ->> 'fingerprint', value ->> 'fence', value ->> 'until', \
            value ->> 'once', value ->> 'bytes'
            FROM jsonb_each(?1) WHERE true ON CONFLICT DO NOTHING RETURNING json_quote(fence)",
        postgres: "INSERT INTO claims (key, fingerprint, fence, until, once, bytes)
            SELECT key, fingerprint, fence, until, once, bytes FROM jsonb_to_recordset($1::jsonb)
            AS j (key text, fingerprint text, fence text, until bigint, once boolean, bytes \
            bigint) ORDER BY key
            ON CONFLICT DO NOTHING RETURNING to_json(fence)::text"
    }

    /// Locks the claims of the keys `[key]`, each named once; returns them as `{key, fingerprint,
    /// fence, until, once, answer}`.
    LOCK_CLAIMS {
        sqlite: "SELECT json_object('key', key, 'fingerprint', fingerprint, 'fence', fence, \
            'until', until,
                'once', json(iif(once, 'true', 'false')), 'answer', answer)
            FROM claims WHERE key IN (SELECT value FROM jsonb_each(?1))",
        postgres: "SELECT json_build_object('key', key, 'fingerprint', fingerprint, 'fence', \
            fence, 'until', until,
                'once', once, 'answer', answer)::text
            FROM claims WHERE key IN (SELECT jsonb_array_elements_text($1::jsonb)) \
            ORDER BY key FOR UPDATE"
    }

    /// Replaces the claims with the fence `before` by `[{key, fingerprint, fence, until, once,
    /// bytes, before}]`.
    TAKE_CLAIMS {
        sqlite: "UPDATE claims SET fingerprint = value ->> 'fingerprint', fence = value ->> 'fence',
                until = value ->> 'until', once = value ->> 'once', bytes = value ->> 'bytes', \
                answer = NULL
            FROM jsonb_each(?1) WHERE claims.key = value ->> 'key' \
            AND claims.fence = value ->> 'before'",
        postgres: "UPDATE claims SET fingerprint = j.fingerprint, fence = j.fence, until = \
            j.until, once = j.once,
                bytes = j.bytes, answer = NULL
            FROM jsonb_to_recordset($1::jsonb)
                AS j (key text, fingerprint text, fence text, until bigint, once boolean, bytes \
                bigint, before text)
            WHERE claims.key = j.key AND claims.fence = j.before"
    }

    /// Extends the leases of `[{key, fence, until}]`; returns the fences of the claims that still
    /// stand.
    RENEW_CLAIMS {
        sqlite: "UPDATE claims SET until = value ->> 'until' FROM jsonb_each(?1)
            WHERE claims.key = value ->> 'key' AND fence = value ->> 'fence' AND answer IS NULL \
            RETURNING json_quote(fence)",
        postgres: "UPDATE claims SET until = j.until
            FROM jsonb_to_recordset($1::jsonb) AS j (key text, fence text, until bigint)
            WHERE claims.key = j.key AND claims.fence = j.fence AND answer IS NULL
            RETURNING to_json(claims.fence)::text"
    }

    /// Stores the answers `[{key, fence, until, answer}]`.
    CLOSE_CLAIMS {
        sqlite: "UPDATE claims SET until = value ->> 'until', answer = value ->> 'answer',
                bytes = bytes + octet_length(value ->> 'answer') FROM jsonb_each(?1)
            WHERE claims.key = value ->> 'key' AND fence = value ->> 'fence' \
            AND claims.answer IS NULL",
        postgres: "UPDATE claims SET until = j.until, answer = j.answer, bytes = bytes + \
            octet_length(j.answer)
            FROM jsonb_to_recordset($1::jsonb) AS j (key text, fence text, until bigint, answer \
            text)
            WHERE claims.key = j.key AND claims.fence = j.fence AND claims.answer IS NULL"
    }

    /// Deletes the unanswered claims `[{key, fence}]`.
    RELEASE_CLAIMS {
        sqlite: "DELETE FROM claims WHERE answer IS NULL AND (key, fence) IN
            (SELECT value ->> 'key', value ->> 'fence' FROM jsonb_each(?1))",
        postgres: "DELETE FROM claims USING jsonb_to_recordset($1::jsonb) \
            AS j (key text, fence text)
            WHERE claims.key = j.key AND claims.fence = j.fence AND answer IS NULL"
    }

    /// Deletes claims that ended before `[{answered, open}]`, those with and those without an
    /// answer, a few at a time; returns `0` for each.
    FORGET_CLAIMS {
        sqlite: "DELETE FROM claims WHERE key IN (SELECT claims.key FROM jsonb_each(?1) JOIN claims
            ON until < value ->> 'answered' AND (answer IS NOT NULL OR until < value ->> 'open') \
            LIMIT 256)
            RETURNING '0'",
        postgres: "DELETE FROM claims WHERE key IN (SELECT key FROM claims, \
            jsonb_to_recordset($1::jsonb)
            AS j (answered bigint, open bigint)
            WHERE until < answered AND (answer IS NOT NULL OR until < open) LIMIT 256) \
            RETURNING '0'"
    }

    /// Returns the bytes of the claims that are counted. Takes any argument.
    COUNTED_BYTES {
        sqlite: "SELECT CAST(coalesce(sum(bytes), 0) AS TEXT) FROM claims WHERE bytes IS NOT NULL \
            AND ?1 NOT NULL",
        postgres: "SELECT coalesce(sum(bytes), 0)::text FROM claims WHERE bytes IS NOT NULL \
            AND $1::jsonb IS NOT NULL"
    }

    /// Inserts request kinds; existing ones stay unchanged.
    ADD_KINDS {
        sqlite: "INSERT INTO kinds (id, origin, service, version, method, status, code, fulfilled, \
            cache_hit, replay, provider,
                currency, cost_currency)
            SELECT value ->> 'id', value ->> 'origin', value ->> 'service', value ->> 'version', \
            value ->> 'method',
                value ->> 'status', value ->> 'code', value ->> 'fulfilled', value ->> \
                'cache_hit', value ->> 'replay',
                value ->> 'provider', value ->> 'currency', value ->> 'cost_currency'
            FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING",
        postgres: "INSERT INTO kinds (id, origin, service, version, method, status, code, \
            fulfilled, cache_hit, replay,
                provider, currency, cost_currency)
            SELECT * FROM jsonb_to_recordset($1::jsonb) AS j (id bigint, origin text, service \
            text, version bigint,
                method text, status bigint, code text, fulfilled boolean, cache_hit boolean, \
                replay boolean, provider text,
                currency text, cost_currency text)
            ON CONFLICT DO NOTHING"
    }

    /// Returns the balances of `[account]` as `{account, currency, available, held, entries,
    /// holds}`: `entries` is the sum of the ledger, `holds` that of the open holds.
    AUDIT {
        sqlite: "SELECT json_object('account', account, 'currency', currency, 'available', \
            available, 'held', held,
                'entries', (SELECT coalesce(sum(iif(kind = 'credit', amount, -amount)), 0) \
                FROM entries
                    WHERE entries.account = balances.account AND entries.currency = \
                    balances.currency)
                    - (SELECT coalesce(sum(amount), 0) FROM latest_charges AS latest
                        WHERE latest.account = balances.account \
                        AND latest.currency = balances.currency),
                'holds', (SELECT coalesce(sum(amount), 0) FROM holds
                    WHERE holds.account = balances.account AND holds.currency = balances.currency))
            FROM jsonb_each(?1) JOIN balances ON account = value ORDER BY currency",
        postgres: "SELECT json_build_object('account', account, 'currency', currency, 'available', \
            available, 'held', held,
                'entries', (SELECT coalesce(sum(CASE kind WHEN 'credit' \
                THEN amount ELSE -amount END), 0) FROM entries
                    WHERE entries.account = balances.account AND entries.currency = \
                    balances.currency),
                'holds', (SELECT coalesce(sum(amount), 0) FROM holds
                    WHERE holds.account = balances.account AND holds.currency = \
                    balances.currency))::text
            FROM balances WHERE account IN (SELECT jsonb_array_elements_text($1::jsonb)) \
            ORDER BY currency"
    }
}
