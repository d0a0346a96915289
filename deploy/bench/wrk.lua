-- What wrk sends, and what it says at the end, for bench.py:
--
--     wrk ... URL -- THREADS poll FILE       polls, taking the lines of FILE in turn: concert id, space, token
--     wrk ... URL -- THREADS join FIRST N    joins, each by a new user from FIRST up, to concerts 1..N in turn
--
-- Each wrk thread has its own Lua: thread t of T takes every T-th line, and users t, t + T, t + 2T, ... so that no two
-- requests carry the same user. Requests are built before the run where they can be, because Lua's time is the load's.

-- With THINK_MILLISECONDS in the environment each connection rests between an answer and the next request, as people do:
-- from none to twice that while, by chance. What it costs then is not the answer of a machine without a moment to spare.

local think = tonumber(os.getenv("THINK_MILLISECONDS") or "0")
if think > 0 then
    function delay() return math.random(0, 2 * think) end
end

local started = 0 -- in the Lua that sets the threads up; not seen by theirs

function setup(thread)
    thread:set("index", started)
    started = started + 1
end

function init(args)
    local threads, call = tonumber(args[1]), args[2]
    if call == "poll" then
        request = polls_of(args[3], threads)
    elseif call == "join" then
        request = joins_from(tonumber(args[3]), threads, tonumber(args[4]))
    else
        error("poll or join?")
    end
end

function polls_of(file, threads)
    local polls, line, at = {}, 0, 0
    for text in io.lines(file) do
        if line % threads == index then
            local concert, token = text:match("^(%d+) (%S+)$")
            polls[#polls + 1] = wrk.format("GET", "/api/v1/waiting?concertId=" .. concert,
                { ["Host"] = wrk.host, ["X-Concert-Token"] = token })
        end
        line = line + 1
    end
    return function()
        at = at % #polls + 1
        return polls[at]
    end
end

function joins_from(first, threads, concerts)
    local user, count = first + index, 0
    local length = #string.format('{"concertId":1,"userId":%d}', user) -- the same for all: see FIRST_USER in bench.py
    local head = "POST /api/v1/waiting HTTP/1.1\r\nHost: " .. wrk.host
        .. "\r\nContent-Type: application/json\r\nContent-Length: " .. length .. "\r\n\r\n"
    return function()
        user = user + threads
        count = count + 1
        return string.format('%s{"concertId":%d,"userId":%d}', head, count % concerts + 1, user)
    end
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        'BENCH {"requests":%d,"microseconds":%d,"notOK":%d,"broken":%d,"timeouts":%d,"p50":%d,"p95":%d,"p99":%d}\n',
        summary.requests, summary.duration, errors.status, errors.connect + errors.read + errors.write, errors.timeout,
        latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
