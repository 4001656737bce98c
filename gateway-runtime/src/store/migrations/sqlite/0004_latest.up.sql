-- What came last, which no index finds yet. Every call writes here; a thousand rows at a time are moved to `requests` and
-- `entries`, and then each of their indexes is gone through once for all of them.
CREATE TABLE latest_requests (
    call       TEXT    NOT NULL PRIMARY KEY,
    request_id TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    account    TEXT,
    "user"     TEXT,
    kind       INTEGER NOT NULL,
    price      INTEGER,
    cost       INTEGER,
    duration   INTEGER NOT NULL,
    peer       TEXT,
    trace      TEXT,
    -- As JSON.
    attempts   TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE latest_charges (
    -- A call is charged once.
    reference TEXT    NOT NULL PRIMARY KEY,
    at        INTEGER NOT NULL,
    account   TEXT    NOT NULL,
    currency  TEXT    NOT NULL,
    kind      TEXT    NOT NULL CHECK (kind = 'charge'),
    amount    INTEGER NOT NULL CHECK (amount >= 0)
) STRICT, WITHOUT ROWID;

-- As before, but for AUTOINCREMENT: entries are never deleted, so no number comes twice, and none needs to be written down
-- elsewhere.
CREATE TABLE entries_only_added (
    id        INTEGER NOT NULL PRIMARY KEY,
    at        INTEGER NOT NULL,
    account   TEXT    NOT NULL,
    currency  TEXT    NOT NULL,
    kind      TEXT    NOT NULL CHECK (kind IN ('credit', 'charge')),
    amount    INTEGER NOT NULL CHECK (amount >= 0),
    reference TEXT    NOT NULL,
    -- Money comes in once for a reference, and a call is charged once.
    UNIQUE (kind, reference, account),
    FOREIGN KEY (account, currency) REFERENCES balances (account, currency)
) STRICT;

INSERT INTO entries_only_added SELECT * FROM entries;
DROP TABLE entries;
ALTER TABLE entries_only_added RENAME TO entries;
CREATE INDEX entries_of_an_account ON entries (account, id);
