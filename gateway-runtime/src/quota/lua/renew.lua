-- A call goes on: its lease begins anew.
-- KEYS: the sets of running calls that it is in.
-- ARGV: the call, its lease (µs).
local time = redis.call('TIME')
local ends = time[1] * 1000000 + time[2] + ARGV[2]
for i = 1, #KEYS do
  redis.call('ZADD', KEYS[i], ends, ARGV[1])
  redis.call('PEXPIRE', KEYS[i], math.ceil(ARGV[2] / 1000))
end
return {}
