-- What a key takes of the room that callers share who are not known, with its answer; null for keys of the others.
ALTER TABLE claims ADD COLUMN bytes bigint;

CREATE INDEX claims_that_count ON claims (bytes) WHERE bytes IS NOT NULL;
