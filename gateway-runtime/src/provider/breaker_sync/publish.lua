-- Something is to be left alone for a while; what is to be for longer already, stays so.
-- KEYS: the hash. ARGV: what, for how long (µs), how often its breaker has opened, who says so.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local ends = now + ARGV[2]
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and tonumber(string.match(known, '^%d+')) >= ends then return {} end
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or 0)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f %s %s', ends, ARGV[3], ARGV[4]), 'version', math.max(now, version + 1))
local lasts = math.ceil(ARGV[2] / 1000)
if redis.call('PTTL', KEYS[1]) < lasts then redis.call('PEXPIRE', KEYS[1], lasts) end
return {}
