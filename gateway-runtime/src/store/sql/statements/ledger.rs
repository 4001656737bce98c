//! Statements of accounts, balances, the ledger and holds.

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

    /// Returns the plan of `[account]`.
    PLAN_OF {
        sqlite: "SELECT json_quote(plan) FROM accounts WHERE id = ?1 ->> 0",
        postgres: "SELECT to_json(plan)::text FROM accounts WHERE id = $1::jsonb ->> 0"
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
