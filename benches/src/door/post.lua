-- One distinct alert per request, as Prometheus posts them: kube-prometheus' labels, the
-- annotations of a rule, and an end an hour ahead. `instance` and `pod` are distinct; there are
-- fifty services.
--
-- Argument: the token, if any. The last line of the output has the results.

local threads = 0
function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

local body = '[{"labels":{"alertname":"%s","severity":"%s","service":"service-%02d",' ..
  '"team":"team-%d","namespace":"shop","job":"service-%02d","environment":"production",' ..
  '"cluster":"eu-1","prometheus":"monitoring/main","instance":"10.%d.%d.%d:9090",' ..
  '"pod":"service-%02d-%08x"},' ..
  '"annotations":{"summary":"5 %% of the requests to service-%02d fail",' ..
  '"description":"service-%02d answers with 5xx for ten minutes; its error budget of the month ' ..
  'is gone in two hours.","runbook_url":"https://runbooks.example/high-error-rate"},' ..
  '"startsAt":"%s","endsAt":"%s",' ..
  '"generatorURL":"http://prometheus.example:9090/graph?g0.expr=rate&g0.tab=1"}]'
local names = { "HighErrorRate", "HighLatency", "PodCrashLooping", "QueueGrows", "DiskFills" }
local severities = { "critical", "warning", "warning", "error", "warning" }
local sent = 0
local starts = os.date("!%Y-%m-%dT%H:%M:%S.000Z")
local ends = os.date("!%Y-%m-%dT%H:%M:%S.000Z", os.time() + 3600)

function init(args)
  wrk.method = "POST"
  wrk.path = "/api/v2/alerts"
  wrk.headers["Content-Type"] = "application/json"
  if args[1] and args[1] ~= "" then
    wrk.headers["Authorization"] = "Bearer " .. args[1]
  end
end

function request()
  local n = sent * 8 + id
  sent = sent + 1
  local service = sent % 50
  local kind = sent % #names + 1
  local text = string.format(body, names[kind], severities[kind], service, service % 5, service,
    math.floor(n / 65536) % 256, math.floor(n / 256) % 256, n % 256, service, n, service, service,
    starts, ends)
  return wrk.format(nil, nil, nil, text)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"micros":%d,"p50":%f,"p99":%f,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
