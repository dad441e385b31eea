// SPDX-License-Identifier: BSD-2-Clause
// Random frames against a plain model of the rules: the same fate for every frame, the same bytes, the same counters.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "tests/packet/support/director.h"

namespace lbdp::packet_tests {
namespace {

using dataplane::PuntClass;

// What is to become of a frame, in one word: "to 3", "punt bulk", "drop fragment".
using Verdict = std::string;

// The rules once more, written for reading and not for speed, over bytes and std::map. Services: 192.0.2.10 tcp/80 and
// udp/53 are ours with servers 1..3, 192.0.2.20 tcp/80 is another director's, 192.0.2.10 tcp/81 has no server. The
// clock stands still.
class Model {
 public:
  Verdict judge(const Bytes& f) {
    if (f.size() < 14) return "drop truncated";
    const bool group = (f[0] & 1) != 0;
    const bool ours = hex(f).starts_with("02 00 00 00 00 a0 ");
    if (!ours && !group) return "drop not_for_us";
    size_t l3 = 14;
    bool tagged = false;
    unsigned type = be16(f, 12);
    if (type == 0x8100) {
      if (f.size() < 18) return "drop truncated";
      tagged = be16(f, 14) % 4096 != 0;
      type = be16(f, 16);
      l3 = 18;
    }
    if (type == 0x0806) return "punt control";
    if (type == 0x86dd) return ipv6(f, l3);
    if (type != 0x0800) return "punt bulk";
    return ipv4(f, l3, ours, tagged);
  }
  [[nodiscard]] size_t connections() const { return flows_.size(); }

 private:
  struct Flow {
    unsigned server;
    char state;  // R syn_recv, E established, F fin_wait, T time_wait, C close, U udp
  };

  static unsigned at(const Bytes& f, size_t i) { return i < f.size() ? f[i] : 0; }
  static unsigned be16(const Bytes& f, size_t i) { return at(f, i) * 256 + at(f, i + 1); }

  static Verdict ports_class(unsigned protocol, unsigned source, unsigned destination) {
    if (protocol == 6 && (source == 179 || destination == 179)) return "punt control";
    if (protocol == 17 && (destination == 3784 || destination == 3785 || destination == 4784)) return "punt control";
    return "punt bulk";
  }
  static Verdict ipv6(const Bytes& f, size_t l3) {
    const unsigned next = at(f, l3 + 6), type = at(f, l3 + 40);
    if (next == 112) return "punt vrrp";
    if (next == 58) return type >= 133 && type <= 137 ? "punt control" : "punt bulk";
    return ports_class(next, be16(f, l3 + 40), be16(f, l3 + 42));
  }

  Verdict ipv4(const Bytes& f, size_t l3, bool ours, bool tagged) {
    if (f.size() < l3 + 20) return "drop truncated";
    const size_t header = (f[l3] % 16) * 4U;
    if (f[l3] / 16 != 4 || header < 20) return "drop bad_ip_header";
    if (f.size() < l3 + header) return "drop truncated";
    const size_t total = be16(f, l3 + 2);
    if (total < header || l3 + total > f.size()) return "drop bad_ip_length";
    const unsigned protocol = f[l3 + 9];
    const bool fragment = be16(f, l3 + 6) % 0x4000 != 0;
    const bool transport = protocol == 6 || protocol == 17;
    const unsigned destination = be16(f, l3 + 16) * 65536 + be16(f, l3 + 18);
    if (transport && !fragment && total < header + (protocol == 6 ? 20 : 8)) return "drop truncated";
    const bool our_vip = ours && destination == 0xc000020a, foreign_vip = ours && destination == 0xc0000214;
    if (foreign_vip) return "drop vip_not_owned";
    if (our_vip && fragment && transport) return "drop fragment";
    if (protocol == 112) return "punt vrrp";
    if (fragment || !transport) return "punt bulk";
    const size_t l4 = l3 + header;
    const unsigned source = be16(f, l4), port = be16(f, l4 + 2);
    const bool web = protocol == 6 && (port == 80 || port == 81), dns = protocol == 17 && port == 53;
    if (tagged || !our_vip || !(web || dns)) return ports_class(protocol, source, port);
    const std::string client(f.begin() + static_cast<long>(l3) + 12, f.begin() + static_cast<long>(l3) + 16);
    const std::string key = client + "/" + std::to_string(source) + "/" + std::to_string(port);
    return dns ? udp(key) : tcp(key, f[l4 + 13], port == 80);
  }

  Verdict udp(const std::string& key) {
    if (!flows_.contains(key)) flows_[key] = {++dns_picks_ % 3, 'U'};
    return forward(flows_[key]);
  }
  Verdict tcp(const std::string& key, unsigned flags, bool has_servers) {
    const bool fin = flags & 1, syn = flags & 2, rst = flags & 4, ack = flags & 16, opens = syn && !fin && !rst && !ack;
    const auto known = flows_.find(key);
    const bool fresh = known == flows_.end() || (opens && std::strchr("FTC", known->second.state) != nullptr);
    if (fresh && !opens) return "punt bulk";
    if (fresh && !has_servers) return "drop no_real_server";
    if (fresh) return forward(flows_[key] = {++web_picks_ % 3, 'R'});
    char& state = known->second.state;
    if (rst) {
      if (state != 'R') state = 'C';
    } else if (syn) {
      if (state != 'E') state = 'R';
    } else if (fin) {
      state = state == 'R' ? 'T' : state == 'E' ? 'F' : state;
    } else if (ack && state == 'R') {
      state = 'E';
    }
    return forward(known->second);
  }
  static Verdict forward(const Flow& flow) { return "to " + std::to_string(flow.server == 0 ? 3 : flow.server); }

  std::map<std::string, Flow> flows_;
  unsigned web_picks_ = 0, dns_picks_ = 0;
};

class Traffic {
 public:
  explicit Traffic(uint64_t seed) : random_(seed) {}

  Bytes next() {
    if (chance(30)) return noise();
    Bytes frame = sensible().bytes();
    if (chance(8)) frame[pick(frame.size())] = static_cast<uint8_t>(random_());
    if (chance(8)) frame[pick(std::min<size_t>(frame.size(), 38))] ^= static_cast<uint8_t>(1U << pick(8));
    if (chance(20)) frame.resize(1 + pick(frame.size()));
    return frame;
  }
  size_t pick(size_t below) { return std::uniform_int_distribution<size_t>(0, below - 1)(random_); }

 private:
  bool chance(size_t one_in) { return pick(one_in) == 0; }
  template <class T>
  T one_of(std::initializer_list<T> list) {
    return *(list.begin() + pick(list.size()));
  }

  Bytes noise() {
    Bytes frame(1 + pick(120));
    for (auto& byte : frame) byte = static_cast<uint8_t>(random_());
    const auto us = mac(kPortMacs[0]).bytes;
    if (frame.size() >= 14 && chance(2)) std::copy(us.begin(), us.end(), frame.begin());
    if (frame.size() >= 14) frame[12] = one_of<uint8_t>({0x08, 0x86, 0x81}), frame[13] = one_of<uint8_t>({0, 6, 0xdd});
    return frame;
  }

  Frame sensible() {
    Frame f;
    f.src = "10.0.0." + std::to_string(1 + pick(4));
    f.sport = static_cast<uint16_t>(chance(40) ? 179 : 1000 + pick(20));
    f.dst = one_of({"192.0.2.10", "192.0.2.10", "192.0.2.10", "192.0.2.10", "192.0.2.20", "192.0.2.1", "224.0.0.18"});
    f.dport = one_of<uint16_t>({80, 80, 80, 53, 53, 81, 22, 179, 3784});
    f.protocol = one_of<uint8_t>({6, 6, 6, 17, 17, 1, 112, 132});
    f.tcp_flags = one_of<uint8_t>({kSyn, kSyn, kAck, kAck, kAck, kFin | kAck, kRst, kSyn | kAck, kSyn | kFin, 0, 0x3f});
    f.payload = std::string(pick(3) == 0 ? pick(200) : 0, 'p');
    if (chance(10)) f.ip_options = Bytes(4 * (1 + pick(10)), 1);
    if (chance(12)) f.fragment_field = one_of<uint16_t>({0x2000, 0x0001, 0x20ff, 0x4000, 0x8000});
    if (chance(12)) f.vlan_tci = one_of<uint16_t>({0, 0xe000, 1, 100, 4095});
    if (chance(12))
      f.dst_mac = one_of({"ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:12", "02:00:00:00:00:a1", "02:00:00:00:00:a0"});
    if (chance(30)) f.pad_to = 0;
    return f;
  }

  std::mt19937_64 random_;
};

class RandomTraffic : public testing::TestWithParam<uint64_t> {};

TEST_P(RandomTraffic, FaresAsTheModelSays) {
  dataplane::PolicingParams unlimited;
  unlimited.vrrp = unlimited.control = unlimited.bulk = {1'000'000'000, 1'000'000};
  unlimited.replies = {1, 0};
  Director director({.connections = 4096, .policing = unlimited});
  auto tables = web_and_dns(3);
  tables.virtual_servers.push_back(service({Protocol::kTcp, Endpoint::parse("192.0.2.10:81").value()}, 0));
  tables.virtual_servers.push_back(service({Protocol::kTcp, Endpoint::parse("192.0.2.20:80").value()}, 1));
  tables.virtual_servers.back().owned = false;
  director.publish(tables);

  Traffic traffic(GetParam());
  Model model;
  std::map<Verdict, uint64_t> expected_counts, counts;
  for (unsigned burst = 0; burst < 1500; ++burst) {
    // Frames of one burst keep their order within each way out, so the expectations do, too.
    std::vector<Bytes> frames, sent;
    std::vector<std::string> punted;
    std::map<std::string, uint64_t> drops;
    for (size_t i = 1 + traffic.pick(32); i > 0; --i) {
      frames.push_back(traffic.next());
      const Verdict verdict = model.judge(frames.back());
      ++expected_counts[verdict];
      if (verdict.starts_with("to ")) {
        Bytes out = frames.back();
        const Bytes macs{2, 0, 0, 0, 1, static_cast<uint8_t>(std::stoi(verdict.substr(3))), 2, 0, 0, 0, 0, 0xa0};
        std::copy(macs.begin(), macs.end(), out.begin());
        sent.push_back(out);
      } else if (verdict.starts_with("punt ")) {
        punted.push_back(hex(frames.back()));
      } else {
        ++drops[verdict.substr(5)];
      }
    }
    const Outcome outcome = director.send(frames);
    ASSERT_EQ(outcome.drops, drops) << "burst " << burst;
    ASSERT_EQ(outcome.sent.size(), sent.size());
    for (size_t i = 0; i < sent.size(); ++i) ASSERT_EQ(hex(outcome.sent[i].bytes), hex(sent[i])) << "burst " << burst;
    ASSERT_EQ(outcome.punted.size(), punted.size());
    std::vector<std::string> really_punted;  // the classes' rings are drained one after the other
    for (const auto& p : outcome.punted) really_punted.push_back(hex(p.bytes));
    std::sort(punted.begin(), punted.end());
    std::sort(really_punted.begin(), really_punted.end());
    ASSERT_EQ(really_punted, punted) << "burst " << burst;
  }

  const auto status = director.status();
  EXPECT_TRUE(adds_up(status));
  for (const auto& drop : status.drops) {
    if (drop.count > 0) counts["drop " + std::string(drop.name)] = drop.count;
  }
  for (const auto& punt : status.punted) {
    if (punt.count > 0) counts["punt " + std::string(punt.name)] = punt.count;
  }
  uint64_t forwarded = 0;
  for (const auto& [verdict, count] : expected_counts) {
    if (verdict.starts_with("to ")) forwarded += count;
  }
  std::erase_if(expected_counts, [](const auto& item) { return item.first.starts_with("to "); });
  EXPECT_EQ(counts, expected_counts);
  EXPECT_EQ(status.transmitted, forwarded);
  EXPECT_GT(forwarded, 1000U);
  EXPECT_GE(counts.size(), 10U) << "the traffic is to meet most rules";
  EXPECT_EQ(status.connections, model.connections());
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomTraffic, testing::Range(uint64_t{1}, uint64_t{9}),
                         [](const auto& one) { return std::to_string(one.param); });

}  // namespace
}  // namespace lbdp::packet_tests
