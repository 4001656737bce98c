-- Whom calls belong to.
CREATE TABLE accounts (
    id      TEXT    NOT NULL PRIMARY KEY,
    plan    TEXT    NOT NULL,
    created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What an account has, in 10^-9 of a unit. The checks are the last line: the books decide before.
CREATE TABLE balances (
    account   TEXT    NOT NULL REFERENCES accounts (id),
    currency  TEXT    NOT NULL,
    available INTEGER NOT NULL CHECK (available >= 0),
    held      INTEGER NOT NULL CHECK (held >= 0),
    PRIMARY KEY (account, currency)
) STRICT, WITHOUT ROWID;

-- Money set aside for a call that has not ended, or whose outcome is not known.
CREATE TABLE holds (
    call     TEXT    NOT NULL PRIMARY KEY,
    account  TEXT    NOT NULL,
    currency TEXT    NOT NULL,
    amount   INTEGER NOT NULL CHECK (amount >= 0),
    at       INTEGER NOT NULL,
    unknown  INTEGER NOT NULL DEFAULT 0,
    FOREIGN KEY (account, currency) REFERENCES balances (account, currency)
) STRICT, WITHOUT ROWID;

-- The ledger: only ever added to. Each row moves an amount from one side to the other, so both always balance.
CREATE TABLE entries (
    id        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
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

CREATE INDEX entries_of_an_account ON entries (account, id);

-- Idempotency keys, by a digest of everything that they are unique for.
CREATE TABLE claims (
    key         TEXT    NOT NULL PRIMARY KEY,
    fingerprint TEXT    NOT NULL,
    fence       TEXT    NOT NULL,
    -- Until when an open claim is its holder's, or a closed one is kept; microseconds since 1970.
    until       INTEGER NOT NULL,
    once        INTEGER NOT NULL,
    -- Null as long as the call has not ended.
    answer      TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX claims_by_age ON claims (until);

-- One row a request, refused ones too. `call` begins with the time, so it also orders them.
CREATE TABLE requests (
    call        TEXT    NOT NULL PRIMARY KEY,
    request_id  TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    account     TEXT,
    user        TEXT,
    origin      TEXT    NOT NULL,
    service     TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    method      TEXT    NOT NULL,
    status      INTEGER NOT NULL,
    code        TEXT,
    fulfilled   INTEGER NOT NULL,
    cache_hit   INTEGER NOT NULL,
    replay      INTEGER NOT NULL,
    price       INTEGER,
    currency    TEXT,
    cost        INTEGER,
    cost_currency TEXT,
    provider    TEXT,
    duration    INTEGER NOT NULL,
    peer        TEXT,
    trace       TEXT,
    attempts    TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX requests_by_id ON requests (request_id);
CREATE INDEX requests_of_an_account ON requests (account, call);
CREATE INDEX requests_of_a_method ON requests (service, method, call);
CREATE INDEX requests_of_a_provider ON requests (provider, call) WHERE provider IS NOT NULL;
CREATE INDEX requests_by_code ON requests (code, call) WHERE code IS NOT NULL;
CREATE INDEX requests_by_status ON requests (status, call);
CREATE INDEX requests_by_cost ON requests (cost) WHERE cost > 0;
