// SPDX-License-Identifier: BSD-2-Clause
// What happens to old and new connections of a real server that leaves, drains or comes back: docs/connections.md has
// it as tables, and each of their cells is a test here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/packet/support/director.h"

namespace lbdp::packet_tests {
namespace {

constexpr size_t kEvents = 6;
const std::array<std::string, kEvents> kEventNames{"removed", "failed", "inhibited", "drained", "back", "unresolved"};

/// A row of the tables, and the cells' words with expire_nodest_conn on and off.
struct Row {
  std::string packet;
  std::array<std::string, kEvents> on, off;
};
const std::array<Row, 8> kRows{{
    {"TCP segment of a connection",
     {"reset", "reset", "same", "same", "reset", "dropped"},
     {"dropped", "dropped", "same", "same", "same", "dropped"}},
    {"TCP SYN on a connection",
     {"other", "other", "other", "other", "any", "dropped"},
     {"dropped", "dropped", "same", "same", "same", "dropped"}},
    {"TCP SYN on a finished connection",
     {"other", "other", "other", "other", "any", "other"},
     {"other", "other", "other", "other", "any", "other"}},
    {"TCP SYN of a new connection",
     {"other", "other", "other", "other", "any", "other"},
     {"other", "other", "other", "other", "any", "other"}},
    {"UDP packet of a flow",
     {"other", "other", "same", "same", "any", "dropped"},
     {"dropped", "dropped", "same", "same", "same", "dropped"}},
    {"UDP packet of a new flow",
     {"other", "other", "other", "other", "any", "other"},
     {"other", "other", "other", "other", "any", "other"}},
    {"new connection of a persistent client",
     {"other", "other", "other", "other", "any", "other"},
     {"other", "other", "other", "other", "same", "other"}},
    {"the same, expire_quiescent_template off",
     {"other", "other", "same", "same", "any", "other"},
     {"other", "other", "same", "same", "same", "other"}},
}};

/// One cell.
struct Cell {
  bool expire_nodest_conn = true;
  size_t row = 0, event = 0;

  [[nodiscard]] const std::string& packet() const { return kRows[row].packet; }
  [[nodiscard]] const std::string& event_name() const { return kEventNames[event]; }
  [[nodiscard]] const std::string& expected() const {
    return (expire_nodest_conn ? kRows[row].on : kRows[row].off)[event];
  }
  /// "on / removed / UDP packet of a flow"
  [[nodiscard]] std::string name() const {
    return std::string(expire_nodest_conn ? "on" : "off") + " / " + event_name() + " / " + packet();
  }
};

std::vector<Cell> all_cells() {
  std::vector<Cell> cells;
  for (const bool expire : {true, false}) {
    for (size_t row = 0; row < kRows.size(); ++row) {
      for (size_t event = 0; event < kEvents; ++event) cells.push_back({expire, row, event});
    }
  }
  return cells;
}

// Real server 1 is the one that has the connection, and to which things happen; server 2 is the other one.
class ServerLifecycle : public testing::TestWithParam<Cell> {
 protected:
  ServerLifecycle() : director_({.workers = 2}), tables_(web_and_dns(2)) {
    tables_.switches.expire_nodest_conn = GetParam().expire_nodest_conn;
    tables_.switches.expire_quiescent_template = !is(kRows[7].packet);
    if (is_persistent()) tables_.virtual_servers[0].persistence.timeout = std::chrono::seconds(300);
    director_.publish(tables_);
  }
  static bool is(const std::string& packet) { return GetParam().packet() == packet; }
  static bool is_persistent() { return is(kRows[6].packet) || is(kRows[7].packet); }
  static bool is_udp() { return is(kRows[4].packet) || is(kRows[5].packet); }

  // The connection, or the persistent client's first one: at server 1, the first in turn.
  void begin() {
    if (is_udp()) {
      ASSERT_EQ(server_of(director_.send(known_)), 1U);
      return;
    }
    ASSERT_EQ(server_of(director_.send(with(known_, kSyn))), 1U);
    ASSERT_EQ(server_of(director_.send(with(known_, kAck))), 1U);
    if (!is(kRows[2].packet)) return;
    ASSERT_EQ(server_of(director_.send(with(known_, kFin | kAck))), 1U);
  }
  void change(const std::function<void(std::vector<dataplane::RealServerParams>&)>& how) {
    for (auto& service : tables_.virtual_servers) how(service.real_servers);
    director_.publish(tables_);
  }
  void happen(const std::string& event) {
    if (event == "removed") change([](auto& reals) { reals.erase(reals.begin()); });
    if (event == "failed") change([](auto& reals) { reals[0].in_table = false; });
    if (event == "inhibited" || event == "drained") change([](auto& reals) { reals[0].weight = 0; });
    if (event == "unresolved") change([](auto& reals) { reals[0].mac.reset(); });
    if (event == "back") {
      happen("failed");
      change([](auto& reals) { reals[0].in_table = true; });
      if (GetParam().expire_nodest_conn) return;  // else it has lost all already, and nothing more can happen to it
      happen("removed");
      change([](auto& reals) { reals.insert(reals.begin(), server(1)); });
    }
  }
  // The packet of the row. A persistent client's next connection comes to another worker.
  Outcome send_packet() {
    if (is_persistent()) return director_.send(with(from_port(known_, 9), kSyn), 1);
    if (is(kRows[0].packet)) return director_.send(with(known_, kAck | kPsh));
    if (is(kRows[3].packet)) return director_.send(with(from_port(known_, 9), kSyn));
    if (is(kRows[4].packet)) return director_.send(known_);
    if (is(kRows[5].packet)) return director_.send(from_port(known_, 9));
    return director_.send(with(known_, kSyn));
  }
  // The servers that new connections of new clients get.
  std::set<unsigned> rotation() {
    std::set<unsigned> servers;
    for (unsigned i = 0; i < 4; ++i) {
      Frame f = segment(1000 + i, kSyn);
      if (is_udp()) f = udp(f.src, f.sport);
      servers.insert(server_of(director_.send(f)));
    }
    return servers;
  }
  // Which of the tables' words says what became of the packet.
  std::string word_for(const Outcome& outcome, uint64_t scheduled) {
    const std::map<std::string, uint64_t> drop{
        {GetParam().event_name() == "unresolved" ? "no_neighbor" : "server_gone", 1}};
    if (outcome.drops == drop && outcome.sent.empty() && outcome.punted.empty()) return "dropped";
    if (outcome.punted.size() == 1 && outcome.sent.empty() && outcome.drops.empty()) return "reset";
    const unsigned to = server_of(outcome);
    if (to == 0) return "neither sent, reset nor dropped as it should be";
    if (scheduled == 0 || (is_persistent() && to == 1)) return to == 1 ? "same" : "moved";
    const auto others = rotation();
    if (others == std::set<unsigned>{2}) return to == 2 ? "other" : "to a server that takes none";
    return others == std::set<unsigned>{1, 2} ? "any" : "to nobody knows whom";
  }
  uint64_t scheduled() {
    uint64_t sum = 0;
    for (const auto& key : {kWeb, kDns}) sum += director_.counters(key, server_name(2)).connections;
    for (const auto& key : {kWeb, kDns}) sum += director_.counters(key, server_name(1)).connections;
    return sum;
  }
  static Frame with(Frame f, uint8_t flags) {
    f.tcp_flags = flags;
    return f;
  }
  static Frame from_port(Frame f, uint16_t port) {
    f.sport = port;
    return f;
  }

  Director director_;
  dataplane::Tables tables_;
  Frame known_ = is_udp() ? udp("10.0.0.1", 40000) : tcp("10.0.0.1", 40000, kSyn);
};

TEST_P(ServerLifecycle, Cell) {
  begin();
  happen(GetParam().event_name());
  const uint64_t before = scheduled();
  const Outcome outcome = send_packet();
  EXPECT_EQ(word_for(outcome, scheduled() - before), GetParam().expected()) << GetParam().name();
  EXPECT_TRUE(adds_up(director_));
}

// What waits goes on, and what is reset or moved stays so, when the server is as it was.
TEST_P(ServerLifecycle, AndAfterwards) {
  begin();
  happen(GetParam().event_name());
  const unsigned to = server_of(send_packet());
  change([](auto& reals) { reals = {server(1), server(2)}; });
  if (GetParam().expected() == "dropped") {
    EXPECT_EQ(server_of(is_udp() ? director_.send(known_) : director_.send(with(known_, kAck))), 1U);
  } else if (GetParam().expected() == "reset") {
    EXPECT_EQ(director_.send(with(known_, kAck)).punted.size(), 1U);
  } else if (is_persistent()) {
    EXPECT_EQ(server_of(director_.send(with(from_port(known_, 10), kSyn))), to);
  } else {
    EXPECT_EQ(server_of(send_packet()), to);
  }
  EXPECT_TRUE(adds_up(director_));
}

std::string identifier(const testing::TestParamInfo<Cell>& info) {
  std::string name = info.param.name();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Table, ServerLifecycle, testing::ValuesIn(all_cells()), identifier);

// ---- the document ----

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream in(line.substr(1));
  for (std::string cell; std::getline(in, cell, '|');) {
    const auto first = cell.find_first_not_of(' ');
    cells.push_back(first == std::string::npos ? "" : cell.substr(first, cell.find_last_not_of(' ') - first + 1));
  }
  return cells;
}

// Name of a cell and its word, of the tables under "### expire_nodest_conn on" and "off".
std::map<std::string, std::string> documented() {
  std::ifstream in(LBDP_SOURCE_DIR "/docs/connections.md");
  EXPECT_TRUE(in.good()) << "docs/connections.md cannot be read";
  std::map<std::string, std::string> words;
  std::string value;
  std::vector<std::string> header;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("#")) {
      const std::string heading = "### expire_nodest_conn ";
      value = line.starts_with(heading) ? line.substr(heading.size()) : "";
      header.clear();
    }
    if (value.empty() || !line.starts_with("|") || line.starts_with("|--")) continue;
    const auto cells = cells_of(line);
    if (header.empty()) {
      header = cells;
      continue;
    }
    EXPECT_EQ(cells.size(), header.size()) << line;
    for (size_t i = 1; i < std::min(cells.size(), header.size()); ++i) {
      const bool is_new = words.emplace(value + " / " + header[i] + " / " + cells[0], cells[i]).second;
      EXPECT_TRUE(is_new) << "twice: " << line;
    }
  }
  return words;
}

TEST(ServerLifecycleDocument, HasTheseCellsAndNoOthers) {
  std::map<std::string, std::string> tested;
  for (const Cell& cell : all_cells()) tested[cell.name()] = cell.expected();
  EXPECT_EQ(documented(), tested);
}

}  // namespace
}  // namespace lbdp::packet_tests
