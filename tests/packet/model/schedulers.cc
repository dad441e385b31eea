// SPDX-License-Identifier: BSD-2-Clause
#include "tests/packet/model/schedulers.h"

#include <algorithm>
#include <numeric>

namespace lbdp::model {
namespace {

using dataplane::Scheduler;
using List = std::vector<Candidate>;

struct Rounds {
  uint64_t step = 1;  // IPVS's di
  uint64_t top = 0;   // IPVS's mw
};

Rounds rounds_of(const List& list) {
  uint64_t divisor = 0, heaviest = 0;
  for (const Candidate& c : list) {
    divisor = std::gcd(divisor, c.weight);
    heaviest = std::max(heaviest, c.weight);
  }
  return heaviest == 0 ? Rounds() : Rounds{divisor, heaviest - (divisor - 1)};
}

// The first usable one for which `better(it, best)` holds against all before it.
template <class Fits, class Better>
std::optional<size_t> best_of(const List& list, Fits fits, Better better) {
  std::optional<size_t> best;
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i].weight > 0 && fits(list[i]) && (!best || better(list[i], list[*best]))) best = i;
  }
  return best;
}
bool anyone(const Candidate&) {
  return true;
}

// An active connection weighs 256 inactive ones.
uint64_t overhead(const Candidate& c) {
  return c.active * 256 + c.inactive;
}
bool heavier(const Candidate& a, const Candidate& b) {
  return a.weight > b.weight;
}

std::optional<size_t> shortest_expected_delay(const List& list) {
  return best_of(list, anyone, [](const Candidate& a, const Candidate& b) {
    return (a.active + 1) * b.weight < (b.active + 1) * a.weight;
  });
}

std::optional<size_t> never_queue(const List& list) {
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i].weight > 0 && list[i].active == 0) return i;
  }
  return shortest_expected_delay(list);
}

// 256 buckets: each usable server `turns` of them in a row, in order, again and again.
std::optional<size_t> of_bucket(const List& list, const Address& address, unsigned port, bool by_weight) {
  std::vector<size_t> places;
  for (size_t i = 0; i < list.size(); ++i)
    places.insert(places.end(), by_weight ? list[i].weight : uint64_t{list[i].weight > 0}, i);
  if (places.empty()) return std::nullopt;
  uint32_t folded = 0;
  for (size_t i = 0; i < address.size(); i += 4) {
    uint32_t word = 0;
    for (size_t k = 0; k < 4; ++k) word = word * 256 + static_cast<uint8_t>(address[i + k]);
    folded ^= word;
  }
  const uint32_t bucket = (folded + port) * 0x61c88647U >> 24;
  return places[bucket % places.size()];
}

}  // namespace

void Scheduling::set_list(Scheduler kind, dataplane::SchedulerFlags flags, List list) {
  const auto stays = [&](const std::string& name) {
    return std::any_of(list.begin(), list.end(), [&](const Candidate& c) { return c.name == name; });
  };
  // If the last one is gone: as if the turn had been that of the nearest one before it that stays.
  auto place = place_of_last(list_);
  while (place && !stays(list_[*place].name)) place = *place == 0 ? std::nullopt : std::optional(*place - 1);
  last_ = place ? list_[*place].name : "";
  const Rounds rounds = rounds_of(list);
  if (round_ > rounds.top) {
    round_ = rounds.top;
  } else if (round_ != 0 && rounds.step > 1) {
    round_ = round_ / rounds.step * rounds.step + 1;
  }
  kind_ = kind;
  flags_ = flags;
  list_ = std::move(list);
}

std::optional<size_t> Scheduling::place_of_last(const List& list) const {
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i].name == last_) return i;
  }
  return std::nullopt;
}

std::optional<size_t> Scheduling::round_robin(const List& list) {
  const auto last = place_of_last(list);
  for (size_t step = 1; step <= list.size(); ++step) {
    const size_t i = ((last ? *last : list.size() - 1) + step) % list.size();
    if (list[i].weight == 0) continue;
    last_ = list[i].name;
    return i;
  }
  return std::nullopt;
}

// In each round the servers whose weight reaches it have a turn; the next round is a step below.
std::optional<size_t> Scheduling::weighted_round_robin(const List& list) {
  const Rounds rounds = rounds_of(list);
  if (rounds.top == 0) return std::nullopt;
  if (round_ == 0 || round_ > rounds.top) round_ = rounds.top;
  const auto last = place_of_last(list);
  for (size_t i = last ? *last + 1 : 0;; ++i) {
    if (i >= list.size()) {
      i = 0;
      round_ = round_ > rounds.step ? round_ - rounds.step : rounds.top;
    }
    if (list[i].weight < round_) continue;
    last_ = list[i].name;
    return i;
  }
}

std::optional<size_t> Scheduling::pick(const List& list, const NewConnection& c, const Maglev& maglev) {
  const unsigned hashed_port = flags_.port ? c.client_port : 0;
  switch (kind_) {
    case Scheduler::kRoundRobin: return round_robin(list);
    case Scheduler::kWeightedRoundRobin: return weighted_round_robin(list);
    case Scheduler::kLeastConnection:
      return best_of(list, anyone, [](const auto& a, const auto& b) { return overhead(a) < overhead(b); });
    case Scheduler::kWeightedLeastConnection:
      return best_of(list, anyone,
                     [](const auto& a, const auto& b) { return overhead(a) * b.weight < overhead(b) * a.weight; });
    case Scheduler::kShortestExpectedDelay: return shortest_expected_delay(list);
    case Scheduler::kNeverQueue: return never_queue(list);
    case Scheduler::kFailover: return best_of(list, anyone, heavier);
    case Scheduler::kOverflow:
      return best_of(
          list, [](const Candidate& s) { return s.active <= s.weight; }, heavier);
    case Scheduler::kSourceHash: return of_bucket(list, c.client, hashed_port, true);
    case Scheduler::kDestinationHash: return of_bucket(list, c.destination, 0, false);
    case Scheduler::kMaglev: {
      List usable;
      std::vector<size_t> places;
      for (size_t i = 0; i < list.size(); ++i) {
        if (list[i].weight > 0) usable.push_back(list[i]), places.push_back(i);
      }
      if (usable.empty()) return std::nullopt;
      return places[maglev(usable, c.client, hashed_port)];
    }
    case Scheduler::kTwoChoices: break;
  }
  return std::nullopt;
}

}  // namespace lbdp::model
