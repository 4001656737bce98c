-- Takes a token out of each bucket of an account and a place in each set of its running calls, or nothing at all.
-- KEYS: the buckets, a hash from policy to when (µs) it is full; then the sets, calls by when (µs) their lease ends.
-- ARGV: the call, its lease (µs); for each bucket its policy, interval and burst (µs); for each set its places.
-- Returns 1, then what each bucket is short of full (µs), then how many run in each set;
-- or 0, the number of the policy that refuses, for how long (µs).
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local call, lease = ARGV[1], tonumber(ARGV[2])
local sets = #KEYS - 1
local buckets = (#ARGV - 2 - sets) / 3

local policies, stored = {}, {}
for i = 1, buckets do policies[i] = ARGV[3 * i] end
if buckets > 0 then stored = redis.call('HMGET', KEYS[1], unpack(policies)) end

local after, latest, refusing, longest = {}, now, nil, 0
for i = 1, buckets do
  local interval, burst = tonumber(ARGV[3 * i + 1]), tonumber(ARGV[3 * i + 2])
  local full = tonumber(stored[i] or 0)
  if full > now + burst then
    -- It was emptied under a slower rate.
    full = now + burst
    redis.call('HSET', KEYS[1], policies[i], full)
  end
  full = math.max(full, now) + interval
  if full - burst - now > longest then refusing, longest = i, full - burst - now end
  after[2 * i - 1], after[2 * i] = policies[i], full
  latest = math.max(latest, full)
end

local running = {}
for i = 1, sets do
  redis.call('ZREMRANGEBYSCORE', KEYS[i + 1], '-inf', now)
  running[i] = redis.call('ZCARD', KEYS[i + 1])
  if running[i] >= tonumber(ARGV[2 + 3 * buckets + i]) and not refusing then refusing = buckets + i end
end

if refusing then return { 0, refusing, longest } end

local answer = { 1 }
if buckets > 0 then
  redis.call('HSET', KEYS[1], unpack(after))
  local lasts = math.ceil((latest - now) / 1000)
  if redis.call('PTTL', KEYS[1]) < lasts then redis.call('PEXPIRE', KEYS[1], lasts) end
  for i = 1, buckets do answer[i + 1] = after[2 * i] - now end
end
for i = 1, sets do
  redis.call('ZADD', KEYS[i + 1], now + lease, call)
  redis.call('PEXPIRE', KEYS[i + 1], math.ceil(lease / 1000))
  answer[buckets + i + 1] = running[i] + 1
end
return answer
