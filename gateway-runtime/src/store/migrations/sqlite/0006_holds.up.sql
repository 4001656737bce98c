-- What the call of a hold is, for a row of its own if its gateway dies: as in `requests` and `kinds`. `provider` is the one
-- that was about to be asked.
ALTER TABLE holds ADD COLUMN "request_id" TEXT;
ALTER TABLE holds ADD COLUMN "user" TEXT;
ALTER TABLE holds ADD COLUMN "origin" TEXT;
ALTER TABLE holds ADD COLUMN "service" TEXT;
ALTER TABLE holds ADD COLUMN "version" INTEGER;
ALTER TABLE holds ADD COLUMN "method" TEXT;
ALTER TABLE holds ADD COLUMN "peer" TEXT;
ALTER TABLE holds ADD COLUMN "trace" TEXT;
ALTER TABLE holds ADD COLUMN "provider" TEXT;

-- Calls that were cut off before now have no row, so that it is not known what they were.
INSERT INTO kinds (id, origin, service, version, method, status, code, fulfilled, cache_hit, replay)
    SELECT -6, '', '', 0, '', 500, 'interrupted', 0, 0, 0 WHERE EXISTS (SELECT 1 FROM holds WHERE unknown AND call NOT IN (SELECT call FROM requests) AND call NOT IN (SELECT call FROM latest_requests));
INSERT INTO requests (call, request_id, at, account, kind, duration)
    SELECT call, call, at, account, -6, 0 FROM holds WHERE unknown AND call NOT IN (SELECT call FROM requests) AND call NOT IN (SELECT call FROM latest_requests);
