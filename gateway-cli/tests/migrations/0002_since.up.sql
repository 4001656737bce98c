ALTER TABLE guests ADD COLUMN since bigint;
