//! Statements that write the request log.

statements! {
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

    /// Writes a row unchanged, to test whether the database can be written. Takes any argument.
    WRITE_SOMETHING {
        // REPLACE, because SQLite writes no page for an UPDATE that changes nothing.
        sqlite: "REPLACE INTO accounts SELECT * FROM accounts WHERE id = (SELECT min(id) \
            FROM accounts) AND ?1 NOT NULL",
        postgres: "UPDATE accounts SET plan = plan WHERE id = (SELECT min(id) FROM accounts) \
            AND $1::jsonb IS NOT NULL
            RETURNING '0'"
    }
}
