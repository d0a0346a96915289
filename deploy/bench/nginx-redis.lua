-- A line in Redis, inside nginx: join and poll. A handler of a few dozen lines, without extras.

local cjson = require "cjson"
local redis = require "nginx.redis" -- lua-resty-redis, as Debian names it
local settings = assert(loadfile(ngx.config.prefix() .. "redis.conf.lua"))()

local TOKEN_SECONDS = 1800 -- how long a place in line lasts
local POOL_IDLE_MILLISECONDS = 60000
local ADMISSIONS_PER_SECOND = 50
local POOL_SIZE = 4096 -- more than there are connections: no connection to Redis is ever made anew

local line = {}

-- With the length said: else nginx would send it in chunks.
local function answer_with(status, text)
    ngx.status = status
    ngx.header["Content-Length"] = #text
    ngx.print(text)
end

local function refuse(status, code)
    answer_with(status, '{"code":"' .. code .. '"}')
end

-- A connection out of the pool; nil, with the answer given, when Redis is not there.
local function connected()
    local connection = redis:new()
    connection:set_timeout(5000)
    if connection:connect(unpack(settings.address)) then return connection end
    refuse(503, "UNAVAILABLE")
end

local function rest(connection)
    connection:set_keepalive(POOL_IDLE_MILLISECONDS, POOL_SIZE)
end

local function join()
    ngx.req.read_body()
    local is_json, body = pcall(cjson.decode, ngx.req.get_body_data() or "")
    local concert, user = is_json and tonumber(body.concertId), is_json and tonumber(body.userId)
    if not concert or not user then return refuse(400, "BODY_INVALID") end

    local connection = connected()
    if not connection then return end
    local key = string.format("%d", concert)
    local member = string.format("%d", user)
    local token = ngx.var.request_id -- 16 random bytes in hexadecimal digits
    local arguments = {
        3, "token:" .. key .. ":" .. member, "places:" .. key, "line:" .. key, token, TOKEN_SECONDS }
    local answer, problem = connection:evalsha(settings.sha, unpack(arguments))
    if not answer and problem:find("NOSCRIPT", 1, true) then
        answer = connection:eval(settings.script, unpack(arguments))
    end
    if not answer then return refuse(503, "UNAVAILABLE") end
    rest(connection)

    answer_with(200, '{"userId":' .. member .. ',"concertId":' .. key .. ',"tokenId":"' .. answer[1]
        .. '","createdAt":"' .. ngx.localtime() .. '","place":' .. answer[2] .. '}')
end

-- Nobody is let in here, so the rank is the place.
local function poll()
    local concert = tonumber(ngx.var.arg_concertId)
    local token = ngx.var.http_x_concert_token
    if not concert or not token then return refuse(400, "REQUEST_INVALID") end

    local connection = connected()
    if not connection then return end
    local rank = connection:zrank(string.format("line:%d", concert), token)
    if not rank then return refuse(503, "UNAVAILABLE") end
    rest(connection)
    if rank == ngx.null then return refuse(400, "TOKEN_UNKNOWN") end

    answer_with(200, string.format('{"tokenId":"%s","remainingWaitingOrder":%d,"remainingWaitingSec":%d}',
        token, rank + 1, math.ceil((rank + 1) / ADMISSIONS_PER_SECOND)))
end

function line.handle()
    local method = ngx.req.get_method()
    if method == "POST" then return join() end
    if method == "GET" then return poll() end
    refuse(405, "METHOD_NOT_ALLOWED")
end

return line
