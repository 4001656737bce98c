-- Views for people who read the books with other tools: plain columns, times as RFC 3339 in UTC, money as decimal text.

CREATE VIEW gateway_requests AS
SELECT
    call AS id,
    request_id,
    strftime('%Y-%m-%dT%H:%M:%S', at / 1000000, 'unixepoch') || printf('.%06dZ', at % 1000000) AS at,
    account,
    "user",
    origin,
    service,
    version,
    method,
    status,
    code,
    fulfilled,
    cache_hit,
    replay,
    provider,
    CASE WHEN price IS NOT NULL
        THEN rtrim(rtrim(printf('%d.%09d', price / 1000000000, price % 1000000000), '0'), '.') END AS price,
    currency,
    CASE WHEN cost IS NOT NULL
        THEN rtrim(rtrim(printf('%d.%09d', cost / 1000000000, cost % 1000000000), '0'), '.') END AS cost,
    cost_currency,
    duration AS duration_us,
    peer,
    trace
FROM (
    SELECT * FROM latest_requests
    UNION ALL
    SELECT * FROM requests WHERE call NOT IN (SELECT call FROM latest_requests)
) AS recorded
JOIN kinds ON kinds.id = recorded.kind;

CREATE VIEW gateway_attempts AS
SELECT
    call AS request,
    attempt.key + 1 AS number,
    attempt.value ->> 'provider' AS provider,
    attempt.value ->> 'capability' AS capability,
    attempt.value ->> 'method' AS method,
    attempt.value ->> 'class' AS class,
    attempt.value ->> 'latency_us' AS latency_us,
    substr(attempt.value ->> 'cost', 1, instr(attempt.value ->> 'cost', ' ') - 1) AS cost,
    substr(attempt.value ->> 'cost', instr(attempt.value ->> 'cost', ' ') + 1) AS cost_currency,
    attempt.value ->> 'why' AS why
FROM (
    SELECT call, attempts FROM latest_requests
    UNION ALL
    SELECT call, attempts FROM requests WHERE call NOT IN (SELECT call FROM latest_requests)
) AS recorded
JOIN json_each(recorded.attempts) AS attempt;

CREATE VIEW gateway_entries AS
SELECT
    id,
    strftime('%Y-%m-%dT%H:%M:%S', at / 1000000, 'unixepoch') || printf('.%06dZ', at % 1000000) AS at,
    account,
    kind,
    CASE WHEN kind = 'charge' AND amount > 0 THEN '-' ELSE '' END
        || rtrim(rtrim(printf('%d.%09d', amount / 1000000000, amount % 1000000000), '0'), '.') AS amount,
    currency,
    reference
FROM (
    SELECT id, at, account, kind, amount, currency, reference FROM entries
    UNION ALL
    -- Entries that have not been numbered yet.
    SELECT NULL, at, account, kind, amount, currency, reference FROM latest_charges
) AS recorded;
