//! Statements of the claims of idempotency keys.

statements! {
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
}
