// SPDX-License-Identifier: BSD-2-Clause
// As tests/e2e/scheduler_script_main.cc, which says what a script is, but the segments go as frames through the
// dataplane's workers: parser, connection table, TCP states and all; "syn+ack" and "syn+fin" are further segments. The
// argument is the number of workers; the clients take turns on them, as RSS would spread them.
#include <algorithm>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

#include "tests/packet/support/director.h"

namespace {

using namespace lbdp;
using namespace lbdp::dataplane;
using namespace lbdp::packet_tests;
using std::chrono::milliseconds;
using std::chrono::seconds;

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
const std::map<std::string, uint8_t> kFlags = {
    {"syn", kSyn},
    {"ack", kAck},
    {"fin", kFin | kAck},
    {"rst", kRst},
    {"syn+ack", kSyn | kAck},
    {"syn+fin", kSyn | kFin},
};
constexpr seconds kClose{10};  // what a connection in CLOSE lives

class ScriptedDirector {
 public:
  explicit ScriptedDirector(uint16_t workers)
      : workers_(workers), director_({.workers = workers, .connections = 1U << 17}) {}

  void follow(const std::string& line) {
    std::istringstream words(line);
    std::string verb, name;
    if (!(words >> verb)) return;
    if (verb == "expire") return expire();
    words >> name;
    if (verb == "service") return make_service(name, words);
    if (verb == "add" || verb == "edit" || verb == "remove") return change(service(name), verb, words);
    unsigned client = 0;
    words >> client;
    std::cout << segment(name, kFlags.at(verb), client) << "\n";
  }

 private:
  VirtualServerParams& service(const std::string& name) { return tables_.virtual_servers.at(indices_.at(name)); }

  void make_service(const std::string& name, std::istringstream& words) {
    indices_[name] = tables_.virtual_servers.size();
    VirtualServerParams& added = tables_.virtual_servers.emplace_back();
    const auto port = static_cast<uint16_t>(8000 + tables_.virtual_servers.size());
    added.key = {Protocol::kTcp, {Endpoint::parse("192.0.2.10:80").value().address, port}};
    std::string word;
    words >> word;
    added.scheduler = kSchedulers.at(word);
    while (words >> word) (word == "port" ? added.scheduler_flags.port : added.scheduler_flags.fallback) = true;
    changed_ = true;
  }

  void change(VirtualServerParams& service, const std::string& verb, std::istringstream& words) {
    unsigned number = 0;
    RealServerParams wanted;
    words >> number;
    wanted = server(number);
    words >> wanted.weight >> wanted.upper_threshold >> wanted.lower_threshold;
    auto& servers = service.real_servers;
    const auto at = std::find_if(servers.begin(), servers.end(),
                                 [&](const RealServerParams& s) { return s.endpoint == wanted.endpoint; });
    if (verb == "add") {
      servers.insert(servers.begin(), wanted);
    } else if (at == servers.end()) {
      throw std::invalid_argument("no such server");
    } else if (verb == "edit") {
      *at = wanted;
    } else {
      servers.erase(at);
    }
    // Each change by itself, as the kernel has them.
    changed_ = true;
    publish();
  }

  void publish() {
    if (changed_) director_.publish(tables_);
    changed_ = false;
  }

  std::string segment(const std::string& name, uint8_t flags, unsigned client) {
    publish();
    director_.advance(milliseconds(1));                 // nothing is to be over a rate
    const uint32_t address = 0x0a000001U + client * 7;  // as ipvs_guest.py has it
    Frame frame;
    frame.src = IpAddress::v4(Be<uint32_t>::from_host(address)).to_string();
    frame.sport = static_cast<uint16_t>(1024 + client % 60000);
    frame.dport = service(name).key.endpoint.port;
    frame.tcp_flags = flags;
    const Outcome outcome = director_.send(frame, static_cast<uint16_t>(client % workers_));
    if (const unsigned number = server_of(outcome); number != 0) return std::to_string(number);
    if (outcome.replies == 1) return "refused";
    if (!outcome.punted.empty()) return "reset";  // what the kernel behind the tap does
    return outcome.drops.empty() ? "nothing" : outcome.drops.begin()->first;
  }

  void expire() {
    director_.advance(kClose + seconds(1));
    for (uint16_t worker = 0; worker < workers_; ++worker) director_.sweep_all(worker);
  }

  uint16_t workers_;
  Director director_;
  Tables tables_;
  std::map<std::string, size_t> indices_;
  bool changed_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  std::string line;
  try {
    ScriptedDirector director(static_cast<uint16_t>(argc > 1 ? std::stoi(argv[1]) : 1));
    while (std::getline(std::cin, line)) director.follow(line);
  } catch (const std::exception& e) {
    std::cerr << "in \"" << line << "\": " << e.what() << "\n";
    return 1;
  }
}
