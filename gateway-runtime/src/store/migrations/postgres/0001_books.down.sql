DROP TABLE requests;
DROP TABLE claims;
DROP TABLE entries;
DROP TABLE holds;
DROP TABLE balances;
DROP TABLE accounts;
