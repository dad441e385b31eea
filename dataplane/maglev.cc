// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/maglev.h"

#include <algorithm>

#include "dataplane/stable_hash.h"

namespace lbdp::dataplane {
namespace {

constexpr SlotId kVacant{0xffff};  // no slot has this id

// A server that fills the table: it walks its own permutation of the places, offset + n * skip mod size.
struct Filler {
  SlotId slot{};
  uint32_t next = 0;  // the place that it asks for next
  uint32_t skip = 0;
  uint64_t weight = 0;
  uint64_t due = 0;  // its next turn comes in the first round with round * weight >= due
};

std::vector<Filler> fillers(std::span<const MaglevServer> servers, uint32_t size, uint64_t max_weight) {
  std::vector<Filler> out;
  out.reserve(servers.size());
  for (const MaglevServer& server : servers) {
    if (server.weight == 0) continue;
    const uint64_t hash = mix64(server.identity);
    // Half a turn is due from the start, so that shares are rounded and not cut.
    out.push_back({server.slot, place_of(static_cast<uint32_t>(hash), size),
                   place_of(static_cast<uint32_t>(hash >> 32), size - 1) + 1, server.weight, (max_weight + 1) / 2});
  }
  return out;
}

uint32_t take_vacant(std::vector<SlotId>& table, Filler& filler) {
  const auto size = static_cast<uint32_t>(table.size());
  for (;;) {
    const uint32_t place = filler.next;
    filler.next += filler.skip;
    if (filler.next >= size) filler.next -= size;
    if (table[place] == kVacant) return place;
  }
}

}  // namespace

std::vector<SlotId> build_maglev(std::span<const MaglevServer> servers, uint32_t size) {
  uint64_t max_weight = 0;
  for (const MaglevServer& server : servers) max_weight = std::max<uint64_t>(max_weight, server.weight);
  if (max_weight == 0) return {};
  auto all = fillers(servers, size, max_weight);
  std::vector<SlotId> table(size, kVacant);
  uint32_t filled = 0;
  // The heaviest server has a turn in every round, so there are at most `size` rounds.
  for (uint64_t round = 1;; ++round) {
    for (Filler& filler : all) {
      if (round * filler.weight < filler.due) continue;
      filler.due += max_weight;
      table[take_vacant(table, filler)] = filler.slot;
      if (++filled == size) return table;
    }
  }
}

uint32_t maglev_size(size_t servers, uint32_t least) {
  // Each the greatest prime below a power of two, and IPVS's own 4093 is among them.
  static constexpr uint32_t kPrimes[] = {61,   127,   251,   509,   1021,   2039,   4093,
                                         8191, 16381, 32749, 65521, 131071, 262139, 524287};
  const size_t wanted = std::max<size_t>(least, servers * 8);
  const auto* const found = std::lower_bound(std::begin(kPrimes), std::end(kPrimes), wanted);
  return found == std::end(kPrimes) ? kPrimes[std::size(kPrimes) - 1] : *found;
}

}  // namespace lbdp::dataplane
