DROP VIEW gateway_entries;
DROP VIEW gateway_attempts;
DROP VIEW gateway_requests;
