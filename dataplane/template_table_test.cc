// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/template_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <vector>

namespace lbdp::dataplane {
namespace {

using Outcome = TemplateTable::Outcome;

constexpr ServiceId kService{7};
constexpr Tick kLifetime = 100 * kTicksPerSecond;
constexpr Tick kSecond = kTicksPerSecond;

const auto kAnyServer = [](BoundServer) { return true; };
const auto kNoRoomForPick = []() -> std::optional<BoundServer> {
  ADD_FAILURE() << "pick() called";
  return std::nullopt;
};
const auto kNobody = []() -> std::optional<BoundServer> { return std::nullopt; };
const auto kSameLifetime = [](ServiceId) { return std::optional(kLifetime); };

WideAddress client(uint32_t i) {
  return WideAddress::from_v4(Be<uint32_t>::from_host(0x0a000000 + i));
}
WideAddress client6(uint64_t network, uint64_t host) {
  return {__builtin_bswap64(network), __builtin_bswap64(host)};
}
BoundServer server(uint32_t i) {
  return {SlotId{static_cast<uint16_t>(i)}, static_cast<uint16_t>(i >> 3)};
}
auto picks(BoundServer s) {
  return [s] { return std::optional(s); };
}

class TemplateTableTest : public testing::Test {
 protected:
  void make(size_t buckets, uint64_t seed = 1) {
    memory_ = std::vector<TemplateBucket>(buckets);
    table_.emplace(memory_, seed);
  }
  Outcome bind(const WideAddress& c, BoundServer s, Tick now = 0) {
    return table_->bind(kService, c, now, kLifetime, kAnyServer, picks(s)).outcome;
  }
  [[nodiscard]] std::optional<TemplateEntry> entry(const WideAddress& c, ServiceId service = kService) const {
    std::optional<TemplateEntry> found;
    for (size_t i = 0; i < table_->capacity(); ++i) {
      const auto e = table_->read(i);
      if (!e || e->service != service || e->client != c) continue;
      EXPECT_FALSE(found) << "two templates of one client";
      found = e;
    }
    return found;
  }
  void sweep(Tick now) { table_->sweep(table_->bucket_count(), now, kSameLifetime, kAnyServer); }

  std::vector<TemplateBucket> memory_ = std::vector<TemplateBucket>(64);
  std::optional<TemplateTable> table_{std::in_place, memory_, 1};
};

TEST_F(TemplateTableTest, TheNextConnectionGoesToTheSameServer) {
  EXPECT_FALSE(table_->find(kService, client(1), 0));
  EXPECT_EQ(bind(client(1), server(5)), Outcome::kCreated);
  EXPECT_EQ(table_->find(kService, client(1), 0), server(5));
  const auto again = table_->bind(kService, client(1), 3, kLifetime, kAnyServer, kNoRoomForPick);
  EXPECT_EQ(again.outcome, Outcome::kFound);
  EXPECT_EQ(again.server, server(5));
  EXPECT_EQ(table_->size(), 1U);
  const auto e = entry(client(1));
  ASSERT_TRUE(e);
  EXPECT_EQ(e->server, server(5));
  EXPECT_EQ(e->connections, 2U);
  EXPECT_EQ(e->expires, 3 + kLifetime);
}

TEST_F(TemplateTableTest, TellsServicesAndClientsApart) {
  const WideAddress clients[] = {{0, 0}, client(0), client(1), client6(1, 1), client6(1, 2), client6(2, 1)};
  const ServiceId services[] = {ServiceId{0}, ServiceId{1}, ServiceId{65534}};
  uint32_t n = 0;
  for (const auto service : services) {
    for (const auto& c : clients) {
      EXPECT_EQ(table_->bind(service, c, 0, kLifetime, kAnyServer, picks(server(++n))).outcome, Outcome::kCreated);
    }
  }
  n = 0;
  for (const auto service : services) {
    for (const auto& c : clients) EXPECT_EQ(table_->find(service, c, 0), server(++n));
  }
}

// The caller masks: a /24 of clients, or a /64, has one template.
TEST_F(TemplateTableTest, ANetworkOfClientsSharesATemplate) {
  const auto masked4 = [](uint32_t host) { return WideAddress::from_v4(Be<uint32_t>::from_host(host & 0xffffff00U)); };
  const auto masked6 = [](uint64_t network, uint64_t) { return client6(network, 0); };
  EXPECT_EQ(bind(masked4(0xc0000201), server(1)), Outcome::kCreated);
  EXPECT_EQ(bind(masked4(0xc00002fe), server(2)), Outcome::kFound);
  EXPECT_EQ(bind(masked4(0xc0000301), server(3)), Outcome::kCreated);
  EXPECT_EQ(bind(masked6(0x20010db800000001, 1), server(4)), Outcome::kCreated);
  EXPECT_EQ(bind(masked6(0x20010db800000001, 99), server(5)), Outcome::kFound);
  EXPECT_EQ(bind(masked6(0x20010db800000002, 1), server(6)), Outcome::kCreated);
  EXPECT_EQ(table_->size(), 4U);
}

// Also where the clock begins anew.
TEST_F(TemplateTableTest, EndsAfterItsLifetime) {
  for (const Tick start : {Tick{0}, Tick{kTickMask - 50}}) {
    make(64);
    const auto at = [start](Tick t) { return (start + t) & kTickMask; };
    ASSERT_EQ(bind(client(1), server(1), at(0)), Outcome::kCreated);
    ASSERT_TRUE(table_->release(kService, client(1), server(1), at(10)));
    EXPECT_TRUE(table_->find(kService, client(1), at(kLifetime)));
    EXPECT_FALSE(table_->find(kService, client(1), at(kLifetime + 1)));
    EXPECT_EQ(bind(client(1), server(9), at(kLifetime)), Outcome::kFound) << "renewed at the last moment";
    ASSERT_TRUE(table_->release(kService, client(1), server(1), at(kLifetime)));
    EXPECT_TRUE(table_->find(kService, client(1), at(2 * kLifetime)));
    EXPECT_EQ(bind(client(1), server(2), at(2 * kLifetime + 1)), Outcome::kCreated);
    EXPECT_EQ(table_->find(kService, client(1), at(2 * kLifetime + 1)), server(2));
    EXPECT_EQ(table_->size(), 1U);
    EXPECT_EQ(entry(client(1))->connections, 1U);
  }
}

// IPVS looks when the timer runs out, and then every 60 s: 100 s, 160 s, ... The answer must not depend on whether the
// sweep came by.
TEST_F(TemplateTableTest, ConnectionsKeepItSixtySecondsAtATime) {
  for (const bool swept : {false, true}) {
    make(64);
    ASSERT_EQ(bind(client(1), server(1), 0), Outcome::kCreated);
    ASSERT_EQ(bind(client(1), server(1), 0), Outcome::kFound);
    for (Tick now = 0; swept && now <= 170 * kSecond; now += kSecond) sweep(now);
    EXPECT_EQ(table_->find(kService, client(1), 170 * kSecond), server(1)) << "two connections";
    ASSERT_TRUE(table_->release(kService, client(1), server(1), 170 * kSecond));
    EXPECT_EQ(table_->find(kService, client(1), 230 * kSecond), server(1)) << "one connection";
    ASSERT_TRUE(table_->release(kService, client(1), server(1), 230 * kSecond));
    EXPECT_TRUE(table_->find(kService, client(1), 280 * kSecond));
    if (swept) sweep(280 * kSecond);
    EXPECT_TRUE(table_->find(kService, client(1), 280 * kSecond));
    EXPECT_FALSE(table_->find(kService, client(1), 280 * kSecond + 1));
    if (swept) sweep(280 * kSecond + 1);
    EXPECT_EQ(table_->size(), swept ? 0U : 1U);
  }
}

TEST_F(TemplateTableTest, AnInvalidOneIsReplacedAndItsConnectionsAreForgotten) {
  ASSERT_EQ(bind(client(1), server(1)), Outcome::kCreated);
  ASSERT_EQ(bind(client(1), server(1)), Outcome::kFound);
  const auto not_one = [](BoundServer s) { return s != server(1); };
  const auto none = table_->bind(kService, client(1), 0, kLifetime, not_one, kNobody);
  EXPECT_EQ(none.outcome, Outcome::kNoServer);
  EXPECT_EQ(entry(client(1))->server, server(1)) << "it may be valid again before another server is there";
  EXPECT_EQ(entry(client(1))->connections, 2U);
  const auto moved = table_->bind(kService, client(1), 0, kLifetime, not_one, picks(server(2)));
  EXPECT_EQ(moved.outcome, Outcome::kCreated);
  EXPECT_EQ(moved.server, server(2));
  EXPECT_EQ(entry(client(1))->connections, 1U);
  EXPECT_TRUE(table_->release(kService, client(1), server(1), 0));
  EXPECT_EQ(entry(client(1))->connections, 1U);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(table_->release(kService, client(1), server(2), 0));
  EXPECT_EQ(entry(client(1))->connections, 0U);
  EXPECT_TRUE(table_->release(kService, client(2), server(2), 0)) << "one without a template";
}

TEST_F(TemplateTableTest, WithoutAServerNothingIsStored) {
  EXPECT_EQ(table_->bind(kService, client(1), 0, kLifetime, kAnyServer, kNobody).outcome, Outcome::kNoServer);
  EXPECT_EQ(table_->size(), 0U);
  EXPECT_FALSE(table_->find(kService, client(1), 0));
}

TEST_F(TemplateTableTest, AFullTableKeepsWhatItHas) {
  for (const size_t buckets : {1U, 2U, 5U}) {
    make(buckets);
    std::vector<uint32_t> held;
    std::optional<uint32_t> refused;
    for (uint32_t i = 0; table_->size() < table_->capacity(); ++i) {
      ASSERT_LT(i, 10'000U);
      if (bind(client(i), server(i)) == Outcome::kCreated) held.push_back(i);
    }
    for (uint32_t i = 20'000; i < 20'100; ++i) {
      const auto full = table_->bind(kService, client(i), 1, kLifetime, kAnyServer, kNoRoomForPick);
      ASSERT_EQ(full.outcome, Outcome::kFull);
      refused = i;
    }
    for (const uint32_t i : held) ASSERT_EQ(table_->find(kService, client(i), 1), server(i));
    EXPECT_EQ(bind(client(held[0]), server(0), 1), Outcome::kFound);
    // One that ended makes room for clients of its buckets, before any sweep.
    for (const uint32_t i : held) ASSERT_TRUE(table_->release(kService, client(i), server(i), 2));
    EXPECT_EQ(bind(client(*refused), server(3), 2 * kLifetime), Outcome::kCreated);
    EXPECT_EQ(table_->size(), table_->capacity());
    EXPECT_EQ(table_->find(kService, client(*refused), 2 * kLifetime), server(3));
  }
}

// At the load that buckets_for() gives, whatever the pattern of the addresses.
TEST_F(TemplateTableTest, HoldsAsManyAsItWasMadeFor) {
  constexpr uint32_t kTemplates = 50'000;
  const std::vector<WideAddress (*)(uint32_t)> patterns{[](uint32_t i) { return client(i); },
                                                        [](uint32_t i) { return client(i << 8); },
                                                        [](uint32_t i) { return client6(0x20010db800000000 + i, 0); },
                                                        [](uint32_t i) { return client6(0x20010db800000000, i); }};
  for (size_t pattern = 0; pattern < patterns.size(); ++pattern) {
    for (const uint64_t seed : {0ULL, 0x123456789abcdefULL, ~0ULL}) {
      make(TemplateTable::buckets_for(kTemplates), seed);
      uint32_t refused = 0, lost = 0;
      for (uint32_t i = 0; i < kTemplates; ++i) {
        if (bind(patterns[pattern](i), server(i)) != Outcome::kCreated) ++refused;
      }
      EXPECT_LE(refused, kTemplates / 10'000) << "pattern " << pattern << ", seed " << seed;
      for (uint32_t i = 0; i < kTemplates; ++i) {
        if (table_->find(kService, patterns[pattern](i), 0) != server(i)) ++lost;
      }
      EXPECT_EQ(lost, refused);
      EXPECT_EQ(table_->size(), kTemplates - refused);
    }
  }
}

TEST_F(TemplateTableTest, AFloodOfNewClientsHarmsNobodyAndIsDeterministic) {
  constexpr uint32_t kKnown = 1000, kFlood = 20'000;
  std::vector<size_t> full(2);
  for (size_t run = 0; run < 2; ++run) {
    make(TemplateTable::buckets_for(2 * kKnown));
    for (uint32_t i = 0; i < kKnown; ++i) ASSERT_EQ(bind(client(i), server(i)), Outcome::kCreated);
    for (uint32_t i = kKnown; i < kKnown + kFlood; ++i) {
      const auto outcome = bind(client(i), server(i));
      if (outcome == Outcome::kFull) full[run] += i;
      if (i % 16 == 0) {
        ASSERT_EQ(bind(client(i / 16 % kKnown), server(0)), Outcome::kFound);
      }
    }
    for (uint32_t i = 0; i < kKnown; ++i) ASSERT_EQ(table_->find(kService, client(i), 0), server(i));
    EXPECT_GE(table_->size(), table_->capacity() * 7 / 8);
  }
  EXPECT_GT(full[0], 0U);
  EXPECT_EQ(full[0], full[1]);
}

TEST_F(TemplateTableTest, TheSweepRemovesWhatHasNoReasonToStay) {
  for (uint32_t i = 0; i < 100; ++i) {
    ASSERT_EQ(
        table_->bind(ServiceId{static_cast<uint16_t>(i % 4)}, client(i), 0, kLifetime, kAnyServer, picks(server(i)))
            .outcome,
        Outcome::kCreated);
  }
  const auto service_1_is_gone = [](ServiceId s) {
    return s == ServiceId{1} ? std::nullopt : std::optional(kLifetime);
  };
  const auto slot_2_is_gone = [](BoundServer s) { return s.slot != SlotId{2}; };
  table_->sweep(table_->bucket_count() / 2, 1, service_1_is_gone, slot_2_is_gone);
  EXPECT_GT(table_->size(), 74U);
  EXPECT_LT(table_->size(), 100U);
  table_->sweep(table_->bucket_count() / 2, 1, service_1_is_gone, slot_2_is_gone);
  EXPECT_EQ(table_->size(), 74U);
  for (uint32_t i = 0; i < 100; i += 4) {
    ASSERT_TRUE(table_->release(ServiceId{0}, client(i), server(i), 1));
  }
  sweep(kLifetime);
  EXPECT_EQ(table_->size(), 74U);
  sweep(kLifetime + 1);
  EXPECT_EQ(table_->size(), 49U) << "those without connections are over";
  for (uint32_t i = 3; i < 100; i += 4) {
    EXPECT_EQ(entry(client(i), ServiceId{3})->expires, kLifetime + kRearm);
  }
}

TEST_F(TemplateTableTest, AShortenedLifetimeHoldsForThoseThatAreThere) {
  ASSERT_EQ(table_->bind(kService, client(1), 0, 31 * 86400 * kSecond, kAnyServer, picks(server(1))).outcome,
            Outcome::kCreated);
  ASSERT_TRUE(table_->release(kService, client(1), server(1), 0));
  EXPECT_TRUE(table_->find(kService, client(1), 31 * 86400 * kSecond));
  sweep(0);
  EXPECT_TRUE(table_->find(kService, client(1), kLifetime));
  EXPECT_FALSE(table_->find(kService, client(1), kLifetime + 2 * kSecond));
}

// A holder that does not run: nobody waits for it for ever, and nothing is changed.
TEST_F(TemplateTableTest, ABusyBucketIsGivenUp) {
  make(2);
  ASSERT_EQ(bind(client(1), server(1)), Outcome::kCreated);
  std::optional<TemplateEntry> before = entry(client(1));
  for (TemplateBucket& bucket : memory_) ++bucket.sequence;
  EXPECT_EQ(table_->bind(kService, client(1), 5, kLifetime, kAnyServer, kNoRoomForPick).outcome, Outcome::kBusy);
  EXPECT_EQ(table_->bind(kService, client(2), 5, kLifetime, kAnyServer, kNoRoomForPick).outcome, Outcome::kBusy);
  EXPECT_FALSE(table_->release(kService, client(1), server(1), 5));
  EXPECT_FALSE(table_->find(kService, client(1), 5));
  sweep(10 * kLifetime);
  for (TemplateBucket& bucket : memory_) ++bucket.sequence;
  EXPECT_EQ(entry(client(1))->expires, before->expires);
  EXPECT_EQ(entry(client(1))->connections, 1U);
  EXPECT_TRUE(table_->release(kService, client(1), server(1), 5));
}

// Against a map, at a load where templates are moved all the time, with time going on.
TEST_F(TemplateTableTest, AgreesWithAPlainMap) {
  struct Plain {
    BoundServer server;
    Tick expires;
    uint32_t connections;
  };
  make(128, 99);
  std::map<uint32_t, Plain> model;
  std::mt19937 engine(5);
  const auto random = [&](uint32_t n) { return static_cast<uint32_t>(engine() % n); };
  Tick now = kTickMask - 20'000;
  uint32_t refused = 0, created = 0;
  for (int step = 0; step < 300'000; ++step) {
    if (random(4) == 0) now = (now + 1) & kTickMask;
    if (random(50) == 0) table_->sweep(1, now, kSameLifetime, kAnyServer);
    const uint32_t i = random(440);
    auto at = model.find(i);
    if (at != model.end() && at->second.connections != 0) at->second.expires = rearmed(at->second.expires, now);
    if (at != model.end() && is_past(at->second.expires, now)) {
      model.erase(at);
      at = model.end();
    }
    const bool there = at != model.end();
    ASSERT_EQ(table_->find(kService, client(i), now), there ? std::optional(at->second.server) : std::nullopt) << step;
    if (random(3) == 0) {
      const BoundServer s = server(random(1000));
      const auto bound = table_->bind(kService, client(i), now, kLifetime, kAnyServer, picks(s));
      const Tick expires = (now + kLifetime) & kTickMask;
      if (there) {
        ASSERT_EQ(bound.outcome, Outcome::kFound);
        at->second.expires = expires;
        ++at->second.connections;
      } else if (bound.outcome == Outcome::kFull) {
        ++refused;
      } else {
        ASSERT_EQ(bound.outcome, Outcome::kCreated) << step;
        model[i] = {s, expires, 1};
        ++created;
      }
    } else if (there) {
      ASSERT_TRUE(table_->release(kService, client(i), at->second.server, now));
      if (at->second.connections != 0) --at->second.connections;
    }
  }
  EXPECT_GT(created, 10'000U);
  EXPECT_LT(refused, created / 10);
}

}  // namespace
}  // namespace lbdp::dataplane
