-- Events that were committed, until the broker has them.
CREATE TABLE outbox (
    number integer PRIMARY KEY AUTOINCREMENT,
    event text NOT NULL
) STRICT;
