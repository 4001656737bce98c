//! Statements of the operator's API.

statements! {
    /// Returns `0`. Takes any argument.
    PING {
        sqlite: "SELECT '0' WHERE ?1 NOT NULL",
        postgres: "SELECT '0' WHERE $1::jsonb IS NOT NULL"
    }

    /// Returns `[account]`, as `Account` is read.
    FIND_ACCOUNT {
        sqlite: "SELECT json_object('id', id, 'plan', plan, 'created', created) FROM accounts \
            WHERE id = ?1 ->> 0",
        postgres: "SELECT row_to_json(accounts)::text FROM accounts WHERE id = $1::jsonb ->> 0"
    }

    /// Returns the balances of `[account]`, as `{currency, available, held}`.
    FIND_BALANCES {
        sqlite: "SELECT json_object('currency', currency, 'available', available, 'held', held)
            FROM balances WHERE account = ?1 ->> 0 ORDER BY currency",
        postgres: "SELECT row_to_json(balances)::text FROM balances \
            WHERE account = $1::jsonb ->> 0 ORDER BY currency"
    }

    /// Returns the holds of calls with smaller ids, newest first. Takes `[only unknown, before,
    /// count]`.
    FIND_HOLDS {
        sqlite: concat!("SELECT ", hold_as_json!(), "
            FROM holds WHERE call < ?1 ->> 1 AND unknown >= ?1 ->> 0 ORDER BY call DESC \
            LIMIT ?1 ->> 2"),
        postgres: "SELECT row_to_json(holds)::text FROM holds
            WHERE call < $1::jsonb ->> 1 AND unknown >= ($1::jsonb ->> 0)::boolean
            ORDER BY call DESC LIMIT ($1::jsonb ->> 2)::bigint"
    }

    /// Returns the hold of `[call]`.
    FIND_HOLD {
        sqlite: concat!("SELECT ", hold_as_json!(), " FROM holds WHERE call = ?1 ->> 0"),
        postgres: "SELECT row_to_json(holds)::text FROM holds WHERE call = $1::jsonb ->> 0"
    }

    /// Returns the newest entries of an account with smaller numbers, as `LedgerEntry` is read.
    /// Takes `[account, before, count]`.
    FIND_ENTRIES {
        sqlite: "SELECT json_object('id', id, 'at', at, 'currency', currency, 'kind', kind, \
            'amount', amount,
                'reference', reference)
            FROM entries WHERE account = ?1 ->> 0 AND id < ?1 ->> 1 ORDER BY id DESC \
            LIMIT ?1 ->> 2",
        postgres: "SELECT row_to_json(entries)::text FROM entries
            WHERE account = $1::jsonb ->> 0 AND id < ($1::jsonb ->> 1)::bigint
            ORDER BY id DESC LIMIT ($1::jsonb ->> 2)::bigint",
        reads_staging: true
    }

    /// Returns the API key `[id]`, as `ApiKeyRecord` is read.
    FIND_KEY {
        sqlite: "SELECT json_object('id', id, 'account', account, 'scopes', json(scopes), \
            'expires', expires,
                'revoked', json(iif(revoked, 'true', 'false')), 'hash', hash, 'created', created)
            FROM api_keys WHERE id = ?1 ->> 0",
        postgres: "SELECT json_build_object('id', id, 'account', account, 'scopes', scopes::json, \
            'expires', expires,
                'revoked', revoked, 'hash', hash, 'created', created)::text
            FROM api_keys WHERE id = $1::jsonb ->> 0"
    }

    /// Returns the newest changes with smaller numbers, as `ChangeRecord` is read. Takes `[before,
    /// count]`.
    FIND_CHANGES {
        sqlite: "SELECT json_object('id', id, 'at', at, 'who', who, 'kind', kind, 'subject', \
            subject, 'document', document)
            FROM changes WHERE id < ?1 ->> 0 ORDER BY id DESC LIMIT ?1 ->> 1",
        postgres: "SELECT row_to_json(changes)::text FROM changes \
            WHERE id < ($1::jsonb ->> 0)::bigint
            ORDER BY id DESC LIMIT ($1::jsonb ->> 1)::bigint"
    }

    /// Returns the newest price lists with smaller numbers, as `ChangeRecord` is read. Takes
    /// `[before, count]`. Price lists are few among many other changes, so an index finds them.
    FIND_PRICES {
        sqlite: "SELECT json_object('id', id, 'at', at, 'who', who, 'kind', kind, 'subject', \
            subject, 'document', document)
            FROM changes WHERE id IN (SELECT id FROM changes INDEXED BY changes_of_a_subject
                WHERE kind = 'prices' AND id < ?1 ->> 0 ORDER BY id DESC LIMIT ?1 ->> 1) \
                ORDER BY id DESC",
        postgres: "WITH found AS MATERIALIZED (SELECT id FROM changes
                WHERE kind = 'prices' AND id < ($1::jsonb ->> 0)::bigint)
            SELECT row_to_json(changes)::text FROM changes
            WHERE id IN (SELECT id FROM found ORDER BY id DESC LIMIT ($1::jsonb ->> 1)::bigint) \
            ORDER BY id DESC"
    }
}
