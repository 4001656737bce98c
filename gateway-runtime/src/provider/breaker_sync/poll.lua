-- What others leave alone, and for how long still.
-- KEYS: the hash. ARGV: nothing, or who asks and the names to look up.
-- Returns the version; then for each name how long it is to be left alone (µs; 0: it is not, or the asker said so), and how often its
-- breaker has opened.
local answer = { tonumber(redis.call('HGET', KEYS[1], 'version') or 0) }
if #ARGV < 2 then return answer end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
for i = 2, #ARGV do
  local left, openings = 0, 0
  local known = redis.call('HGET', KEYS[1], ARGV[i])
  if known then
    local ends, times, by = string.match(known, '^(%d+) (%d+) (%d+)$')
    if by ~= ARGV[1] then left, openings = math.max(0, ends - now), tonumber(times) end
  end
  answer[2 * i - 2], answer[2 * i - 1] = left, openings
end
return answer
