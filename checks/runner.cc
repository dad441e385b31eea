// SPDX-License-Identifier: BSD-2-Clause
#include "checks/runner.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <deque>
#include <random>
#include <unordered_map>
#include <utility>

#include "checks/checker.h"

namespace lbdp::checks {
namespace {

/// Checkers started in one go. Starting one costs some microseconds (a log line, a timer), and nothing may hold the
/// reactor for a millisecond.
constexpr size_t kStartBatch = 64;

struct KeyHash {
  size_t operator()(const RealServerKey& key) const noexcept {
    size_t h = static_cast<size_t>(key.service.protocol);
    for (const auto& endpoint : {std::cref(key.service.endpoint), std::cref(key.real)}) {
      h = mix(h ^ std::hash<IpAddress>()(endpoint.get().address));
      h = mix(h ^ endpoint.get().port);
    }
    return h;
  }

 private:
  static size_t mix(size_t h) {
    h *= 0x9e3779b97f4a7c15ULL;
    return h ^ (h >> 32U);
  }
};

/// A real server and its checkers.
struct Target {
  RealServerKey key;
  std::vector<std::unique_ptr<Checker>> checkers;
  size_t started = 0;  // the first so many checkers have their timers
  size_t place = 0;    // in Impl::order

  [[nodiscard]] bool up() const {
    return std::all_of(checkers.begin(), checkers.end(), [](const auto& checker) { return checker->up(); });
  }
};

/// For each of `params`, which of the `old` checkers already checks that; old.size(): none. The same definition goes
/// before one that differs in its timing.
std::vector<size_t> match_up(const std::vector<std::unique_ptr<Checker>>& old,
                             const std::vector<CheckerParams>& params) {
  std::vector<size_t> matched(params.size(), old.size());
  std::vector<bool> taken(old.size(), false);
  for (const auto wanted : {Checker::Match::kSame, Checker::Match::kOtherTiming}) {
    for (size_t i = 0; i < params.size(); ++i) {
      for (size_t k = 0; k < old.size() && matched[i] == old.size(); ++k) {
        if (taken[k] || old[k]->match(params[i]) != wanted) continue;
        matched[i] = k;
        taken[k] = true;
      }
    }
  }
  return matched;
}

using TargetMap = std::unordered_map<RealServerKey, std::unique_ptr<Target>, KeyHash>;

}  // namespace

struct Runner::Impl {
  Impl(asio::io_context& io_context, OnVerdict verdict, spdlog::logger& logger)
      : io(io_context), on_verdict(std::move(verdict)), log(logger) {}

  void apply(const std::vector<TargetParams>& params);
  std::unique_ptr<Target> make(const TargetParams& params);
  void update(Target& target, const TargetParams& params);
  std::unique_ptr<Checker> make_checker(Target& target, const CheckerParams& params, bool starts_up);
  void checker_changed(const Target& target, const Checker& checker, const std::string& reason);
  void schedule_start();
  void start_batch();

  asio::io_context& io;
  OnVerdict on_verdict;
  spdlog::logger& log;
  TargetMap targets;
  std::vector<Target*> order;  // as applied
  size_t next_to_start = 0;    // in order
  bool start_scheduled = false;
  std::mt19937_64 random{std::random_device{}()};
  // What a queued start_batch() holds weakly, in case the Runner goes first.
  std::shared_ptr<Impl*> self = std::make_shared<Impl*>(this);
};

void Runner::Impl::apply(const std::vector<TargetParams>& params) {
  TargetMap old = std::exchange(targets, {});
  targets.reserve(params.size());
  order.clear();
  order.reserve(params.size());
  for (const auto& p : params) {
    auto [place, is_new] = targets.try_emplace(p.key);
    if (!is_new) {
      continue;
    }
    if (auto known = old.find(p.key); known != old.end()) {
      place->second = std::move(known->second);
      update(*place->second, p);
    } else {
      place->second = make(p);
    }
    place->second->place = order.size();
    order.push_back(place->second.get());
  }
  std::erase_if(old, [](const auto& entry) { return entry.second == nullptr; });
  next_to_start = 0;
  schedule_start();
}

std::unique_ptr<Target> Runner::Impl::make(const TargetParams& params) {
  auto target = std::make_unique<Target>();
  target->key = params.key;
  target->checkers.reserve(params.checkers.size());
  for (const auto& checker : params.checkers) {
    target->checkers.push_back(make_checker(*target, checker, !params.alpha));
  }
  return target;
}

/// Keeps the checkers that check the same, in the new order; those already started come first.
void Runner::Impl::update(Target& target, const TargetParams& params) {
  const bool was_up = target.up();
  auto old = std::exchange(target.checkers, {});
  const auto matched = match_up(old, params.checkers);
  std::vector<std::unique_ptr<Checker>> fresh;
  for (size_t i = 0; i < matched.size(); ++i) {
    const bool known = matched[i] < old.size();
    auto checker = known ? std::move(old[matched[i]]) : make_checker(target, params.checkers[i], was_up);
    if (known) checker->change_timing(params.checkers[i]);
    (checker->started() ? target.checkers : fresh).push_back(std::move(checker));
  }
  target.started = target.checkers.size();
  std::move(fresh.begin(), fresh.end(), std::back_inserter(target.checkers));
}

std::unique_ptr<Checker> Runner::Impl::make_checker(Target& target, const CheckerParams& params, bool starts_up) {
  return std::make_unique<Checker>(
      io, target.key, params, starts_up,
      [this, &target](const Checker& checker, const std::string& reason) { checker_changed(target, checker, reason); },
      log);
}

/// The server goes down with its first failed checker and up with its last recovered one.
void Runner::Impl::checker_changed(const Target& target, const Checker& checker, const std::string& reason) {
  const auto failed =
      std::count_if(target.checkers.begin(), target.checkers.end(), [](const auto& c) { return !c->up(); });
  if (failed != (checker.up() ? 0 : 1)) {
    return;
  }
  // A copy: the callback may apply() a configuration without this target.
  const Verdict verdict{.key = target.key, .up = checker.up(), .reason = reason, .type = checker.type()};
  on_verdict(verdict);
}

void Runner::Impl::schedule_start() {
  if (std::exchange(start_scheduled, true)) {
    return;
  }
  asio::post(io, [weak = std::weak_ptr<Impl*>(self)] {
    if (const auto impl = weak.lock()) {
      (*impl)->start_scheduled = false;
      (*impl)->start_batch();
    }
  });
}

void Runner::Impl::start_batch() {
  std::uniform_real_distribution<double> spread(0.0, 1.0);
  size_t budget = kStartBatch;
  for (; next_to_start < order.size(); ++next_to_start) {
    auto& target = *order[next_to_start];
    while (target.started < target.checkers.size()) {
      if (budget-- == 0) {
        schedule_start();
        return;
      }
      target.checkers[target.started++]->start(spread(random));
    }
  }
}

Runner::Runner(asio::io_context& io, OnVerdict on_verdict, spdlog::logger& log)
    : impl_(std::make_unique<Impl>(io, std::move(on_verdict), log)) {}

Runner::~Runner() = default;

void Runner::apply(const std::vector<TargetParams>& targets) {
  impl_->apply(targets);
}

void Runner::apply_to(std::span<const TargetParams* const> targets) {
  for (const TargetParams* params : targets) {
    const auto known = impl_->targets.find(params->key);
    if (known == impl_->targets.end()) continue;
    impl_->update(*known->second, *params);
    impl_->next_to_start = std::min(impl_->next_to_start, known->second->place);
  }
  impl_->schedule_start();
}

void Runner::stop() {
  impl_->apply({});
}

bool Runner::is_up(const RealServerKey& key) const {
  const auto found = impl_->targets.find(key);
  return found == impl_->targets.end() || found->second->up();
}

bool Runner::is_up_with(const TargetParams& params) const {
  const auto found = impl_->targets.find(params.key);
  if (found == impl_->targets.end()) return !params.alpha || params.checkers.empty();
  const Target& target = *found->second;
  const auto matched = match_up(target.checkers, params.checkers);
  return std::all_of(matched.begin(), matched.end(),
                     [&](size_t i) { return i < target.checkers.size() ? target.checkers[i]->up() : target.up(); });
}

std::vector<CheckerStatus> Runner::status() const {
  std::vector<CheckerStatus> all;
  all.reserve(impl_->order.size());
  for (const auto* target : impl_->order) {
    for (const auto& checker : target->checkers) {
      all.push_back(checker->status());
    }
  }
  return all;
}

}  // namespace lbdp::checks
