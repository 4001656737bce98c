-- What is told of requests in few words comes in few combinations: each is written down once, and a request names its kind.
-- So rows are narrow, one index finds requests by any of these columns, and none by several of them is looked for in vain.
CREATE TABLE kinds (
    -- A digest of the others.
    id            bigint NOT NULL PRIMARY KEY,
    origin        text    NOT NULL,
    service       text    NOT NULL,
    version       bigint NOT NULL,
    method        text    NOT NULL,
    status        bigint NOT NULL,
    code          text,
    fulfilled     boolean NOT NULL,
    cache_hit     boolean NOT NULL,
    replay        boolean NOT NULL,
    provider      text,
    currency      text,
    cost_currency text
);

INSERT INTO kinds SELECT row_number() OVER (), * FROM (
    SELECT DISTINCT origin, service, version, method, status, code, fulfilled, cache_hit, replay, provider, currency,
        cost_currency FROM requests) AS found;

CREATE TABLE requests_of_kinds (
    call       text    NOT NULL PRIMARY KEY,
    request_id text    NOT NULL,
    at         bigint NOT NULL,
    account    text,
    "user"     text,
    kind       bigint NOT NULL,
    price      bigint,
    cost       bigint,
    duration   bigint NOT NULL,
    peer       text,
    trace      text,
    -- As JSON.
    attempts   text
);

INSERT INTO requests_of_kinds
    SELECT call, request_id, at, account, "user", kinds.id, price, cost, duration, peer, trace, attempts
    FROM requests JOIN kinds ON (requests.origin, requests.service, requests.version, requests.method, requests.status,
        requests.code, requests.fulfilled, requests.cache_hit, requests.replay, requests.provider, requests.currency,
        requests.cost_currency)
    IS NOT DISTINCT FROM (kinds.origin, kinds.service, kinds.version, kinds.method, kinds.status, kinds.code, kinds.fulfilled,
        kinds.cache_hit, kinds.replay, kinds.provider, kinds.currency, kinds.cost_currency);

DROP TABLE requests;
ALTER TABLE requests_of_kinds RENAME TO requests;

-- The order is spelled out, so that whoever asks for it gets one of these and not the primary key.
CREATE INDEX requests_by_id ON requests (request_id);
CREATE INDEX requests_of_a_kind ON requests (kind, call COLLATE "C");
CREATE INDEX requests_of_an_account ON requests (account, kind, call COLLATE "C") WHERE account IS NOT NULL;
CREATE INDEX requests_of_a_user ON requests ("user", call COLLATE "C") WHERE "user" IS NOT NULL;
CREATE INDEX requests_of_a_peer ON requests (peer, call COLLATE "C") WHERE peer IS NOT NULL;
CREATE INDEX requests_of_a_trace ON requests (trace) WHERE trace IS NOT NULL;
CREATE INDEX requests_by_cost ON requests (cost) WHERE cost IS NOT NULL;
CREATE INDEX requests_by_price ON requests (price) WHERE price IS NOT NULL;
