//! Statements of operators' changes and of API keys.

statements! {
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
}
