-- Posts batches of 100 events that nobody has seen before, made of the templates in the file BENCH_BODY.
local templates = {}
for line in io.lines(os.getenv("BENCH_BODY")) do templates[#templates + 1] = line end
local threads, number = 0, 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = os.getenv("BENCH_AUTHORIZATION")

function setup(thread)
   threads = threads + 1
   thread:set("id", threads)
end

function request()
   local events, now = {}, os.date("!%Y-%m-%dT%H:%M:%S.000Z")
   local values = {T = now}
   for i = 1, 100 do
      number = number + 1
      values.M = string.format("wrk-%d-%020d", id, number)
      values.P = tostring(math.random(0, 199999))
      events[i] = templates[i % #templates + 1]:gsub("@([MPT])", values)
   end
   return wrk.format(nil, nil, nil, '{"batch":[' .. table.concat(events, ",") .. '],"sentAt":"' .. now .. '"}')
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format('\n{"requests":%d,"us":%d,"p50_us":%d,"p99_us":%d,"refused":%d,"broken":%d}\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
      errors.connect + errors.read + errors.write + errors.timeout))
end
