ALTER TABLE holds DROP COLUMN lasting;
ALTER TABLE holds DROP COLUMN until;
DROP TABLE api_keys;
DROP TABLE changes;
