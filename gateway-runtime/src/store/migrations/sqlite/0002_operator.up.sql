-- What operators have changed, and who did it and when. Some of it is what holds now: all price lists, the latest limits, the
-- latest of each provider.
CREATE TABLE changes (
    id       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    who      TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    -- As JSON.
    document TEXT    NOT NULL
) STRICT;

CREATE INDEX changes_of_a_subject ON changes (kind, subject, id);

-- The keys of clients: of their secrets the SHA-256, in hexadecimal digits.
CREATE TABLE api_keys (
    id      TEXT    NOT NULL PRIMARY KEY,
    account TEXT    NOT NULL REFERENCES accounts (id),
    -- A JSON array.
    scopes  TEXT    NOT NULL,
    expires INTEGER,
    revoked INTEGER NOT NULL DEFAULT 0,
    hash    TEXT    NOT NULL,
    created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX api_keys_of_an_account ON api_keys (account, id);

-- When the call of a hold must have ended, whatever became of its gateway; microseconds since 1970.
ALTER TABLE holds ADD COLUMN until INTEGER NOT NULL DEFAULT 0;
-- Whether a call that never ended may have done something that lasts.
ALTER TABLE holds ADD COLUMN lasting INTEGER NOT NULL DEFAULT 1;
