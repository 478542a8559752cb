-- A sliding window log of requests: the arithmetic of transport/_quota.py, and its log in Redis.
--
-- redis_quota.py puts the constants in capitals before it. Times are seconds of the clock of Redis. The caller
-- gives and gets seconds of its own clock; `offset` is the difference at this call.
--
-- KEYS: a hash with the state; sorted sets of members by send time, waiting and gone (in flight, or answered:
-- their names end in "a"); a sorted set of turns by the time of sending, "member:time of the reply".

local state_key, waiting, gone, turns = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local next_argument = 0

local function text()
  next_argument = next_argument + 1
  return ARGV[next_argument]
end

local function number()
  return tonumber(text())
end

local caller_now = number()
local info = redis.pcall('INFO', 'server')
info = type(info) == 'string' and info or ''
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
--[[TEST CLOCK]]
local offset = now - caller_now

local version = info:match('redis_version:(%d+)')
if version and tonumber(version) < OLDEST_REDIS then
  error('HUBSPOT-BATCH OLD')
end

local function time()
  local value = number()
  return value and value + offset
end

-- The state.

local NAMES = {
  'version', 'epoch', 'run', 'requests', 'seconds', 'margin', 'paused_until', 'latency', 'saved',
  'daily_limit', 'daily_remaining',
}
local state = {}
for place, value in ipairs(redis.call('HMGET', state_key, unpack(NAMES))) do
  state[NAMES[place]] = value or nil
end

local function check(name, least, most)
  local value = tonumber(state[name])
  if state[name] and not (value and value >= least and value <= most) then
    error('HUBSPOT-BATCH FOREIGN')
  end
  state[name] = value
end

local known_epoch, last_contact, new_epoch, longest_window = text(), time(), text(), number()
local first = {requests = number(), seconds = number()}
local ceiling = text() == '1' and first or nil
local run = info:match('run_id:(%x+)') or ''
-- Requests that left before this time may be missing from the log.
local log_begins

if not state.version then
  if redis.call('EXISTS', state_key) == 1 then
    error('HUBSPOT-BATCH FOREIGN')
  end
  redis.call('DEL', waiting, gone, turns)
  local uptime = tonumber(info:match('uptime_in_seconds:(%d+)'))
  log_begins = uptime and now - uptime
  state = {version = VERSION, epoch = new_epoch, margin = FIRST_MARGIN, saved = MOST_SAVED}
elseif state.version ~= VERSION then
  error('HUBSPOT-BATCH VERSION')
elseif state.run ~= run then
  -- Started anew from an old copy, or replaced by a replica that had not heard the latest.
  log_begins = now
end
check('requests', 1, MOST_REQUESTS)
check('seconds', SOON, MOST_WINDOW)
check('margin', FIRST_MARGIN, MOST_MARGIN)
check('paused_until', -math.huge, math.huge)
check('latency', 0, math.huge)
check('saved', 0, MOST_SAVED)
check('daily_limit', 0, MOST_REQUESTS)
check('daily_remaining', 0, MOST_REQUESTS)
if not (state.epoch and state.margin and state.saved) or (state.requests and not state.seconds) then
  error('HUBSPOT-BATCH FOREIGN')
end
state.run = run
if state.paused_until and state.paused_until > now + LONGEST_PAUSE then
  state.paused_until = nil
end

local function top(key)
  return tonumber(redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2]) or -math.huge
end

if known_epoch ~= '' and known_epoch ~= state.epoch then
  log_begins = math.max(log_begins or -math.huge, last_contact)
end
if top(gone) > now + SKEW then
  -- The clock went back.
  redis.call('DEL', waiting, gone, turns)
  log_begins, state.paused_until = now, nil
end

local function pause(till)
  state.paused_until = math.max(state.paused_until or -math.huge, till)
end

if log_begins then
  pause(log_begins + longest_window + MOST_MARGIN)
end

-- The limits.

local function implies(one, other)
  return one.requests <= other.requests and one.seconds >= other.seconds
end

local function limits()
  local told = state.requests and state or first
  if not ceiling or implies(told, ceiling) then
    return {told}
  elseif implies(ceiling, told) then
    return {ceiling}
  elseif told.requests / told.seconds <= ceiling.requests / ceiling.seconds then
    return {told, ceiling}
  end
  return {ceiling, told}
end

local function learn()
  local requests, seconds, daily_limit, daily_remaining = number(), number(), number(), number()
  if requests then
    state.requests, state.seconds = requests, seconds
  end
  state.daily_limit = daily_limit or state.daily_limit
  state.daily_remaining = daily_remaining or state.daily_remaining
end

local function refuse(till, at)
  if not (state.paused_until and at < state.paused_until) then
    state.margin = math.min(state.margin * MARGIN_GROWTH, MOST_MARGIN)
  end
  pause(till)
end

-- The log.

local function add(key, at, member)
  redis.call('ZADD', key, string.format('%.17g', at), member)
end

local function remove(member)
  return redis.call('ZREM', waiting, member) + redis.call('ZREM', gone, member) > 0
end

local function at(key, place)
  return tonumber(redis.call('ZRANGE', key, place, place, 'WITHSCORES')[2])
end

local function oldest(n, send_time)
  local ones = redis.call('ZCARD', gone)
  local others = redis.call('ZCOUNT', waiting, '-inf', string.format('%.17g', send_time))
  if ones + others < n then
    return -math.huge
  end
  -- How many of the waiting are among the last n: at least `low`, at most `high`.
  local low, high = math.max(0, n - ones), math.min(n, others)
  while low < high do
    local some = math.floor((low + high) / 2)
    if at(waiting, others - 1 - some) > at(gone, ones + some - n) then
      low = some + 1
    else
      high = some
    end
  end
  return math.min(
    low > 0 and at(waiting, others - low) or math.huge,
    low < n and at(gone, ones + low - n) or math.huge
  )
end

-- The operations.

local function reserve()
  local member, on_guess = text(), text() == '1'
  local all = limits()
  local from = math.max(now, state.paused_until or now)
  if top(waiting) > from + MEMORY then
    -- Each waiting request is at most a window and a margin later than the one before it.
    local queue = redis.call('ZCOUNT', waiting, string.format('%.17g', from), '+inf')
    redis.call('ZREMRANGEBYSCORE', waiting, string.format('(%.17g', from + queue * MEMORY), '+inf')
  end
  local is_held = remove(member)
  local send_time = is_held and now or math.max(now, top(waiting), top(gone))
  send_time = math.max(send_time, state.paused_until or send_time)
  while true do
    local free = -math.huge
    for _, limit in ipairs(all) do
      free = math.max(free, oldest(limit.requests, send_time) + limit.seconds + state.margin)
    end
    if free <= send_time + SOON then
      break
    end
    send_time = free
  end
  if send_time <= now + SOON then
    send_time = now
  end
  if send_time > now and not on_guess and not ceiling and not state.requests then
    return math.max(state.paused_until or -math.huge, math.min(send_time, now + GUESS_SECONDS))
  end
  add(send_time > now and waiting or gone, send_time, member)
  for _, key in ipairs({waiting, gone, turns}) do
    redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('(%.17g', now - MEMORY))
  end
  if not is_held and state.margin > FIRST_MARGIN then
    local kept = MARGIN_GROWTH ^ (-all[1].seconds / (all[1].requests * MARGIN_RECOVERY))
    state.margin = math.max(state.margin * kept, FIRST_MARGIN)
  end
  return send_time
end

local function correct(later)
  for _, member in ipairs(redis.call('ZRANGE', gone, 0, -1)) do
    if member:sub(-1) == 'a' then
      redis.call('ZINCRBY', gone, string.format('%.17g', later), member)
    end
  end
end

local function heard(member, sent, ended, is_answered)
  local turn = redis.call('ZRANGEBYSCORE', turns, string.format('%.17g', sent), '+inf', 'LIMIT', 0, 1)[1]
  if turn then
    return math.min(tonumber(turn:match(':(.*)')), ended)
  elseif is_answered then
    add(turns, sent, string.format('%s:%.17g', member, ended))
    redis.call('ZREMRANGEBYRANK', turns, 0, -TURNS - 1)
  end
  return ended
end

local function finish()
  local member, send_time, sent, ended, refused_until = text(), time(), time(), time(), time()
  local is_answered = text() == '1'
  local first_reply = heard(member, sent, ended, is_answered)
  local arrived = math.max(send_time, sent)
  if is_answered then
    learn()
  end
  if is_answered and refused_until then
    refuse(refused_until, ended)
  elseif is_answered then
    local took, before = math.max(ended - sent, 0), state.latency
    state.latency = before and math.min(took, before * LATENCY_GROWTH) or took
    local allowed = MEAN_WAIT + state.saved
    local waited = math.max(0, math.min(first_reply - sent - state.latency, allowed, MOST_WAIT))
    state.saved = math.min(allowed - waited, MOST_SAVED)
    arrived = sent + waited + LEAST_WAY - FIRST_MARGIN
    if before and before - state.latency >= FASTER then
      correct(math.min(before - state.latency, MOST_WAIT))
    end
  end
  if remove(member) then
    add(gone, arrived, is_answered and member .. 'a' or member)
  end
end

local operation, send_time = text(), nil
if operation == 'reserve' then
  send_time = reserve()
elseif operation == 'ended' then
  finish()
elseif operation == 'learn' then
  learn()
elseif operation == 'refused' then
  refuse(time(), time())
end

local fields = {}
for _, name in ipairs(NAMES) do
  local value = state[name]
  if value then
    fields[#fields + 1] = name
    fields[#fields + 1] = type(value) == 'number' and string.format('%.17g', value) or value
  end
end
redis.call('DEL', state_key)
redis.call('HSET', state_key, unpack(fields))
local busy_until = math.max(now, state.paused_until or now, top(waiting))
for _, key in ipairs(KEYS) do
  redis.call('PEXPIRE', key, string.format('%.0f', (busy_until - now + KEPT_SECONDS) * 1000))
end

-- Numbers as text: Redis would cut them to integers.
local answer = {state.epoch, string.format('%.17g', now), string.format('%.17g', offset)}
local told = {
  -- Nothing for one that is due.
  send_time and send_time > now and send_time - offset, state.requests, state.seconds, state.margin,
  state.paused_until and state.paused_until - offset, state.latency, state.saved, state.daily_limit,
  state.daily_remaining,
}
for place = 1, 9 do
  answer[#answer + 1] = told[place] and string.format('%.17g', told[place]) or ''
end
return answer
