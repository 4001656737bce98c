DROP INDEX claims_that_count;
ALTER TABLE claims DROP COLUMN bytes;
