-- A call has ended: takes it out of the sets of running calls, and puts a token back into each bucket, once for each call.
-- KEYS: the buckets, what remembers that the call had its tokens back; then the sets.
-- ARGV: the call, how long to remember (ms); for each bucket its policy and interval (µs).
for i = 3, #KEYS do redis.call('ZREM', KEYS[i], ARGV[1]) end
if #ARGV > 2 and redis.call('SET', KEYS[2], '', 'NX', 'PX', ARGV[2]) then
  for i = 3, #ARGV, 2 do
    local full = redis.call('HGET', KEYS[1], ARGV[i])
    -- What is not there is full.
    if full then redis.call('HSET', KEYS[1], ARGV[i], math.max(0, full - ARGV[i + 1])) end
  end
end
return {}
