INSERT INTO entries (reference, at, account, currency, kind, amount) SELECT * FROM latest_charges;
DROP TABLE latest_charges;

CREATE TABLE entries_numbered (
    id        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    account   TEXT    NOT NULL,
    currency  TEXT    NOT NULL,
    kind      TEXT    NOT NULL CHECK (kind IN ('credit', 'charge')),
    amount    INTEGER NOT NULL CHECK (amount >= 0),
    reference TEXT    NOT NULL,
    UNIQUE (kind, reference, account),
    FOREIGN KEY (account, currency) REFERENCES balances (account, currency)
) STRICT;

INSERT INTO entries_numbered SELECT * FROM entries;
DROP TABLE entries;
ALTER TABLE entries_numbered RENAME TO entries;
CREATE INDEX entries_of_an_account ON entries (account, id);

INSERT OR IGNORE INTO requests SELECT * FROM latest_requests;
DROP TABLE latest_requests;
