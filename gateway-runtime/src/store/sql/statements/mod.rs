//! The SQL, in both dialects. Each statement takes one JSON text and gives rows of one JSON text.

use std::borrow::Cow;

use crate::store::sql::table::{
    Column::{self, Boolean, Integer, Text},
    Table,
};

/// One statement, as each database writes it.
#[derive(Debug)]
pub struct Statement {
    pub(in crate::store) sqlite: Cow<'static, str>,
    #[cfg_attr(
        not(feature = "postgres"),
        expect(dead_code, reason = "written for both, so that both stay in view")
    )]
    pub(in crate::store) postgres: Cow<'static, str>,
    /// Whether it reads what SQLite writes by way of another table.
    pub(in crate::store) reads_staging: bool,
    /// Whether it is polled by the clock, and finds so little that SQLite is read on the calling thread.
    pub(in crate::store) is_polled: bool,
}

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident { sqlite: $sqlite:expr, postgres: $postgres:expr $(, reads_staging: $latest:literal)? $(, is_polled: $polled:literal)? })*) => {$(
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
    /// Whether it is one of many that were put together for what is asked for; a database need not remember it.
    pub(in crate::store) fn is_dynamic(&self) -> bool {
        matches!(self.sqlite, Cow::Owned(_))
    }
}

/// SQLite's JSON of a hold, as it is read.
macro_rules! hold_as_json {
    () => {
        "json_object('call', call, 'account', account, 'currency', currency, 'amount', amount, 'at', at,
            'until', until, 'lasting', json(iif(lasting, 'true', 'false')),
            'unknown', json(iif(unknown, 'true', 'false')), 'request_id', request_id, 'user', user, 'origin', origin,
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

/// Entries of the ledger, for money that comes in.
pub(in crate::store) static CREDITS: Table = Table::new("entries", ENTRIES);

/// Entries of the ledger, for what calls have cost.
pub(in crate::store) static CHARGES: Table = Table::staged("latest_charges", "entries", ENTRIES);

const ENTRIES: &[(&str, Column)] = &[
    ("reference", Text),
    ("at", Integer),
    ("account", Text),
    ("currency", Text),
    ("kind", Text),
    ("amount", Integer),
];

/// Money set aside.
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

/// Requests, each with the name of its kind. The row of a call that has not ended yet, or of which nobody knew that it
/// would, is replaced by that of its end; not so once an operator has said what becomes of its money, or nothing is
/// left of that.
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
    /// `[{id, plan, created}]`; gives the names of those that are new.
    OPEN_ACCOUNTS {
        sqlite: "INSERT INTO accounts (id, plan, created)
            SELECT value ->> 'id', value ->> 'plan', value ->> 'created' FROM jsonb_each(?1) WHERE true
            ON CONFLICT DO NOTHING RETURNING json_quote(id)",
        postgres: "INSERT INTO accounts (id, plan, created)
            SELECT id, plan, created FROM jsonb_to_recordset($1::jsonb) AS j (id text, plan text, created bigint)
            ON CONFLICT DO NOTHING RETURNING to_json(id)::text"
    }

    /// Anything; writes what is there already, to see whether it can be written.
    WRITE_SOMETHING {
        // SQLite writes no page for an UPDATE that changes nothing.
        sqlite: "REPLACE INTO accounts SELECT * FROM accounts WHERE id = (SELECT min(id) FROM accounts) AND ?1 NOT NULL",
        postgres: "UPDATE accounts SET plan = plan WHERE id = (SELECT min(id) FROM accounts) AND $1::jsonb IS NOT NULL
            RETURNING '0'"
    }

    /// `[{account, currency}]`: an empty balance where an account has none.
    ENSURE_BALANCES {
        sqlite: "INSERT INTO balances (account, currency, available, held)
            SELECT accounts.id, value ->> 'currency', 0, 0 FROM jsonb_each(?1) JOIN accounts ON accounts.id = value ->> 'account' WHERE true
            ON CONFLICT DO NOTHING",
        postgres: "INSERT INTO balances (account, currency, available, held)
            SELECT id, currency, 0, 0
            FROM jsonb_to_recordset($1::jsonb) AS j (account text, currency text) JOIN accounts ON id = account
            ORDER BY id, currency ON CONFLICT DO NOTHING"
    }

    /// `[{account, currency}]`, each once; gives `{account, currency, available, held}`, which nobody else changes until the end.
    LOCK_BALANCES {
        sqlite: "SELECT json_object('account', account, 'currency', currency, 'available', available, 'held', held)
            FROM jsonb_each(?1) JOIN balances ON account = value ->> 'account' AND currency = value ->> 'currency'",
        postgres: "SELECT json_build_object('account', account, 'currency', currency,
                'available', available, 'held', held)::text
            FROM balances JOIN jsonb_to_recordset($1::jsonb) AS j (account text, currency text) USING (account, currency)
            ORDER BY account, currency FOR UPDATE OF balances"
    }

    /// `[{account, currency, available, held}]`
    SET_BALANCES {
        sqlite: "UPDATE balances SET available = value ->> 'available', held = value ->> 'held'
            FROM jsonb_each(?1) WHERE account = value ->> 'account' AND currency = value ->> 'currency'",
        postgres: "UPDATE balances SET available = j.available, held = j.held
            FROM jsonb_to_recordset($1::jsonb) AS j (account text, currency text, available bigint, held bigint)
            WHERE balances.account = j.account AND balances.currency = j.currency"
    }

    /// `[{account, reference}]`; gives the credits that there are, as `{account, reference, currency, amount}`. The
    /// charges before them have their numbers then.
    FIND_CREDITS {
        sqlite: "SELECT json_object('account', account, 'reference', reference, 'currency', currency, 'amount', amount)
            FROM jsonb_each(?1) JOIN entries
            ON kind = 'credit' AND reference = value ->> 'reference' AND account = value ->> 'account'",
        postgres: "SELECT json_build_object('account', account, 'reference', reference,
                'currency', currency, 'amount', amount)::text
            FROM entries JOIN jsonb_to_recordset($1::jsonb) AS j (account text, reference text) USING (account, reference)
            WHERE kind = 'credit'",
        reads_staging: true
    }

    /// `[time]`: the holds whose calls must have ended before that time, as `HeldRow` is read.
    OVERDUE_HOLDS {
        sqlite: concat!("SELECT ", hold_as_json!(), " FROM holds WHERE NOT unknown AND until < ?1 ->> 0 LIMIT 256"),
        postgres: "SELECT row_to_json(holds)::text
            FROM holds WHERE NOT unknown AND until < ($1::jsonb ->> 0)::bigint LIMIT 256"
    }

    /// `[call]`: their calls have ended, and nobody knows how; gives those of which that was not known.
    KEEP_HOLDS {
        sqlite: "UPDATE holds SET unknown = 1 WHERE NOT unknown AND call IN (SELECT value FROM jsonb_each(?1))
            RETURNING json_quote(call)",
        postgres: "UPDATE holds SET unknown = true
            WHERE NOT unknown AND call IN (SELECT jsonb_array_elements_text($1::jsonb)) RETURNING to_json(call)::text"
    }

    /// `[{call, provider}]`: they are about to be asked.
    NOTE_PROVIDERS {
        sqlite: "UPDATE holds SET provider = value ->> 'provider' FROM jsonb_each(?1) WHERE call = value ->> 'call'",
        postgres: "UPDATE holds SET provider = j.provider
            FROM jsonb_to_recordset($1::jsonb) AS j (call text, provider text) WHERE holds.call = j.call"
    }

    /// `[{call, kind, price}]`: what an operator charges for calls that are in the log.
    SET_PRICES {
        sqlite: "UPDATE requests SET kind = value ->> 'kind', price = value ->> 'price' FROM json_each(?1)
            WHERE call = value ->> 'call'",
        postgres: "UPDATE requests SET kind = j.kind, price = j.price
            FROM jsonb_to_recordset($1::jsonb) AS j (call text, kind bigint, price bigint) WHERE requests.call = j.call",
        reads_staging: true
    }

    /// `[0]`: until the end nobody else adds a change, so that their order is the order in which they can be seen.
    LOCK_CHANGES {
        sqlite: "SELECT 'null' WHERE ?1 IS NULL",
        postgres: "SELECT 'null' FROM (SELECT pg_advisory_xact_lock(8031729), $1::jsonb) AS locked"
    }

    /// `[{kind, subject}]`; gives the latest change of each, as `Edited` is read.
    LATEST_CHANGES {
        sqlite: "SELECT json_object('id', id, 'at', at, 'who', who, 'kind', kind, 'subject', subject, 'document', document)
            FROM changes WHERE id IN (SELECT (SELECT max(id) FROM changes
                WHERE kind = value ->> 'kind' AND subject = value ->> 'subject') FROM jsonb_each(?1))",
        postgres: "SELECT row_to_json(changes)::text FROM changes
            WHERE id IN (SELECT (SELECT max(id) FROM changes WHERE changes.kind = j.kind AND changes.subject = j.subject)
                FROM jsonb_to_recordset($1::jsonb) AS j (kind text, subject text))"
    }

    /// `[{at, who, kind, subject, document}]`
    ADD_CHANGES {
        sqlite: "INSERT INTO changes (at, who, kind, subject, document)
            SELECT value ->> 'at', value ->> 'who', value ->> 'kind', value ->> 'subject', value ->> 'document'
            FROM jsonb_each(?1)",
        postgres: "INSERT INTO changes (at, who, kind, subject, document)
            SELECT at, who, kind, subject, document FROM jsonb_to_recordset($1::jsonb)
            AS j (at bigint, who text, kind text, subject text, document text)"
    }

    /// `[0]`; gives the number of the last change.
    LAST_CHANGE {
        sqlite: "SELECT CAST(coalesce(max(id), 0) AS TEXT) FROM changes WHERE ?1 NOT NULL",
        postgres: "SELECT coalesce(max(id), 0)::text FROM changes WHERE $1::jsonb IS NOT NULL",
        is_polled: true
    }

    /// `[after, until]`; gives what was set by the changes between these and holds after them, as `Edited` is read: all price
    /// lists, the latest limits, the latest of each provider.
    SETTINGS {
        sqlite: "SELECT json_object('id', id, 'at', at, 'who', who, 'kind', kind, 'subject', subject, 'document', document)
            FROM changes WHERE id > ?1 ->> 0 AND id <= ?1 ->> 1 AND (kind = 'prices' OR id IN (SELECT max(id) FROM changes
                WHERE id <= ?1 ->> 1 AND kind IN ('limits', 'provider') GROUP BY kind, subject)) ORDER BY id",
        postgres: "SELECT row_to_json(changes)::text FROM changes
            WHERE id > ($1::jsonb ->> 0)::bigint AND id <= ($1::jsonb ->> 1)::bigint
            AND (kind = 'prices' OR id IN (SELECT max(id) FROM changes
                WHERE id <= ($1::jsonb ->> 1)::bigint AND kind IN ('limits', 'provider') GROUP BY kind, subject)) ORDER BY id"
    }

    /// `[account]`; gives `[plan]`.
    PLAN_OF {
        sqlite: "SELECT json_quote(plan) FROM accounts WHERE id = ?1 ->> 0",
        postgres: "SELECT to_json(plan)::text FROM accounts WHERE id = $1::jsonb ->> 0"
    }

    /// `[{scopes, key}]`, the key as `KeptKey` is written; gives the names of those whose account there is. One of the same
    /// name was made by the same request, and its secret was not told.
    ADD_KEYS {
        sqlite: "INSERT INTO api_keys (id, account, scopes, expires, hash, created)
            SELECT value ->> '$.key.id', accounts.id, value ->> 'scopes', value ->> '$.key.expires',
                value ->> '$.key.hash', value ->> '$.key.created'
            FROM jsonb_each(?1) JOIN accounts ON accounts.id = value ->> '$.key.account' WHERE true
            ON CONFLICT (id) DO UPDATE SET hash = excluded.hash WHERE api_keys.account = excluded.account
            RETURNING json_quote(id)",
        postgres: "INSERT INTO api_keys (id, account, scopes, expires, hash, created)
            SELECT key ->> 'id', accounts.id, scopes, (key ->> 'expires')::bigint, key ->> 'hash',
                (key ->> 'created')::bigint
            FROM jsonb_to_recordset($1::jsonb) AS j (scopes text, key jsonb) JOIN accounts ON accounts.id = key ->> 'account'
            ON CONFLICT (id) DO UPDATE SET hash = excluded.hash WHERE api_keys.account = excluded.account
            RETURNING to_json(id)::text"
    }

    /// `[{account, id}]`; gives the names of those that there were.
    REVOKE_KEYS {
        sqlite: "UPDATE api_keys SET revoked = 1 FROM jsonb_each(?1)
            WHERE api_keys.id = value ->> 'id' AND account = value ->> 'account' AND NOT revoked
            RETURNING json_quote(api_keys.id)",
        postgres: "UPDATE api_keys SET revoked = true
            FROM jsonb_to_recordset($1::jsonb) AS j (account text, id text)
            WHERE api_keys.id = j.id AND api_keys.account = j.account AND NOT revoked RETURNING to_json(api_keys.id)::text"
    }

    /// `[{key, fingerprint, fence, until, once, bytes}]`; gives the fences of those that are new.
    ADD_CLAIMS {
        sqlite: "INSERT INTO claims (key, fingerprint, fence, until, once, bytes)
            SELECT value ->> 'key', value ->> 'fingerprint', value ->> 'fence', value ->> 'until', value ->> 'once', value ->> 'bytes'
            FROM jsonb_each(?1) WHERE true ON CONFLICT DO NOTHING RETURNING json_quote(fence)",
        postgres: "INSERT INTO claims (key, fingerprint, fence, until, once, bytes)
            SELECT key, fingerprint, fence, until, once, bytes FROM jsonb_to_recordset($1::jsonb)
            AS j (key text, fingerprint text, fence text, until bigint, once boolean, bytes bigint) ORDER BY key
            ON CONFLICT DO NOTHING RETURNING to_json(fence)::text"
    }

    /// `[key]`, each once; gives `{key, fingerprint, fence, until, once, answer}`.
    LOCK_CLAIMS {
        sqlite: "SELECT json_object('key', key, 'fingerprint', fingerprint, 'fence', fence, 'until', until,
                'once', json(iif(once, 'true', 'false')), 'answer', answer)
            FROM claims WHERE key IN (SELECT value FROM jsonb_each(?1))",
        postgres: "SELECT json_build_object('key', key, 'fingerprint', fingerprint, 'fence', fence, 'until', until,
                'once', once, 'answer', answer)::text
            FROM claims WHERE key IN (SELECT jsonb_array_elements_text($1::jsonb)) ORDER BY key FOR UPDATE"
    }

    /// `[{key, fingerprint, fence, until, once, bytes, before}]`: claims that are nobody's any more change hands.
    TAKE_CLAIMS {
        sqlite: "UPDATE claims SET fingerprint = value ->> 'fingerprint', fence = value ->> 'fence',
                until = value ->> 'until', once = value ->> 'once', bytes = value ->> 'bytes', answer = NULL
            FROM jsonb_each(?1) WHERE claims.key = value ->> 'key' AND claims.fence = value ->> 'before'",
        postgres: "UPDATE claims SET fingerprint = j.fingerprint, fence = j.fence, until = j.until, once = j.once,
                bytes = j.bytes, answer = NULL
            FROM jsonb_to_recordset($1::jsonb)
                AS j (key text, fingerprint text, fence text, until bigint, once boolean, bytes bigint, before text)
            WHERE claims.key = j.key AND claims.fence = j.before"
    }

    /// `[{key, fence, until}]`; gives the fences of those that still hold.
    RENEW_CLAIMS {
        sqlite: "UPDATE claims SET until = value ->> 'until' FROM jsonb_each(?1)
            WHERE claims.key = value ->> 'key' AND fence = value ->> 'fence' AND answer IS NULL RETURNING json_quote(fence)",
        postgres: "UPDATE claims SET until = j.until
            FROM jsonb_to_recordset($1::jsonb) AS j (key text, fence text, until bigint)
            WHERE claims.key = j.key AND claims.fence = j.fence AND answer IS NULL
            RETURNING to_json(claims.fence)::text"
    }

    /// `[{key, fence, until, answer}]`
    CLOSE_CLAIMS {
        sqlite: "UPDATE claims SET until = value ->> 'until', answer = value ->> 'answer',
                bytes = bytes + octet_length(value ->> 'answer') FROM jsonb_each(?1)
            WHERE claims.key = value ->> 'key' AND fence = value ->> 'fence' AND claims.answer IS NULL",
        postgres: "UPDATE claims SET until = j.until, answer = j.answer, bytes = bytes + octet_length(j.answer)
            FROM jsonb_to_recordset($1::jsonb) AS j (key text, fence text, until bigint, answer text)
            WHERE claims.key = j.key AND claims.fence = j.fence AND claims.answer IS NULL"
    }

    /// `[{key, fence}]`
    RELEASE_CLAIMS {
        sqlite: "DELETE FROM claims WHERE answer IS NULL AND (key, fence) IN
            (SELECT value ->> 'key', value ->> 'fence' FROM jsonb_each(?1))",
        postgres: "DELETE FROM claims USING jsonb_to_recordset($1::jsonb) AS j (key text, fence text)
            WHERE claims.key = j.key AND claims.fence = j.fence AND answer IS NULL"
    }

    /// `[{answered, open}]`: the claims that ended before these times are forgotten, a few at a time; gives `0` for each.
    FORGET_CLAIMS {
        sqlite: "DELETE FROM claims WHERE key IN (SELECT claims.key FROM jsonb_each(?1) JOIN claims
            ON until < value ->> 'answered' AND (answer IS NOT NULL OR until < value ->> 'open') LIMIT 256)
            RETURNING '0'",
        postgres: "DELETE FROM claims WHERE key IN (SELECT key FROM claims, jsonb_to_recordset($1::jsonb)
            AS j (answered bigint, open bigint)
            WHERE until < answered AND (answer IS NOT NULL OR until < open) LIMIT 256) RETURNING '0'"
    }

    /// Anything; gives how many bytes the claims take that are counted.
    COUNTED_BYTES {
        sqlite: "SELECT CAST(coalesce(sum(bytes), 0) AS TEXT) FROM claims WHERE bytes IS NOT NULL AND ?1 NOT NULL",
        postgres: "SELECT coalesce(sum(bytes), 0)::text FROM claims WHERE bytes IS NOT NULL AND $1::jsonb IS NOT NULL"
    }

    /// Kinds of requests; those that are there already stay as they are.
    ADD_KINDS {
        sqlite: "INSERT INTO kinds (id, origin, service, version, method, status, code, fulfilled, cache_hit, replay, provider,
                currency, cost_currency)
            SELECT value ->> 'id', value ->> 'origin', value ->> 'service', value ->> 'version', value ->> 'method',
                value ->> 'status', value ->> 'code', value ->> 'fulfilled', value ->> 'cache_hit', value ->> 'replay',
                value ->> 'provider', value ->> 'currency', value ->> 'cost_currency'
            FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING",
        postgres: "INSERT INTO kinds (id, origin, service, version, method, status, code, fulfilled, cache_hit, replay,
                provider, currency, cost_currency)
            SELECT * FROM jsonb_to_recordset($1::jsonb) AS j (id bigint, origin text, service text, version bigint,
                method text, status bigint, code text, fulfilled boolean, cache_hit boolean, replay boolean, provider text,
                currency text, cost_currency text)
            ON CONFLICT DO NOTHING"
    }

    /// `[account]`; gives `{account, currency, available, held, entries}`: the last is what the ledger adds up to.
    AUDIT {
        sqlite: "SELECT json_object('account', account, 'currency', currency, 'available', available, 'held', held,
                'entries', (SELECT coalesce(sum(iif(kind = 'credit', amount, -amount)), 0) FROM entries
                    WHERE entries.account = balances.account AND entries.currency = balances.currency)
                    - (SELECT coalesce(sum(amount), 0) FROM latest_charges AS latest
                        WHERE latest.account = balances.account AND latest.currency = balances.currency),
                'holds', (SELECT coalesce(sum(amount), 0) FROM holds
                    WHERE holds.account = balances.account AND holds.currency = balances.currency))
            FROM jsonb_each(?1) JOIN balances ON account = value ORDER BY currency",
        postgres: "SELECT json_build_object('account', account, 'currency', currency, 'available', available, 'held', held,
                'entries', (SELECT coalesce(sum(CASE kind WHEN 'credit' THEN amount ELSE -amount END), 0) FROM entries
                    WHERE entries.account = balances.account AND entries.currency = balances.currency),
                'holds', (SELECT coalesce(sum(amount), 0) FROM holds
                    WHERE holds.account = balances.account AND holds.currency = balances.currency))::text
            FROM balances WHERE account IN (SELECT jsonb_array_elements_text($1::jsonb)) ORDER BY currency"
    }
}
