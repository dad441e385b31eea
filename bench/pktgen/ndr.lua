-- SPDX-License-Identifier: BSD-2-Clause
-- Pktgen-DPDK: finds the highest rate without loss through the director (NDR, RFC 2544 section 26.1), for each frame size
-- and number of flows, and then the latency below that rate. Start it with bench/pktgen/run-pktgen.
--
-- Port 0 sends to the director's port 0; what the director forwards to the "real server" arrives on port 1.

package.path = package.path .. ";?.lua;/usr/share/pktgen/?.lua;/usr/local/share/lua/5.3/?.lua"
require "Pktgen"

local function setting(name, default)
  return os.getenv(name) or default
end

local SEND, RECEIVE = "0", "1"
local DIRECTOR_MAC = setting("DIRECTOR_MAC", "")
local VIP, PORT = setting("VIP", "198.18.0.99"), tonumber(setting("PORT", "53"))
local SIZES = setting("SIZES", "64,512,1518") -- with FCS, as RFC 2544 counts
local FLOWS = setting("FLOWS", "1000,65536,1048576")
local OUT = setting("OUT", "ndr.csv")
local TRIAL_S, CONFIRM_S, SETTLE_S = 10, 60, 2
local RESOLUTION = 0.5   -- percent of line rate
local LATENCY_AT = { 0.1, 0.5, 0.9 } -- of the NDR

local function numbers(list)
  local found = {}
  for number in string.gmatch(list, "%d+") do found[#found + 1] = tonumber(number) end
  return found
end

local function address(base, offset)
  local a, b, c, d = string.match(base, "(%d+)%.(%d+)%.(%d+)%.(%d+)")
  local value = ((a * 256 + b) * 256 + c) * 256 + d + offset
  return string.format("%d.%d.%d.%d", math.floor(value / 16777216) % 256, math.floor(value / 65536) % 256,
                       math.floor(value / 256) % 256, value % 256)
end

-- A flow differs by its client's address; the addresses are taken one after the other.
local function set_traffic(flows, size)
  pktgen.set(SEND, "count", 0)
  pktgen.set_proto(SEND, "udp")
  -- The stamped frames of a latency measurement are made from these, not from the range.
  pktgen.set(SEND, "size", size)
  pktgen.set_mac(SEND, "dst", DIRECTOR_MAC)
  pktgen.set_ipaddr(SEND, "src", "10.0.0.1/8")
  pktgen.set_ipaddr(SEND, "dst", VIP)
  pktgen.set(SEND, "sport", 1024)
  pktgen.set(SEND, "dport", PORT)
  pktgen.range.dst_mac(SEND, "start", DIRECTOR_MAC)
  local first, last = "10.0.0.1", address("10.0.0.1", flows - 1)
  for field, values in pairs({
    src_ip = { first, flows > 1 and "0.0.0.1" or "0.0.0.0", first, last },
    dst_ip = { VIP, "0.0.0.0", VIP, VIP },
    src_port = { 1024, 0, 1024, 1024 },
    dst_port = { PORT, 0, PORT, PORT },
    pkt_size = { size, 0, size, size },
  }) do
    pktgen.range[field](SEND, "start", values[1])
    pktgen.range[field](SEND, "inc", values[2])
    pktgen.range[field](SEND, "min", values[3])
    pktgen.range[field](SEND, "max", values[4])
  end
  pktgen.range.ip_proto(SEND, "udp")
  pktgen.set_range(SEND, "on")
end

-- Sends for so many seconds at this percentage of line rate. Counts come from the NICs after all frames have arrived.
local function trial(rate, seconds)
  pktgen.clr()
  pktgen.set(SEND, "rate", rate)
  pktgen.start(SEND)
  pktgen.delay(seconds * 1000)
  pktgen.stop(SEND)
  pktgen.delay(SETTLE_S * 1000)
  local sent = pktgen.portStats(SEND, "port")[tonumber(SEND)].opackets
  local receiver = pktgen.portStats(RECEIVE, "port")[tonumber(RECEIVE)]
  printf("  %.2f %%: %d sent, %d received\n", rate, sent, receiver.ipackets)
  assert((receiver.imissed or 0) == 0, "the generator's receiver is too slow: give it more queues and lcores")
  return sent, receiver.ipackets
end

-- Lossless means: not one frame. More frames than were sent came from elsewhere, and the trial counts for nothing.
local function lossless(rate, seconds)
  local sent, received = trial(rate, seconds)
  assert(sent > 0, "nothing was sent: is the link up?")
  assert(received <= sent, "more was received than sent: other traffic on the link")
  return received == sent, sent
end

-- The highest rate that holds for CONFIRM_S seconds, in percent of line rate and frames a second; 0 if there is none.
local function find_ndr()
  local good, bad = 0, 100 + RESOLUTION
  local rate = 100
  while bad - good > RESOLUTION do
    if lossless(rate, TRIAL_S) then good = rate else bad = rate end
    rate = math.min(good + (bad - good) / 2, 100)
    if good == 100 then break end
  end
  while good > 0 do
    local held, sent = lossless(good, CONFIRM_S)
    if held then return good, sent / CONFIRM_S end
    good = good - RESOLUTION
  end
  return 0, 0
end

-- Pktgen stamps some of its frames when it sends them; in microseconds, the generator's own way included.
local function latency(rate)
  pktgen.latency(SEND, "enable")
  pktgen.latency(RECEIVE, "enable")
  trial(rate, TRIAL_S)
  local seen = pktgen.pktStats(RECEIVE)[tonumber(RECEIVE)].latency
  pktgen.latency(SEND, "disable")
  pktgen.latency(RECEIVE, "disable")
  return seen
end

local function main()
  assert(DIRECTOR_MAC ~= "", "DIRECTOR_MAC is not set")
  local out = assert(io.open(OUT, "w"))
  out:write("size,flows,ndr_percent,ndr_pps,load,latency_min_us,latency_avg_us,latency_max_us\n")
  for _, size in ipairs(numbers(SIZES)) do
    for _, flows in ipairs(numbers(FLOWS)) do
      printf("%d-byte frames, %d flows\n", size, flows)
      set_traffic(flows, size)
      trial(5, TRIAL_S) -- all flows once, so that the table knows them
      local percent, pps = find_ndr()
      for _, load in ipairs(LATENCY_AT) do
        local l = percent > 0 and latency(percent * load) or {}
        out:write(string.format("%d,%d,%.2f,%.0f,%.1f,%s,%s,%s\n", size, flows, percent, pps, load,
                                tostring(l.min_us), tostring(l.avg_us), tostring(l.max_us)))
        out:flush()
      end
    end
  end
  out:close()
end

main()
pktgen.quit()
