-- What is told of requests in few words comes in few combinations: each is written down once, and a request names its kind.
-- So rows are narrow, one index finds requests by any of these columns, and none by several of them is looked for in vain.
CREATE TABLE kinds (
    -- A digest of the others.
    id            INTEGER NOT NULL PRIMARY KEY,
    origin        TEXT    NOT NULL,
    service       TEXT    NOT NULL,
    version       INTEGER NOT NULL,
    method        TEXT    NOT NULL,
    status        INTEGER NOT NULL,
    code          TEXT,
    fulfilled     INTEGER NOT NULL,
    cache_hit     INTEGER NOT NULL,
    replay        INTEGER NOT NULL,
    provider      TEXT,
    currency      TEXT,
    cost_currency TEXT
) STRICT;

INSERT INTO kinds SELECT row_number() OVER (), * FROM (
    SELECT DISTINCT origin, service, version, method, status, code, fulfilled, cache_hit, replay, provider, currency,
        cost_currency FROM requests) AS found;

CREATE TABLE requests_of_kinds (
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

INSERT INTO requests_of_kinds
    SELECT call, request_id, at, account, "user", kinds.id, price, cost, duration, peer, trace, attempts
    FROM requests JOIN kinds ON (requests.origin, requests.service, requests.version, requests.method, requests.status,
        requests.code, requests.fulfilled, requests.cache_hit, requests.replay, requests.provider, requests.currency,
        requests.cost_currency)
    IS (kinds.origin, kinds.service, kinds.version, kinds.method, kinds.status, kinds.code, kinds.fulfilled,
        kinds.cache_hit, kinds.replay, kinds.provider, kinds.currency, kinds.cost_currency);

DROP TABLE requests;
ALTER TABLE requests_of_kinds RENAME TO requests;

CREATE INDEX requests_by_id ON requests (request_id);
CREATE INDEX requests_of_a_kind ON requests (kind, call);
CREATE INDEX requests_of_an_account ON requests (account, kind, call) WHERE account IS NOT NULL;
CREATE INDEX requests_of_a_user ON requests ("user", call) WHERE "user" IS NOT NULL;
CREATE INDEX requests_of_a_peer ON requests (peer, call) WHERE peer IS NOT NULL;
CREATE INDEX requests_of_a_trace ON requests (trace) WHERE trace IS NOT NULL;
CREATE INDEX requests_by_cost ON requests (cost) WHERE cost IS NOT NULL;
CREATE INDEX requests_by_price ON requests (price) WHERE price IS NOT NULL;
