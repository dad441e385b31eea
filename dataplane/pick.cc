// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/pick.h"

#include "dataplane/stable_hash.h"

namespace lbdp::dataplane {
namespace {

using Server = SchedulerTable::Server;
__extension__ using Wide = unsigned __int128;  // a load of 40 bits times a weight of 32

// ---- who is there ----

// A table and its servers' loads: what every scheduler looks at.
struct View {
  const SchedulerTable& table;
  std::span<const SlotLoad> loads;

  [[nodiscard]] const SlotLoad& load(SlotId slot) const { return loads[static_cast<size_t>(slot)]; }
  [[nodiscard]] bool overloaded(SlotId slot) const { return table.has_thresholds() && load(slot).overloaded(); }
  [[nodiscard]] bool available(const Server& server) const { return server.weight != 0 && !overloaded(server.slot); }
  [[nodiscard]] const Server& at(size_t position) const { return table.servers()[position]; }
  [[nodiscard]] size_t size() const { return table.servers().size(); }
};

std::optional<SlotId> slot_of(const Server* server) {
  return server != nullptr ? std::optional(server->slot) : std::nullopt;
}

// ---- round robin ----

using Step = std::optional<SchedulerCursor>;

// The usable server after the last pick; with thresholds, the next one that is not overloaded, once around.
Step next_in_order(const View& view, SchedulerCursor cursor) {
  const SchedulerTable& table = view.table;
  const auto last = table.position_of(cursor.last, cursor.position);
  uint16_t position = last ? table.next_usable(*last) : table.first_usable();
  if (table.has_thresholds()) {
    size_t tried = 0;
    for (; view.overloaded(view.at(position).slot); position = table.next_usable(position))
      if (++tried == table.usable_count()) return std::nullopt;
  }
  return SchedulerCursor{view.at(position).slot, position, 0};
}

// The kernel walks the list in rounds: in each, a server has a turn if its weight is at least the round's, and each
// round is `step` below the one before. What follows the last pick is the rest of the present round; then come whole
// rounds. A whole round without a turn is followed by others without one until the round comes down to the greatest
// weight there is (or wraps to the top first), so that the round with the next turn needs no search.
Step next_weighted(const View& view, SchedulerCursor cursor) {
  const SchedulerTable& table = view.table;
  const auto last = table.position_of(cursor.last, cursor.position);
  const auto turn = [&](size_t position, uint32_t round) {
    return SchedulerCursor{view.at(position).slot, static_cast<uint16_t>(position), round};
  };
  // A cursor that other weights have left behind counts as one of the top round.
  const uint32_t round = cursor.round == 0 || cursor.round > table.max_round() ? table.max_round() : cursor.round;
  for (size_t i = last ? size_t{*last} + 1 : 0; i < view.size(); ++i)
    if (view.at(i).weight >= round && view.available(view.at(i))) return turn(i, round);

  const uint32_t next_round = round > table.round_step() ? round - table.round_step() : table.max_round();
  const Server* heaviest = nullptr;
  for (size_t i = 0; i < view.size(); ++i) {
    const Server& server = view.at(i);
    if (!view.available(server)) continue;
    if (server.weight >= next_round) return turn(i, next_round);
    if (heaviest == nullptr || server.weight > heaviest->weight) heaviest = &server;
  }
  if (heaviest == nullptr) return std::nullopt;
  return turn(static_cast<size_t>(heaviest - &view.at(0)), heaviest->weight - (table.round_step() - 1));
}

Step next_step(const View& view, SchedulerCursor cursor) {
  return view.table.kind() == Scheduler::kRoundRobin ? next_in_order(view, cursor) : next_weighted(view, cursor);
}

// Another worker's pick between load and swap makes this one start again from there: the order stays strict. The loop
// ends because each failure is another worker's success.
std::optional<SlotId> take_turn(const View& view, SchedulerState& state) {
  SchedulerCursor cursor = state.cursor();
  for (;;) {
    const Step next = next_step(view, cursor);
    if (!next) return std::nullopt;
    if (state.replace(cursor, *next)) return next->last;
  }
}

// ---- by load ----

// IPVS's weighing of connections: an active one counts 256 times as much as an inactive one.
uint64_t overhead(SlotLoad::Counts counts) {
  return (uint64_t{counts.active} << 8) + counts.inactive;
}

const Server* least_connection(const View& view) {
  const Server* best = nullptr;
  uint64_t least = 0;
  for (const Server& server : view.table.servers()) {
    if (!view.available(server)) continue;
    const uint64_t load = overhead(view.load(server.slot).counts());
    if (best == nullptr || load < least) {
      best = &server;
      least = load;
    }
  }
  return best;
}

// The least `load_of` in proportion to the weight.
template <class LoadOf>
const Server* least_for_its_weight(const View& view, LoadOf&& load_of) {
  const Server* best = nullptr;
  uint64_t least = 0;
  for (const Server& server : view.table.servers()) {
    if (!view.available(server)) continue;
    const uint64_t load = load_of(view.load(server.slot).counts());
    if (best == nullptr || Wide{load} * best->weight < Wide{least} * server.weight) {
      best = &server;
      least = load;
    }
  }
  return best;
}

const Server* weighted_least_connection(const View& view) {
  return least_for_its_weight(view, overhead);
}

const Server* shortest_expected_delay(const View& view) {
  return least_for_its_weight(view, [](SlotLoad::Counts counts) { return uint64_t{counts.active} + 1; });
}

const Server* never_queue(const View& view) {
  for (const Server& server : view.table.servers())
    if (view.available(server) && view.load(server.slot).active() == 0) return &server;
  return shortest_expected_delay(view);
}

const Server* failover(const View& view) {
  if (!view.table.has_thresholds()) return &view.at(view.table.heaviest());
  const Server* best = nullptr;
  for (const Server& server : view.table.servers())
    if (view.available(server) && (best == nullptr || server.weight > best->weight)) best = &server;
  return best;
}

// The kernel compares before it counts the new connection, and so gives a server one more than its weight.
const Server* overflow(const View& view) {
  const Server* best = nullptr;
  for (const Server& server : view.table.servers()) {
    if (!view.available(server) || view.load(server.slot).active() > server.weight) continue;
    if (best == nullptr || server.weight > best->weight) best = &server;
  }
  return best;
}

uint64_t available_weight(const View& view) {
  if (!view.table.has_thresholds()) return view.table.total_weight();
  uint64_t sum = 0;
  for (const Server& server : view.table.servers())
    if (view.available(server)) sum += server.weight;
  return sum;
}

// Where `point` falls when the available servers' weights are laid end to end.
const Server* server_at(const View& view, uint64_t point) {
  for (const Server& server : view.table.servers()) {
    if (!view.available(server)) continue;
    if (point < server.weight) return &server;
    point -= server.weight;
  }
  return nullptr;  // one has become overloaded since the weights were added up
}

const Server* two_choices(const View& view, uint32_t hash) {
  const uint64_t total = available_weight(view);
  const uint64_t chance = mix64(hash);
  const auto draw = [&](uint64_t bits) { return server_at(view, static_cast<uint64_t>(Wide{bits} * total >> 32)); };
  const Server* one = draw(chance & 0xffffffffU);
  const Server* other = draw(chance >> 32);
  if (one == nullptr || other == nullptr) return one != nullptr ? one : failover(view);
  const uint64_t load_of_one = overhead(view.load(one->slot).counts());
  const uint64_t load_of_other = overhead(view.load(other->slot).counts());
  return Wide{load_of_other} * one->weight < Wide{load_of_one} * other->weight ? other : one;
}

// ---- by hash ----

// The kernel's: the words of the address XORed, plus the port for sh-port, in host order, times the golden ratio.
size_t bucket_of(const WideAddress& address, uint16_t port) {
  uint32_t folded = 0;
  if (address.is_v4()) {
    folded = address.v4().raw();
  } else {
    const uint64_t both = address.first ^ address.second;
    folded = static_cast<uint32_t>(both ^ both >> 32);
  }
  return (Be<uint32_t>::from_raw(folded).host() + port) * 0x61c88647U >> 24;
}

uint16_t hashed_port(const SchedulerTable& table, const PickInput& input) {
  return table.flags().port ? input.client_port.host() : uint16_t{0};
}

size_t source_bucket(const SchedulerTable& table, const PickInput& input) {
  return bucket_of(input.client, hashed_port(table, input));
}

size_t maglev_place(const SchedulerTable& table, const PickInput& input) {
  const auto hash = static_cast<uint32_t>(stable_hash(input.client, hashed_port(table, input)));
  return place_of(hash, table.maglev().size());
}

// With fallback, an overloaded server's clients go where the next bucket that can serve belongs. The kernel looks for
// it from twice the client's own bucket on, and so do we: a client has the same second server with both.
std::optional<SlotId> source_hash(const View& view, const PickInput& input) {
  const auto buckets = view.table.buckets();
  const size_t own = source_bucket(view.table, input);
  const SlotId wanted = view.at(buckets[own]).slot;
  if (!view.overloaded(wanted)) return wanted;
  if (!view.table.flags().fallback) return std::nullopt;
  for (size_t i = 0; i < SchedulerTable::kBuckets; ++i) {
    const SlotId slot = view.at(buckets[(2 * own + i) % SchedulerTable::kBuckets]).slot;
    if (!view.overloaded(slot)) return slot;
  }
  return std::nullopt;
}

std::optional<SlotId> destination_hash(const View& view, const PickInput& input) {
  const SlotId slot = view.at(view.table.buckets()[bucket_of(input.destination, 0)]).slot;
  return view.overloaded(slot) ? std::nullopt : std::optional(slot);
}

// With fallback: a few places on, where other servers stand in an order of their own for each client; after so many in
// vain that nearly all must be overloaded, the first one that is not.
std::optional<SlotId> maglev_hash(const View& view, const PickInput& input) {
  constexpr size_t kProbes = 64;
  const auto places = view.table.maglev();
  size_t place = maglev_place(view.table, input);
  const SlotId wanted = places[place];
  if (!view.overloaded(wanted)) return wanted;
  if (!view.table.flags().fallback) return std::nullopt;
  for (size_t i = 0; i < kProbes; ++i) {
    if (++place == places.size()) place = 0;
    if (!view.overloaded(places[place])) return places[place];
  }
  for (const Server& server : view.table.servers())
    if (view.available(server)) return server.slot;
  return std::nullopt;
}

// ---- all of them ----

// Every scheduler but rr and wrr: no state of their own.
std::optional<SlotId> pick_stateless(const View& view, const PickInput& input) {
  switch (view.table.kind()) {
    case Scheduler::kLeastConnection: return slot_of(least_connection(view));
    case Scheduler::kWeightedLeastConnection: return slot_of(weighted_least_connection(view));
    case Scheduler::kShortestExpectedDelay: return slot_of(shortest_expected_delay(view));
    case Scheduler::kNeverQueue: return slot_of(never_queue(view));
    case Scheduler::kFailover: return slot_of(failover(view));
    case Scheduler::kOverflow: return slot_of(overflow(view));
    case Scheduler::kTwoChoices: return slot_of(two_choices(view, input.hash));
    case Scheduler::kSourceHash: return source_hash(view, input);
    case Scheduler::kDestinationHash: return destination_hash(view, input);
    case Scheduler::kMaglev: return maglev_hash(view, input);
    case Scheduler::kRoundRobin:
    case Scheduler::kWeightedRoundRobin: break;
  }
  return std::nullopt;
}

bool has_turns(Scheduler kind) {
  return kind == Scheduler::kRoundRobin || kind == Scheduler::kWeightedRoundRobin;
}

}  // namespace

std::optional<SlotId> pick(const SchedulerTable& table, SchedulerState& state, std::span<const SlotLoad> loads,
                           const PickInput& input) noexcept {
  if (!table.any_usable()) return std::nullopt;
  const View view{table, loads};
  return has_turns(table.kind()) ? take_turn(view, state) : pick_stateless(view, input);
}

std::optional<SlotId> preview(const SchedulerTable& table, const SchedulerState& state, std::span<const SlotLoad> loads,
                              const PickInput& input) noexcept {
  if (!table.any_usable()) return std::nullopt;
  const View view{table, loads};
  if (!has_turns(table.kind())) return pick_stateless(view, input);
  const Step next = next_step(view, state.cursor());
  return next ? std::optional(next->last) : std::nullopt;
}

std::optional<SlotId> pick_unstored(const SchedulerTable& table, const PickInput& input) noexcept {
  if (!table.any_usable()) return std::nullopt;
  const View view{table, {}};
  switch (table.kind()) {
    case Scheduler::kSourceHash: return view.at(table.buckets()[source_bucket(table, input)]).slot;
    case Scheduler::kDestinationHash: return view.at(table.buckets()[bucket_of(input.destination, 0)]).slot;
    case Scheduler::kMaglev: return table.maglev()[maglev_place(table, input)];
    case Scheduler::kFailover: return table.servers()[table.heaviest()].slot;
    default: {
      const auto hash = static_cast<uint32_t>(mix64(input.hash) >> 32);
      return table.maglev()[place_of(hash, table.maglev().size())];
    }
  }
}

}  // namespace lbdp::dataplane
