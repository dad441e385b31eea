// SPDX-License-Identifier: BSD-2-Clause
// Random traffic, time and publications through the workers and through the reference model (model/): every byte that
// goes out, every frame's fate and every counter must be the same. The seeds are in the tests' names; with
// LBDP_RANDOM_SECONDS a test runs so many seconds, and with LBDP_RANDOM_SEED it runs from another seed on.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "dataplane/maglev.h"
#include "dataplane/stable_hash.h"
#include "tests/packet/model/director.h"
#include "tests/packet/model/traffic.h"
#include "tests/packet/support/director.h"

namespace lbdp::packet_tests {
namespace {

using dataplane::PuntClass;
using model::Ticks;

constexpr auto kTick = std::chrono::milliseconds(250);
constexpr Ticks kRoundOfSweep = 20;  // in which the sweep meets every bucket

std::string text_of(const std::string& mac_text) {
  const auto bytes = mac(mac_text).bytes;
  return {bytes.begin(), bytes.end()};
}

// The data path's own tables, as data.
size_t maglev_place(const std::vector<model::Candidate>& usable, const model::Address& client, unsigned port) {
  std::vector<dataplane::MaglevServer> servers;
  for (const auto& c : usable) {
    const auto identity = dataplane::stable_hash(Endpoint::parse(c.name).value());
    servers.push_back(
        {dataplane::SlotId{static_cast<uint16_t>(servers.size())}, identity, static_cast<uint32_t>(c.weight)});
  }
  static std::map<std::vector<std::pair<uint64_t, uint32_t>>, std::vector<dataplane::SlotId>> built;
  std::vector<std::pair<uint64_t, uint32_t>> name;
  for (const auto& s : servers) name.emplace_back(s.identity, s.weight);
  auto& table = built[name];
  if (table.empty()) table = build_maglev(servers, dataplane::maglev_size(servers.size(), 4093));
  const auto* bytes = reinterpret_cast<const uint8_t*>(client.data());
  uint32_t v4 = 0;
  std::memcpy(&v4, bytes, 4);
  const auto address = client.size() == 4 ? dataplane::WideAddress::from_v4(Be<uint32_t>::from_raw(v4))
                                          : dataplane::WideAddress::from_bytes(bytes);
  const auto hash = static_cast<uint32_t>(dataplane::stable_hash(address, port));
  return static_cast<size_t>(table[dataplane::place_of(hash, table.size())]);
}

std::vector<std::string> hex_of(const std::vector<Bytes>& frames) {
  std::vector<std::string> out;
  for (const Bytes& frame : frames) out.push_back(hex(frame));
  return out;
}
std::vector<std::string> sorted(std::vector<std::string> items) {
  std::sort(items.begin(), items.end());
  return items;
}

// Empty, if these are the same in the same order; else what is different about them.
std::string difference(std::vector<std::string> real, std::vector<std::string> expected) {
  if (real == expected) return "";
  std::sort(real.begin(), real.end());
  std::sort(expected.begin(), expected.end());
  std::vector<std::string> only_real, only_expected;
  std::set_difference(real.begin(), real.end(), expected.begin(), expected.end(), std::back_inserter(only_real));
  std::set_difference(expected.begin(), expected.end(), real.begin(), real.end(), std::back_inserter(only_expected));
  std::string out = only_real.empty() && only_expected.empty() ? "the order is another one" : "";
  for (const auto& item : only_real) out += "\n  not expected: " + item;
  for (const auto& item : only_expected) out += "\n  missing:      " + item;
  return out;
}

// The workers and the model, side by side.
class Pair {
 public:
  Pair(unsigned workers, uint64_t seed)
      : random_(seed),
        traffic_(random_),
        plans_(random_),
        real_(options(workers)),
        model_(workers, {text_of(kPortMacs[0]), text_of(kPortMacs[1])}, maglev_place),
        drops_(workers) {
    publish(std::nullopt);
  }

  void round() {
    ++rounds_;
    if (!random_.one_in(3)) publish(plans_.change());
    if (random_.one_in(3)) {
      jump();
    } else if (random_.one_in(2)) {
      step();
    }
    if (!testing::Test::HasFatalFailure()) send_all();
    if (!testing::Test::HasFatalFailure()) compare_counters();
  }
  [[nodiscard]] size_t rounds() const { return rounds_; }
  void finish() {
    if (rounds_ < 300) return;  // too few to have met everything: a slow build, a busy machine
    std::set<std::string> met;
    for (size_t w = 0; w < real_.workers().size(); ++w) {
      for (const auto& [reason, count] : drops_[w]) met.insert(reason);
    }
    // All but what a full queue, a full ring, a policer or a split header that cannot be has to do with.
    for (const auto* reason :
         {"not_for_us", "truncated", "headers_split", "bad_ip_header", "bad_ip_length", "fragment", "bad_icmp_checksum",
          "too_big", "no_headroom", "vip_not_owned", "no_real_server", "no_neighbor", "server_gone"})
      EXPECT_TRUE(met.contains(reason)) << "the traffic never met " << reason;
    EXPECT_GT(forwarded_, 8 * rounds_);
    EXPECT_GT(replies_, 0U);
    EXPECT_GT(extra_pieces_, 0U);
  }

 private:
  static DirectorOptions options(unsigned workers) {
    dataplane::PolicingParams unlimited;
    unlimited.vrrp = unlimited.control = unlimited.bulk = unlimited.replies = {1'000'000'000, 1'000'000};
    return {.workers = static_cast<uint16_t>(workers),
            .connections = 2048,
            .wide_connections = 2048,
            .templates = 1024,
            .policing = unlimited};
  }

  void publish(const std::optional<ServiceKey>& changed) {
    const auto& tables = plans_.tables();
    model_.publish(tables);
    if (changed && random_.one_in(2)) {
      const auto& all = tables.virtual_servers;
      const auto one = std::find_if(all.begin(), all.end(), [&](const auto& v) { return v.key == *changed; });
      ASSERT_TRUE(real_.publisher().publish_changes({&*one, 1}));
    } else {
      real_.publish(tables);
    }
  }

  // A little time, in which no connection and no template ends.
  void step() {
    const auto ticks = static_cast<Ticks>(1 + random_.below(6));
    if (!model_.nothing_ends(0, ticks)) return;
    real_.advance(ticks * kTick);
    for (auto& worker : real_.workers()) worker->run_once();
    note_given_up(model_.pass(ticks));
  }
  // Much time, and a round of the sweep, which meets all that ended before it; during the round nothing ends.
  void jump() {
    for (int attempt = 0; attempt < 20; ++attempt) {
      const auto ticks = static_cast<Ticks>(random_.below(random_.of<size_t>({40, 280, 600, 1300, 4000})));
      if (!model_.nothing_ends(ticks, ticks + kRoundOfSweep)) continue;
      real_.advance(ticks * kTick);
      for (Ticks t = 0; t < kRoundOfSweep; ++t) {
        real_.advance(kTick);
        for (auto& worker : real_.workers()) worker->run_once();
      }
      note_given_up(model_.pass(ticks + kRoundOfSweep));
      for (uint16_t w = 0; w < real_.workers().size(); ++w) {
        const auto status = real_.status(w);
        ASSERT_EQ(status.connections + status.wide_connections, model_.connections_of(w)) << where();
      }
      return;
    }
  }
  void note_given_up(const std::vector<uint64_t>& fragments) {
    for (size_t w = 0; w < fragments.size(); ++w) {
      if (fragments[w] > 0) drops_[w]["fragment"] += fragments[w];
    }
    real_.drain_punts();
  }

  void send_all() {
    std::map<std::pair<uint16_t, uint16_t>, std::vector<model::Arrival>> queues;
    for (size_t n = 20 + random_.below(100); n > 0; --n) {
      const auto shot = traffic_.next(held() < 12);
      const auto worker = static_cast<uint16_t>(shot.hash % real_.workers().size());
      auto& queue = queues[{worker, static_cast<uint16_t>(shot.port)}];
      queue.push_back(shot.arrival);
      if (queue.size() < 1 + random_.below(32)) continue;
      send(worker, static_cast<uint16_t>(shot.port), queue);
      if (testing::Test::HasFatalFailure()) return;
      queue.clear();
    }
    for (const auto& [to, queue] : queues) {
      if (!queue.empty()) send(to.first, to.second, queue);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
  [[nodiscard]] size_t held() const {
    size_t sum = 0;
    for (unsigned w = 0; w < drops_.size(); ++w) sum += model_.held_of(w);
    return sum;
  }

  void send(uint16_t worker, uint16_t port, const std::vector<model::Arrival>& frames) {
    for (const auto& a : frames) {
      Layout layout;
      layout.tag_stripped = a.stripped_tci.has_value();
      layout.stripped_tci = a.stripped_tci.value_or(0);
      if (a.no_headroom) layout.headroom = 0;
      if (a.first_segment < a.bytes.size()) layout.segments = {a.first_segment};
      Director::feed(a.bytes, worker, port, layout);
    }
    real_.worker(worker).run_once();
    last_burst_ = "port " + std::to_string(port) + ", worker " + std::to_string(worker);
    for (const auto& a : frames) last_burst_ += "\n  " + hex(a.bytes);
    compare(worker, model_.burst(worker, port, frames));
  }

  void compare(uint16_t worker, model::Outcome expected) {
    std::map<unsigned, std::vector<std::string>> sent, replies;
    for (auto& [port, frames] : expected.replies) replies[port] = hex_of(frames);
    for (const auto& one : Director::drain_ports()) {
      const std::string bytes = hex(one.bytes);
      auto& due = replies[one.port];
      const auto reply = std::find(due.begin(), due.end(), bytes);
      if (reply == due.end()) {
        sent[one.port].push_back(bytes);
      } else {
        due.erase(reply);
        ++replies_;
      }
    }
    for (unsigned port = 0; port < kPorts; ++port) {
      ASSERT_EQ(difference(sent[port], hex_of(expected.sent[port])), "") << "forwarded to port " << port << where();
      ASSERT_TRUE(replies[port].empty()) << "not answered: " << replies[port][0] << where();
      forwarded_ += sent[port].size();
    }
    std::map<std::string, std::vector<std::string>> punted;
    for (const auto& p : real_.drain_punts()) punted[std::string(to_string(p.punt_class))].push_back(hex(p.bytes));
    for (const auto* punt_class : {"vrrp", "control", "bulk"})
      ASSERT_EQ(difference(sorted(punted[punt_class]), sorted(hex_of(expected.punted[punt_class]))), "")
          << punt_class << where();
    extra_pieces_ += expected.extra_pieces;
    for (const auto& [reason, count] : expected.drops) drops_[worker][reason] += count;
    compare_drops(worker);
  }
  void compare_drops(uint16_t worker) {
    std::map<std::string, uint64_t> real;
    const auto status = real_.status(worker);
    for (const auto& drop : status.drops) {
      if (drop.count > 0) real[std::string(drop.name)] = drop.count;
    }
    ASSERT_EQ(real, drops_[worker]) << where();
    ASSERT_EQ(status.held_fragments, model_.held_of(worker)) << where();
    ASSERT_TRUE(adds_up(status)) << where();
  }

  void compare_counters() {
    uint64_t transmitted = 0, replied = 0, cut = 0, pieces = 0;
    for (uint16_t w = 0; w < real_.workers().size(); ++w) {
      compare_drops(w);
      const auto status = real_.status(w);
      transmitted += status.transmitted;
      replied += status.replies;
      cut += status.cut;
      pieces += status.pieces;
      ASSERT_EQ(status.unstored + status.templates_full + status.replies_policed, 0U) << where();
    }
    ASSERT_EQ(transmitted + pieces - cut, forwarded_) << where();
    ASSERT_EQ(pieces - cut, extra_pieces_) << where();
    ASSERT_EQ(replied, replies_) << where();
    for (const auto& service : plans_.tables().virtual_servers) {
      for (const auto& real : service.real_servers) compare_server(service.key, real.endpoint);
    }
    ASSERT_EQ(difference(real_connections(), model_.connections()), "") << where();
    ASSERT_EQ(difference(real_templates(), model_.templates()), "") << where();
  }
  void compare_server(const ServiceKey& service, const Endpoint& endpoint) {
    const auto real = real_.counters(service, endpoint.to_string());
    const auto expected = model_.counters(service, endpoint);
    ASSERT_EQ(real.packets, expected.packets) << service.to_string() << " " << endpoint.to_string() << where();
    ASSERT_EQ(real.bytes, expected.bytes) << service.to_string() << " " << endpoint.to_string() << where();
    ASSERT_EQ(real.connections, expected.connections) << service.to_string() << " " << endpoint.to_string() << where();
    ASSERT_EQ(real.active, expected.active) << service.to_string() << " " << endpoint.to_string() << where();
    ASSERT_EQ(real.inactive, expected.inactive) << service.to_string() << " " << endpoint.to_string() << where();
    ASSERT_EQ(real.overloaded, model_.overloaded(service, endpoint))
        << service.to_string() << " " << endpoint.to_string() << where();
  }
  std::vector<std::string> real_connections() const {
    std::vector<std::string> out;
    for (const auto& row : real_.connections()) {
      out.push_back(std::to_string(static_cast<unsigned>(row.worker)) + " " + std::string(to_string(row.protocol)) +
                    " " + row.client.to_string() + " " + row.virtual_server.to_string() + " " +
                    row.real_server.to_string() + " " + std::string(row.state));
    }
    return sorted(out);
  }
  std::vector<std::string> real_templates() {
    std::vector<std::string> out;
    const auto page = dataplane::list_templates(0, 100'000, real_.worker().tick(), real_.publisher());
    for (const auto& row : page.rows) {
      out.push_back(row.service.to_string() + " " + row.client.address.to_string() + " " + row.real_server.to_string() +
                    " " + std::to_string(row.connections));
    }
    return sorted(out);
  }

  [[nodiscard]] std::string where() const { return "\nround " + std::to_string(rounds_) + ", " + last_burst_; }

  model::Random random_;
  model::Traffic traffic_;
  model::Plans plans_;
  Director real_;
  model::Director model_;
  std::vector<std::map<std::string, uint64_t>> drops_;  // by worker: what the model counts
  uint64_t forwarded_ = 0, replies_ = 0, extra_pieces_ = 0;
  size_t rounds_ = 0;
  std::string last_burst_;
};

struct Case {
  unsigned workers;
  uint64_t seed;
};

class RandomTraffic : public testing::TestWithParam<Case> {};

double seconds_of_test() {
  const char* const said = std::getenv("LBDP_RANDOM_SECONDS");
  return said != nullptr ? std::atof(said) : 1.5;
}
uint64_t first_seed() {
  const char* const said = std::getenv("LBDP_RANDOM_SEED");
  return said != nullptr ? std::strtoull(said, nullptr, 10) : 0;
}

TEST_P(RandomTraffic, FaresAsTheModelSays) {
  const uint64_t seed = first_seed() + GetParam().seed;
  SCOPED_TRACE("workers " + std::to_string(GetParam().workers) + ", seed " + std::to_string(seed));
  Pair pair(GetParam().workers, seed);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds_of_test());
  while (std::chrono::steady_clock::now() < deadline || pair.rounds() < 60) {
    pair.round();
    if (HasFatalFailure()) return;
  }
  pair.finish();
  std::printf("seed %llu: %zu rounds\n", static_cast<unsigned long long>(seed), pair.rounds());
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomTraffic,
                         testing::Values(Case{1, 1}, Case{1, 2}, Case{2, 3}, Case{2, 4}, Case{4, 5}, Case{4, 6}),
                         [](const auto& one) {
                           return std::to_string(one.param.workers) + "workers_seed" + std::to_string(one.param.seed);
                         });

}  // namespace
}  // namespace lbdp::packet_tests
