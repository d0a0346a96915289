-- What wrk sends, and what it says at the end, for the scripts here:
--
--     wrk ... URL -- THREADS poll FILE       polls, taking the lines of FILE in turn: concert id, space, token;
--                                            and another space and a login, where logins are asked for
--     wrk ... URL -- THREADS join FIRST N    joins, each by a new user from FIRST up, to concerts 1..N in turn
--     wrk ... URL -- THREADS schedules N     the lists of schedules of concerts 1..N, in turn
--     wrk ... URL -- THREADS reserve FILE FIRST SCHEDULES SEATS
--                                            a seat each, for the people of FILE in turn (lines as above): every concert's
--                                            FIRST-th and later seats of all, SEATS (from number 10,000 up) of each of
--                                            SCHEDULES (100,000 + 1,000 for each concert, and up)
--     wrk ... URL -- THREADS mixed           in turn a charge, a balance and the schedules of a concert, over all shards:
--                                            a change, a question to a shard, and one that a gateway answers itself
--
-- With CONNECTION=close in the environment every request closes its connection, so that each has a new one. With
-- THINK_MILLISECONDS each connection pauses between an answer and the next request, from none to twice that, by chance.
--
-- Each wrk thread has its own Lua: thread t of T takes every T-th line, and users t, t + T, t + 2T, ... so that no two
-- requests carry the same user. Requests are built before the run where they can be, because Lua's time is the load's.

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
    elseif call == "schedules" then
        request = schedules_of(tonumber(args[3]))
    elseif call == "reserve" then
        request = reservations_from(args[3], tonumber(args[4]), threads, tonumber(args[5]), tonumber(args[6]))
    elseif call == "mixed" then
        request = mixed()
    else
        error("poll, join, schedules, reserve or mixed?")
    end
end

-- What every head ends with, beside the empty line.
local function more(headers)
    headers["Host"] = wrk.host
    if os.getenv("CONNECTION") == "close" then headers["Connection"] = "close" end
    return headers
end

local function head_of_post(path, length, token)
    local closing = os.getenv("CONNECTION") == "close" and "Connection: close\r\n" or ""
    return "POST " .. path .. " HTTP/1.1\r\nHost: " .. wrk.host .. "\r\n" .. closing
        .. (token and "X-Concert-Token: " .. token .. "\r\n" or "")
        .. "Content-Type: application/json\r\nContent-Length: " .. length .. "\r\n\r\n"
end

local function in_turn(requests)
    local at = 0
    return function()
        at = at % #requests + 1
        return requests[at]
    end
end

function schedules_of(concerts)
    local lists = {}
    for concert = 1, concerts do
        lists[concert] = wrk.format("GET", "/api/v1/concert/schedules?concertId=" .. concert, more({}))
    end
    return in_turn(lists)
end

-- Seats of one schedule far apart, one after the other, so that each is asked for once before any is asked for again.
local STEP = 7919

function reservations_from(file, first, threads, schedules, seats)
    local body = '{"concertId":%d,"concertScheduleId":%d,"seatIds":[%d]}'
    local people, line = {}, 0
    for text in io.lines(file) do
        if line % threads == index then
            local concert, token = text:match("^(%d+) (%S+)$")
            local length = #body:format(concert, 100000, 10000)
            people[#people + 1] = { concert, head_of_post("/api/v1/reservation", length, token) }
        end
        line = line + 1
    end
    local at, next_seat = 0, {}
    return function()
        at = at % #people + 1
        local concert, head = people[at][1], people[at][2]
        local seat = next_seat[concert] or first + index
        next_seat[concert] = seat + threads
        local schedule = 100000 + 1000 * concert + math.floor(seat / seats) % schedules
        return head .. body:format(concert, schedule, 10000 + seat * STEP % seats)
    end
end

function polls_of(file, threads)
    local polls, line = {}, 0
    for text in io.lines(file) do
        if line % threads == index then
            local concert, token, login = text:match("^(%d+) (%S+) ?(%S*)$")
            polls[#polls + 1] = wrk.format("GET", "/api/v1/waiting?concertId=" .. concert,
                more({ ["X-Concert-Token"] = token, ["Authorization"] = login ~= "" and "Bearer " .. login or nil }))
        end
        line = line + 1
    end
    return in_turn(polls)
end

function joins_from(first, threads, concerts)
    local user, count = first + index, 0
    local length = #string.format('{"concertId":1,"userId":%d}', user) -- the same for all: see FIRST_USER in bench.py
    local head = head_of_post("/api/v1/waiting", length)
    return function()
        user = user + threads
        count = count + 1
        return string.format('%s{"concertId":%d,"userId":%d}', head, count % concerts + 1, user)
    end
end

function mixed()
    local number = 0
    return function()
        number = number + 1
        local user = 1 + number % 997
        if number % 3 == 0 then
            return wrk.format("POST", "/api/v1/point/charge?userId=" .. user .. "&amount=1", more({}))
        elseif number % 3 == 1 then
            return wrk.format("GET", "/api/v1/point?userId=" .. user, more({}))
        end
        return wrk.format("GET", "/api/v1/concert/schedules?concertId=" .. 1 + number % 8, more({}))
    end
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        'BENCH {"requests":%d,"microseconds":%d,"bytes":%d,"notOK":%d,"broken":%d,"timeouts":%d,'
        .. '"p50":%d,"p90":%d,"p99":%d,"max":%d}\n',
        summary.requests, summary.duration, summary.bytes,
        errors.status, errors.connect + errors.read + errors.write, errors.timeout,
        latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max))
end
