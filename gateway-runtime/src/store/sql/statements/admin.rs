//! What operators read.

use crate::store::sql::statements::Statement;

statements! {
    /// Anything; gives `0`, when the database is there.
    PING {
        sqlite: "SELECT '0' WHERE ?1 NOT NULL",
        postgres: "SELECT '0' WHERE $1::jsonb IS NOT NULL"
    }

    /// `[account]`; gives it as `Account` is read.
    FIND_ACCOUNT {
        sqlite: "SELECT json_object('id', id, 'plan', plan, 'created', created) FROM accounts WHERE id = ?1 ->> 0",
        postgres: "SELECT row_to_json(accounts)::text FROM accounts WHERE id = $1::jsonb ->> 0"
    }

    /// `[account]`; gives `{currency, available, held}`.
    FIND_BALANCES {
        sqlite: "SELECT json_object('currency', currency, 'available', available, 'held', held)
            FROM balances WHERE account = ?1 ->> 0 ORDER BY currency",
        postgres: "SELECT row_to_json(balances)::text FROM balances WHERE account = $1::jsonb ->> 0 ORDER BY currency"
    }

    /// `[only unknown, before, count]`; gives holds of calls with smaller names, the newest first.
    FIND_HOLDS {
        sqlite: concat!("SELECT ", hold_as_json!(), "
            FROM holds WHERE call < ?1 ->> 1 AND unknown >= ?1 ->> 0 ORDER BY call DESC LIMIT ?1 ->> 2"),
        postgres: "SELECT row_to_json(holds)::text FROM holds
            WHERE call < $1::jsonb ->> 1 AND unknown >= ($1::jsonb ->> 0)::boolean
            ORDER BY call DESC LIMIT ($1::jsonb ->> 2)::bigint"
    }

    /// `[call]`; gives its hold.
    FIND_HOLD {
        sqlite: concat!("SELECT ", hold_as_json!(), " FROM holds WHERE call = ?1 ->> 0"),
        postgres: "SELECT row_to_json(holds)::text FROM holds WHERE call = $1::jsonb ->> 0"
    }

    /// `[account, before, count]`; gives its newest entries with smaller numbers, as `Entry` is read.
    FIND_ENTRIES {
        sqlite: "SELECT json_object('id', id, 'at', at, 'currency', currency, 'kind', kind, 'amount', amount,
                'reference', reference)
            FROM entries WHERE account = ?1 ->> 0 AND id < ?1 ->> 1 ORDER BY id DESC LIMIT ?1 ->> 2",
        postgres: "SELECT row_to_json(entries)::text FROM entries
            WHERE account = $1::jsonb ->> 0 AND id < ($1::jsonb ->> 1)::bigint
            ORDER BY id DESC LIMIT ($1::jsonb ->> 2)::bigint",
        reads_staging: true
    }

    /// `[id]`; gives the key as `KeptKey` is read.
    FIND_KEY {
        sqlite: "SELECT json_object('id', id, 'account', account, 'scopes', json(scopes), 'expires', expires,
                'revoked', json(iif(revoked, 'true', 'false')), 'hash', hash, 'created', created)
            FROM api_keys WHERE id = ?1 ->> 0",
        postgres: "SELECT json_build_object('id', id, 'account', account, 'scopes', scopes::json, 'expires', expires,
                'revoked', revoked, 'hash', hash, 'created', created)::text
            FROM api_keys WHERE id = $1::jsonb ->> 0"
    }

    /// `[before, count]`; gives the newest changes with smaller numbers, as `Edited` is read.
    FIND_CHANGES {
        sqlite: "SELECT json_object('id', id, 'at', at, 'who', who, 'kind', kind, 'subject', subject, 'document', document)
            FROM changes WHERE id < ?1 ->> 0 ORDER BY id DESC LIMIT ?1 ->> 1",
        postgres: "SELECT row_to_json(changes)::text FROM changes WHERE id < ($1::jsonb ->> 0)::bigint
            ORDER BY id DESC LIMIT ($1::jsonb ->> 1)::bigint"
    }

    /// `[before, count]`; gives the newest price lists with smaller numbers, as `Edited` is read. There are few of them among
    /// many other changes.
    FIND_PRICES {
        sqlite: "SELECT json_object('id', id, 'at', at, 'who', who, 'kind', kind, 'subject', subject, 'document', document)
            FROM changes WHERE id IN (SELECT id FROM changes INDEXED BY changes_of_a_subject
                WHERE kind = 'prices' AND id < ?1 ->> 0 ORDER BY id DESC LIMIT ?1 ->> 1) ORDER BY id DESC",
        postgres: "WITH found AS MATERIALIZED (SELECT id FROM changes
                WHERE kind = 'prices' AND id < ($1::jsonb ->> 0)::bigint)
            SELECT row_to_json(changes)::text FROM changes
            WHERE id IN (SELECT id FROM found ORDER BY id DESC LIMIT ($1::jsonb ->> 1)::bigint) ORDER BY id DESC"
    }
}
