-- What operators have changed, and who did it and when. Some of it is what holds now: all price lists, the latest limits, the
-- latest of each provider.
CREATE TABLE changes (
    id       bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       bigint NOT NULL,
    who      text   NOT NULL,
    kind     text   NOT NULL,
    subject  text   NOT NULL,
    -- As JSON.
    document text   NOT NULL
);

CREATE INDEX changes_of_a_subject ON changes (kind, subject, id);

-- The keys of clients: of their secrets the SHA-256, in hexadecimal digits.
CREATE TABLE api_keys (
    id      text    NOT NULL PRIMARY KEY,
    account text    NOT NULL REFERENCES accounts (id),
    -- A JSON array.
    scopes  text    NOT NULL,
    expires bigint,
    revoked boolean NOT NULL DEFAULT false,
    hash    text    NOT NULL,
    created bigint  NOT NULL
);

CREATE INDEX api_keys_of_an_account ON api_keys (account, id);

-- When the call of a hold must have ended, whatever became of its gateway; microseconds since 1970.
ALTER TABLE holds ADD COLUMN until bigint NOT NULL DEFAULT 0;
-- Whether a call that never ended may have done something that lasts.
ALTER TABLE holds ADD COLUMN lasting boolean NOT NULL DEFAULT true;
