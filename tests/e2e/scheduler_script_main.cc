// SPDX-License-Identifier: BSD-2-Clause
// lbdp's side of ipvs_oracle_test.py: follows a script of clients' TCP segments with the dataplane's schedulers, and
// prints where each segment goes, a line each: the real server's number, "refused" or "reset". The script, a line each:
//   service NAME SCHEDULER [fallback] [port]
//   add|edit NAME SERVER WEIGHT UPPER LOWER     a new real server comes first in the order
//   remove NAME SERVER
//   syn|ack|fin|rst NAME CLIENT                 a client has an address and a port of its own
//   expire                                      connections in CLOSE are over
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

#include "dataplane/pick.h"
#include "dataplane/stable_hash.h"
#include "dataplane/tcp_state.h"

namespace {

using namespace lbdp;
using namespace lbdp::dataplane;

constexpr size_t kSlots = 4096;

const std::map<std::string, Scheduler> kSchedulers = {
    {"rr", Scheduler::kRoundRobin},
    {"wrr", Scheduler::kWeightedRoundRobin},
    {"lc", Scheduler::kLeastConnection},
    {"wlc", Scheduler::kWeightedLeastConnection},
    {"sed", Scheduler::kShortestExpectedDelay},
    {"nq", Scheduler::kNeverQueue},
    {"fo", Scheduler::kFailover},
    {"ovf", Scheduler::kOverflow},
    {"sh", Scheduler::kSourceHash},
    {"dh", Scheduler::kDestinationHash},
};
const std::map<std::string, uint8_t> kFlags = {{"syn", kTcpSyn}, {"ack", kTcpAck}, {"fin", kTcpFin}, {"rst", kTcpRst}};

struct Connection {
  SlotId slot{};
  FlowState state = FlowState::kNone;
};

struct Service {
  Scheduler kind{};
  SchedulerFlags flags;
  std::vector<SchedulerServer> servers;
  std::map<SlotId, std::string> names;
  SchedulerTable table;
  SchedulerState state;
  std::map<uint32_t, Connection> connections;  // by client
};

class Director {
 public:
  void follow(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    if (!(words >> verb)) return;
    if (verb == "expire") return expire();
    std::string name;
    words >> name;
    if (verb == "service") return make_service(services_[name], words);
    Service& service = services_.at(name);
    if (verb == "add" || verb == "edit" || verb == "remove") return change(service, verb, words);
    uint32_t client = 0;
    words >> client;
    std::cout << segment(service, kFlags.at(verb), client) << "\n";
  }

 private:
  static void make_service(Service& service, std::istringstream& words) {
    std::string word;
    words >> word;
    service.kind = kSchedulers.at(word);
    while (words >> word) (word == "port" ? service.flags.port : service.flags.fallback) = true;
  }

  void change(Service& service, const std::string& verb, std::istringstream& words) {
    std::string server;
    uint32_t weight = 0, upper = 0, lower = 0;
    words >> server >> weight >> upper >> lower;
    const auto at = std::find_if(service.servers.begin(), service.servers.end(),
                                 [&](const SchedulerServer& s) { return service.names.at(s.slot) == server; });
    if (verb == "add") {
      const SlotId slot{next_slot_++};
      service.names[slot] = server;
      service.servers.insert(service.servers.begin(), {slot, 1, true, weight, mix64(next_slot_), upper});
      load(slot).set_thresholds(upper, lower);
    } else if (at == service.servers.end()) {
      throw std::invalid_argument("no such server: " + server);
    } else if (verb == "edit") {
      at->weight = weight;
      at->upper_threshold = upper;
      load(at->slot).set_thresholds(upper, lower);
    } else {
      service.servers.erase(at);
    }
    SchedulerTable next(service.kind, service.flags, service.servers);
    carry(service.table, next, service.state);
    service.table = std::move(next);
  }

  std::string segment(Service& service, uint8_t flags, uint32_t client) {
    auto at = service.connections.find(client);
    if (at == service.connections.end()) {
      if (flags != kTcpSyn) return "reset";
      const auto picked = pick(service.table, service.state, {loads_.get(), kSlots}, input_of(client));
      if (!picked) return "refused";
      at = service.connections.emplace(client, Connection{*picked, FlowState::kNone}).first;
      load(*picked).open(is_active(FlowState::kNone));
    }
    Connection& connection = at->second;
    const FlowState next = next_tcp_state(connection.state, flags);
    if (is_active(next) != is_active(connection.state)) load(connection.slot).change(is_active(next));
    connection.state = next;
    return service.names.at(connection.slot);
  }

  void expire() {
    for (auto& [name, service] : services_) {
      std::erase_if(service.connections, [&](const auto& entry) {
        if (entry.second.state != FlowState::kClose) return false;
        load(entry.second.slot).close(false);
        return true;
      });
    }
  }

  // As ipvs_guest.py has them.
  static PickInput input_of(uint32_t client) {
    return {WideAddress::from_v4(Be<uint32_t>::from_host(0x0a000001U + client * 7)),
            WideAddress::from_v4(Be<uint32_t>::from_host(0xc000020aU)),
            Be<uint16_t>::from_host(static_cast<uint16_t>(1024 + client % 60000)), client};
  }

  SlotLoad& load(SlotId slot) { return loads_[static_cast<size_t>(slot)]; }

  std::unique_ptr<SlotLoad[]> loads_ = std::make_unique<SlotLoad[]>(kSlots);
  uint16_t next_slot_ = 0;
  std::map<std::string, Service> services_;
};

}  // namespace

int main() {
  Director director;
  std::string line;
  try {
    while (std::getline(std::cin, line)) director.follow(line);
  } catch (const std::exception& e) {
    std::cerr << "in \"" << line << "\": " << e.what() << "\n";
    return 1;
  }
}
