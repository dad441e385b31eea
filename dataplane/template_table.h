// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/template_bucket.h"

namespace lbdp::dataplane {

/// A template as listings show it.
struct TemplateEntry {
  ServiceId service{};
  WideAddress client;  // masked
  BoundServer server;
  Tick expires = 0;          // the last tick of its life; in the past: the sweep is about to meet it
  uint32_t connections = 0;  // that were made under it and live
};

/// IPVS's persistence templates: which server a client's (or a client network's) next connection to a virtual server
/// goes to. One table for all workers, since a client's next connection may come to another one; touched by new and by
/// ending connections only.
///
/// Two candidate buckets a client, the first one preferred, one-step displacement. Reading takes no lock. Writing holds
/// the bucket for some dozens of instructions; a thread waits only while it holds nothing, or in the order of the
/// buckets, and gives up (kBusy) after a bounded number of spins, as the holder may have been preempted.
///
/// One rule makes two workers agree on a new client: who adds a client holds its first bucket.
class TemplateTable {
 public:
  enum class Outcome : uint8_t {
    kFound,     // a valid template; it is renewed, and counts one connection more
    kCreated,   // pick() chose: no template was there, or it was over or not valid
    kFull,      // no room for a new template
    kBusy,      // others held a bucket for too long: whether there is a template is not known
    kNoServer,  // pick() found none
  };
  struct Binding {
    Outcome outcome = Outcome::kBusy;
    BoundServer server;  // of kFound and kCreated
  };

  /// Buckets for `templates` at two thirds load: there one-step displacement still places practically every client.
  static constexpr size_t buckets_for(uint32_t templates) { return (size_t{templates} * 3 / 2 + 3) / 4 + 1; }

  /// Over memory that is zeroed, outlives the table, and holds fewer than 2^32 buckets. Seeded, so that nobody outside
  /// can aim at one bucket.
  TemplateTable(std::span<TemplateBucket> memory, uint64_t seed) noexcept;
  TemplateTable(const TemplateTable&) = delete;
  TemplateTable& operator=(const TemplateTable&) = delete;

  // `client` is masked by the virtual server's granularity, `now` a worker's current tick. Workers' ticks may differ a
  // little. All but sweep() may be called by any thread at any time.

  enum class Sight : uint8_t {
    kHere,
    kNotHere,
    kUnclear,  // writers kept the reader from it
  };
  struct Sighting {
    Sight sight = Sight::kUnclear;
    BoundServer server;  // of kHere
  };

  /// The client's server, unless the template is over: whether the server still takes it is for the caller to judge.
  [[nodiscard]] Sighting look_for(ServiceId service, const WideAddress& client, Tick now) const noexcept;
  /// The same, for who takes an unclear one for none.
  [[nodiscard]] std::optional<BoundServer> find(ServiceId service, const WideAddress& client, Tick now) const noexcept {
    const Sighting seen = look_for(service, client, now);
    return seen.sight == Sight::kHere ? std::optional(seen.server) : std::nullopt;
  }

  /// For a new connection: its server by the client's template, or by a new one with what `pick() ->
  /// optional<BoundServer>` says, if there is none that `valid(BoundServer) -> bool` accepts. The template then lives
  /// `lifetime` ticks (1 to 31 days) from now on, and has one connection more: release() it when it ends. pick() is
  /// called at most once, and only if there is room. Both are called with a bucket held: they must be short, and must
  /// not come back to this table. On kNoServer a template that was not valid stays as it was.
  template <class Valid, class Pick>
  Binding bind(ServiceId service, const WideAddress& client, Tick now, Tick lifetime, Valid&& valid,
               Pick&& pick) noexcept;

  /// A connection that bind() counted is gone. If the client has another template by now, or none, nothing changes.
  /// False: the bucket was busy, nothing was done, call again later, else the template never ends.
  [[nodiscard]] bool release(ServiceId service, const WideAddress& client, BoundServer server, Tick now) noexcept;

  /// Visits the next `count` buckets, round and round. Removes the templates that are over; those of which
  /// `lifetime_of(ServiceId) -> optional<Tick>` knows no lifetime (the virtual server is gone, or not persistent any
  /// more); and those whose server `valid(BoundServer) -> bool` gives up for ever. An expired one with connections
  /// lives on, 60 s at a time. None outlives the current lifetime from now (or 60 s). One thread at a time.
  template <class LifetimeOf, class Valid>
  void sweep(size_t count, Tick now, LifetimeOf&& lifetime_of, Valid&& valid) noexcept;

  /// Entry `index` of capacity(), if there is one and it held still meanwhile.
  [[nodiscard]] std::optional<TemplateEntry> read(size_t index) const noexcept;

  [[nodiscard]] size_t bucket_count() const noexcept { return buckets_.size(); }
  [[nodiscard]] size_t capacity() const noexcept { return buckets_.size() * TemplateBucket::kLanes; }
  /// Templates, those included that are over and that nobody has met yet.
  [[nodiscard]] size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

 private:
  // See FlowTable: above this load displacement seldom helps, and a flood of new clients would pay for it every time.
  static constexpr size_t kDisplaceNumerator = 7, kDisplaceDenominator = 8;

  // A lane to write to, and the holds that make it safe. Without a lane: why.
  struct Claim {
    TemplateBucket* bucket = nullptr;
    std::optional<size_t> lane;
    bool known = false;  // the lane has the client's template
    Outcome failure = Outcome::kBusy;
    std::array<BucketHold, 2> holds;
  };

  [[nodiscard]] TemplateKey key_for(const WideAddress& client, uint16_t service) const noexcept;
  [[nodiscard]] TemplateKey key_for(const WideAddress& client, ServiceId service) const noexcept {
    return key_for(client, static_cast<uint16_t>(static_cast<uint16_t>(service) + 1));
  }
  /// The client's template, held; else, if it is known that there is none, no lane and its first bucket, held.
  Claim locate(const TemplateKey& key) noexcept;
  /// A lane for the client's template, be it there or not.
  Claim claim(const TemplateKey& key, Tick now) noexcept;
  Claim claim_from_both(const TemplateKey& key, Tick now) noexcept;
  /// A lane that is empty, or whose template is over, of a held bucket.
  static std::optional<size_t> vacant_lane(const TemplateBucket& bucket, Tick now) noexcept;
  /// A lane of a held bucket, emptied by moving its template to its other bucket.
  std::optional<size_t> displaced_lane(TemplateBucket& bucket, Tick now) noexcept;

  // All with the bucket held.
  void put(TemplateBucket& bucket, size_t lane, const TemplateKey& key, BoundServer server, Tick expires) noexcept;
  void move(TemplateBucket& from, size_t from_lane, TemplateBucket& to, size_t to_lane, uint8_t tag) noexcept;
  void erase(TemplateBucket& bucket, size_t lane) noexcept;

  // What the sweep has to do with a lane: nothing, remove it, or change its expiry.
  struct Verdict {
    bool remove = false;
    std::optional<Tick> expires;
    explicit operator bool() const noexcept { return remove || expires; }
  };
  template <class LifetimeOf, class Valid>
  static Verdict judge(const TemplateBucket& bucket, size_t lane, Tick now, LifetimeOf& lifetime_of,
                       Valid& valid) noexcept;
  static Verdict judge_expiry(Tick expires, uint32_t connections, Tick now, Tick lifetime) noexcept;
  void execute(const Verdict& verdict, TemplateBucket& bucket, size_t lane) noexcept;

  const std::span<TemplateBucket> buckets_;
  std::array<uint64_t, 3> seeds_;
  size_t sweep_at_ = 0;                      // the sweeping thread's
  alignas(64) std::atomic<size_t> size_{0};  // all threads', at each new template and each end of one
};

template <class Valid, class Pick>
TemplateTable::Binding TemplateTable::bind(ServiceId service, const WideAddress& client, Tick now, Tick lifetime,
                                           Valid&& valid, Pick&& pick) noexcept {
  const TemplateKey key = key_for(client, service);
  const Claim claim = this->claim(key, now);
  if (!claim.lane) return {claim.failure, {}};
  TemplateBucket& bucket = *claim.bucket;
  const size_t lane = *claim.lane;
  const Tick expires = (now + lifetime) & kTickMask;
  if (claim.known && !has_ended(bucket, lane, now)) {
    const BoundServer server = server_of(bucket, lane);
    if (valid(server)) {
      store(bucket.expires[lane], expires);
      store(bucket.connections[lane], load(bucket.connections[lane]) + 1);
      return {Outcome::kFound, server};
    }
  }
  const std::optional<BoundServer> server = pick();
  if (!server) return {Outcome::kNoServer, {}};
  put(bucket, lane, key, *server, expires);
  return {Outcome::kCreated, *server};
}

template <class LifetimeOf, class Valid>
void TemplateTable::sweep(size_t count, Tick now, LifetimeOf&& lifetime_of, Valid&& valid) noexcept {
  constexpr size_t kAhead = 4;
  for (size_t i = 0; i < count; ++i) {
    TemplateBucket& bucket = buckets_[sweep_at_];
    __builtin_prefetch(&bucket + kAhead);  // past the end is harmless
    sweep_at_ = sweep_at_ + 1 == buckets_.size() ? 0 : sweep_at_ + 1;
    // Mostly there is nothing to do, and then nothing is written. What is seen here may be torn: it is judged again.
    bool due = false;
    for (size_t lane = 0; lane < TemplateBucket::kLanes && !due; ++lane) {
      due = static_cast<bool>(judge(bucket, lane, now, lifetime_of, valid));
    }
    if (!due) continue;
    const BucketHold hold(bucket);
    if (!hold) continue;  // the next round will do
    for (size_t lane = 0; lane < TemplateBucket::kLanes; ++lane) {
      execute(judge(bucket, lane, now, lifetime_of, valid), bucket, lane);
    }
  }
}

template <class LifetimeOf, class Valid>
TemplateTable::Verdict TemplateTable::judge(const TemplateBucket& bucket, size_t lane, Tick now,
                                            LifetimeOf& lifetime_of, Valid& valid) noexcept {
  const uint16_t service = load(bucket.services[lane]);
  if (service == 0) return {};
  const std::optional<Tick> lifetime = lifetime_of(ServiceId{static_cast<uint16_t>(service - 1)});
  if (!lifetime || !valid(server_of(bucket, lane))) return {.remove = true, .expires = {}};
  return judge_expiry(load(bucket.expires[lane]), load(bucket.connections[lane]), now, *lifetime);
}

}  // namespace lbdp::dataplane
