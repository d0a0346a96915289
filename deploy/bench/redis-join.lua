-- One join, in Redis: three writes, all or none. A repeated join returns the same token and place.
-- KEYS: the user's token, the counter of places, the line of tokens. ARGV: a new token, seconds that it lasts.

local earlier = redis.call('SET', KEYS[1], ARGV[1], 'NX', 'GET', 'EX', ARGV[2])
if earlier then
    return {earlier, tonumber(redis.call('ZSCORE', KEYS[3], earlier))}
end
local place = redis.call('INCR', KEYS[2])
redis.call('ZADD', KEYS[3], place, ARGV[1])
return {ARGV[1], place}
