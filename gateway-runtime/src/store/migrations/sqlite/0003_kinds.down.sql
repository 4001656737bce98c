-- One row a request, refused ones too. `call` begins with the time, so it also orders them.
CREATE TABLE requests_of_all_kinds (
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

INSERT INTO requests_of_all_kinds SELECT call, request_id, at, account, "user", origin, service, version, method, status, code, fulfilled, cache_hit, replay, price,
        currency, cost, cost_currency, provider, duration, peer, trace, attempts
    FROM requests JOIN kinds ON kinds.id = requests.kind;

DROP TABLE requests;
ALTER TABLE requests_of_all_kinds RENAME TO requests;
DROP TABLE kinds;

CREATE INDEX requests_by_id ON requests (request_id);
CREATE INDEX requests_of_an_account ON requests (account, call);
CREATE INDEX requests_of_a_method ON requests (service, method, call);
CREATE INDEX requests_of_a_provider ON requests (provider, call) WHERE provider IS NOT NULL;
CREATE INDEX requests_by_code ON requests (code, call) WHERE code IS NOT NULL;
CREATE INDEX requests_by_status ON requests (status, call);
CREATE INDEX requests_by_cost ON requests (cost) WHERE cost > 0;
