-- What wrk sends beside rolling restarts, for restart.py:
--
--     wrk ... URL -- kept        over connections that are kept alive
--     wrk ... URL -- new         over a new connection for each request
--
-- In turn a payment of points, a look at the balance, and the schedules of a concert: a change on a shard, a question to
-- one, and what a gateway answers itself. Users and concerts are spread over all shards.

local number = 0
local headers = {}

function init(args)
    headers["Host"] = wrk.host
    if args[1] == "new" then headers["Connection"] = "close" end
end

function request()
    number = number + 1
    local user = 1 + number % 997
    if number % 3 == 0 then
        return wrk.format("POST", "/api/v1/point/charge?userId=" .. user .. "&amount=1", headers)
    elseif number % 3 == 1 then
        return wrk.format("GET", "/api/v1/point?userId=" .. user, headers)
    end
    return wrk.format("GET", "/api/v1/concert/schedules?concertId=" .. 1 + number % 8, headers)
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        'BENCH {"requests":%d,"microseconds":%d,"notOK":%d,"connect":%d,"read":%d,"write":%d,"timeouts":%d,'
            .. '"p50":%d,"p99":%d,"max":%d}\n',
        summary.requests, summary.duration, errors.status, errors.connect, errors.read, errors.write, errors.timeout,
        latency:percentile(50), latency:percentile(99), latency.max))
end
