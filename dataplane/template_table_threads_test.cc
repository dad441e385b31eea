// SPDX-License-Identifier: BSD-2-Clause
// Persistence templates under several threads; to be run under ThreadSanitizer, too.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "dataplane/template_table.h"

namespace lbdp::dataplane {
namespace {

using Outcome = TemplateTable::Outcome;

constexpr ServiceId kService{7};
constexpr Tick kLifetime = 100 * kTicksPerSecond;
constexpr unsigned kThreads = 4;

const auto kAnyServer = [](BoundServer) { return true; };
const auto kSameLifetime = [](ServiceId) { return std::optional(kLifetime); };

WideAddress client(uint32_t i) {
  return WideAddress::from_v4(Be<uint32_t>::from_host(0x0a000000 + i));
}
/// What a client's template holds wherever the test has only one choice: whoever reads a mixture of two sees it.
BoundServer own_server(const WideAddress& c) {
  return {SlotId{static_cast<uint16_t>(c.second >> 48)}, static_cast<uint16_t>(~(c.second >> 48))};
}

/// The threads share few CPUs: a holder may be preempted, and then the others give up and try again.
template <class Valid, class Pick>
TemplateTable::Binding bind(TemplateTable& table, uint32_t i, Tick now, Valid&& valid, Pick&& pick) {
  for (;;) {
    const auto bound = table.bind(kService, client(i), now, kLifetime, valid, pick);
    if (bound.outcome != Outcome::kBusy) return bound;
    std::this_thread::yield();
  }
}
void release(TemplateTable& table, uint32_t i, BoundServer server, Tick now) {
  while (!table.release(kService, client(i), server, now)) std::this_thread::yield();
}

template <class Work>
void run(unsigned threads, Work&& work) {
  std::vector<std::jthread> running;
  std::atomic<unsigned> ready{0};
  for (unsigned t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      ++ready;
      while (ready < threads) std::this_thread::yield();
      work(t);
    });
  }
}

std::map<uint32_t, TemplateEntry> all(const TemplateTable& table) {
  std::map<uint32_t, TemplateEntry> entries;
  for (size_t i = 0; i < table.capacity(); ++i) {
    const auto e = table.read(i);
    if (!e) continue;
    const auto [at, fresh] = entries.emplace(e->client.v4().host() - 0x0a000000, *e);
    EXPECT_TRUE(fresh) << "two templates of client " << at->first;
  }
  return entries;
}

// Each thread binds every client, all in the same order, so that they meet; each would pick another server.
TEST(TemplateTableThreads, AgreeOnOneServerForEachClient) {
  constexpr uint32_t kClients = 20'000;
  std::vector<TemplateBucket> memory(TemplateTable::buckets_for(kClients));
  TemplateTable table(memory, 3);
  std::vector<std::vector<BoundServer>> seen(kThreads, std::vector<BoundServer>(kClients));
  std::vector<std::vector<Outcome>> outcomes(kThreads, std::vector<Outcome>(kClients));
  std::atomic<uint32_t> picked{0};
  run(kThreads, [&](unsigned t) {
    const auto pick = [&] {
      ++picked;
      return std::optional(BoundServer{SlotId{static_cast<uint16_t>(t)}, static_cast<uint16_t>(t * 257)});
    };
    for (uint32_t i = 0; i < kClients; ++i) {
      const auto bound = bind(table, i, 0, kAnyServer, pick);
      seen[t][i] = bound.server;
      outcomes[t][i] = bound.outcome;
    }
  });
  auto entries = all(table);
  uint32_t created = 0, full = 0;
  for (uint32_t i = 0; i < kClients; ++i) {
    uint32_t creators = 0, bound = 0;
    for (unsigned t = 0; t < kThreads; ++t) {
      if (outcomes[t][i] == Outcome::kFull) continue;
      ++bound;
      creators += outcomes[t][i] == Outcome::kCreated ? 1 : 0;
      ASSERT_EQ(seen[t][i], entries.at(i).server) << i;
    }
    if (bound == 0) {
      ++full;
      continue;
    }
    ASSERT_EQ(creators, 1U) << i;
    ASSERT_EQ(entries.at(i).connections, bound) << i;
    ++created;
  }
  EXPECT_LE(full, kClients / 1000);
  EXPECT_EQ(created, picked.load());
  EXPECT_EQ(table.size(), created);
  EXPECT_EQ(entries.size(), created);
}

// Threads bind and release the same few clients, and move them to other servers now and then: all of them in two
// buckets, so that they meet all the time.
TEST(TemplateTableThreads, CountsAreRightInTheEnd) {
  constexpr uint32_t kClients = 6, kSteps = 40'000;
  std::vector<TemplateBucket> memory(2);
  TemplateTable table(memory, 3);
  std::vector<std::vector<uint32_t>> balance(kThreads, std::vector<uint32_t>(kClients));
  run(kThreads, [&](unsigned t) {
    std::mt19937 engine(t);
    for (uint32_t step = 0; step < kSteps; ++step) {
      const auto i = static_cast<uint32_t>(engine() % kClients);
      if (engine() % 2 == 0 && balance[t][i] > 0) {
        release(table, i, own_server(client(i)), 0);
        --balance[t][i];
      } else {
        const auto bound = bind(table, i, 0, kAnyServer, [i] { return std::optional(own_server(client(i))); });
        if (bound.outcome == Outcome::kFull) continue;
        ASSERT_EQ(bound.server, own_server(client(i)));
        ++balance[t][i];
      }
    }
  });
  for (const auto& [i, e] : all(table)) {
    uint32_t connections = 0;
    for (unsigned t = 0; t < kThreads; ++t) connections += balance[t][i];
    EXPECT_EQ(e.connections, connections) << i;
  }
}

struct Sizes {
  size_t buckets;
  uint32_t staying, passing, rounds;
  Tick step;  // of the clock, a round: lifetime / step / 2 passing clients a thread live at a time, or a little more
};
class TemplateTableChurn : public testing::TestWithParam<Sizes> {};

// At a load where templates are moved all the time, two threads add clients and let them go, one sweeps, and one looks:
// clients that stay must be there at all times, and nothing may be read half-written.
TEST_P(TemplateTableChurn, SweepAndReadersAgainstBinds) {
  const Sizes p = GetParam();
  std::vector<TemplateBucket> memory(p.buckets);
  TemplateTable table(memory, 11);
  const auto bind_own = [&](uint32_t i, Tick now) {
    return bind(table, i, now, kAnyServer, [i] { return std::optional(own_server(client(i))); });
  };
  for (uint32_t i = 0; i < p.staying; ++i) ASSERT_EQ(bind_own(i, 0).outcome, Outcome::kCreated);

  std::atomic<unsigned> working{2};
  std::atomic<Tick> clock{0};
  std::atomic<uint64_t> created{0}, seen{0}, not_seen{0}, torn{0}, lost{0};
  run(kThreads, [&](unsigned t) {
    std::mt19937 engine(t);
    if (t < 2) {
      for (uint32_t round = 0; round < p.rounds; ++round) {
        if (t == 0) clock = round * p.step;
        const Tick now = clock;
        const uint32_t staying = static_cast<uint32_t>(engine() % p.staying);
        if (bind_own(staying, now).outcome != Outcome::kFound) ++lost;
        release(table, staying, own_server(client(staying)), now);
        const uint32_t passing = p.staying + static_cast<uint32_t>(engine() % p.passing);
        const auto bound = bind_own(passing, now);
        if (bound.outcome == Outcome::kCreated) ++created;
        if (bound.outcome != Outcome::kFull) release(table, passing, bound.server, now);
      }
      --working;
    } else if (t == 2) {
      while (working > 0) {
        table.sweep(memory.size(), clock, kSameLifetime, kAnyServer);
        std::this_thread::yield();
      }
    } else {
      while (working > 0) {
        const uint32_t i = static_cast<uint32_t>(engine() % p.staying);
        const auto [sight, server] = table.look_for(kService, client(i), clock);
        if (sight == TemplateTable::Sight::kNotHere) ++not_seen;
        if (sight == TemplateTable::Sight::kHere) ++seen;
        if (sight == TemplateTable::Sight::kHere && server != own_server(client(i))) ++torn;
        const auto e = table.read(engine() % table.capacity());
        if (e && (e->server != own_server(e->client) || e->service != kService)) ++torn;
      }
    }
  });
  EXPECT_EQ(lost, 0U);
  EXPECT_EQ(torn, 0U);
  EXPECT_EQ(not_seen, 0U);
  EXPECT_GT(seen, 0U);
  EXPECT_GT(created, p.passing);
  auto entries = all(table);
  for (uint32_t i = 0; i < p.staying; ++i) {
    ASSERT_TRUE(entries.contains(i)) << i;
    EXPECT_EQ(entries.at(i).connections, 1U);
  }
  EXPECT_EQ(table.size(), entries.size());
  table.sweep(memory.size(), clock + kLifetime + 1, kSameLifetime, kAnyServer);
  EXPECT_EQ(table.size(), p.staying);
}
INSTANTIATE_TEST_SUITE_P(
    Sizes, TemplateTableChurn,
    testing::Values(Sizes{.buckets = 160, .staying = 300, .passing = 4000, .rounds = 30'000, .step = 4},
                    Sizes{.buckets = 8, .staying = 12, .passing = 100, .rounds = 60'000, .step = 60}));

}  // namespace
}  // namespace lbdp::dataplane
