-- Views for people who read the books with other tools: plain columns, times with their zone, money as decimal numbers.

CREATE VIEW gateway_requests AS
SELECT
    call AS id,
    request_id,
    timestamptz 'epoch' + at * interval '1 microsecond' AS at,
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
    trim_scale(price::numeric / 1000000000) AS price,
    currency,
    trim_scale(cost::numeric / 1000000000) AS cost,
    cost_currency,
    duration AS duration_us,
    peer,
    trace
FROM requests
JOIN kinds ON kinds.id = requests.kind;

CREATE VIEW gateway_attempts AS
SELECT
    call AS request,
    number,
    attempt ->> 'provider' AS provider,
    attempt ->> 'capability' AS capability,
    attempt ->> 'method' AS method,
    attempt ->> 'class' AS class,
    (attempt ->> 'latency_us')::bigint AS latency_us,
    split_part(attempt ->> 'cost', ' ', 1)::numeric AS cost,
    split_part(attempt ->> 'cost', ' ', 2) AS cost_currency,
    attempt ->> 'why' AS why
FROM requests
CROSS JOIN LATERAL jsonb_array_elements(attempts::jsonb) WITH ORDINALITY AS tried (attempt, number);

CREATE VIEW gateway_entries AS
SELECT
    id,
    timestamptz 'epoch' + at * interval '1 microsecond' AS at,
    account,
    kind,
    trim_scale(CASE kind WHEN 'charge' THEN -amount ELSE amount END::numeric / 1000000000) AS amount,
    currency,
    reference
FROM entries;
