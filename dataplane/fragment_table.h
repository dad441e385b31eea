// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// Which real server a fragmented datagram went to. Only its first fragment carries ports; the others follow it.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/parameters.h"
#include "dataplane/wide_address.h"

struct rte_mbuf;  // never looked into here

namespace lbdp::dataplane {

/// What all fragments of one datagram have in common (RFC 791; RFC 8200, section 4.5, but for the protocol, which makes
/// no difference there).
struct FragmentKey {
  WideAddress source;
  WideAddress destination;
  uint32_t identification = 0;  // any byte order, always the same; IPv4's has 16 bits
  uint8_t protocol = 0;         // IPv6: always the same number, for only the first fragment tells

  friend bool operator==(const FragmentKey&, const FragmentKey&) = default;
};

/// Times are in the unit of the caller's `now`: one that tells bursts apart (TSC cycles), for it says what is oldest.
struct FragmentTableParams {
  uint32_t datagrams = 4096;        // remembered at once; 64 bytes each
  uint32_t held_frames = 512;       // held at once, over all datagrams
  uint16_t held_per_datagram = 48;  // 64 KiB in frames of 1500 bytes are 45 fragments
  uint64_t lifetime = 0;            // of a first fragment's memory: a few seconds, since IPv4's identifications recur
  uint64_t hold_time = 0;           // of a fragment that waits for the first: about half a second
  uint64_t seed = 0;                // secret, so that nobody outside can aim at one bucket
};

/// Where a datagram's first fragment went.
struct FragmentTarget {
  SlotId slot{};
  uint16_t generation = 0;

  friend bool operator==(const FragmentTarget&, const FragmentTarget&) = default;
};

/// One worker's memory of fragmented datagrams, and the fragments that came before their first. One writer; all memory
/// is taken at creation, and every call does bounded work. `now` never goes back.
///
/// A flood of invented fragments cannot grow it: first fragments replace the oldest ones of their bucket, so that what
/// arrives back to back still stays together; fragments to be held only take places that are free, and so push out
/// nothing.
class FragmentTable {
 public:
  explicit FragmentTable(const FragmentTableParams& params);

  /// A first fragment went to this real server. Then take_held() what came before it.
  void note_first(const FragmentKey& key, SlotId slot, uint16_t generation, uint64_t now) noexcept;
  /// Where a later fragment has to go, if its first one passed within the lifetime.
  [[nodiscard]] std::optional<FragmentTarget> find(const FragmentKey& key, uint64_t now) const noexcept;

  /// Keeps a fragment whose first one has not come. False, and the frame stays the caller's, if there is no room.
  [[nodiscard]] bool hold(const FragmentKey& key, rte_mbuf* frame, uint64_t now) noexcept;
  /// Gives back held fragments of the datagram in order of arrival, as many as `out` has room for; returns how many.
  size_t take_held(const FragmentKey& key, std::span<rte_mbuf*> out) noexcept;
  /// Gives back, oldest first, what was held longer than the hold time; at most as much as `out` has room for.
  size_t expire(uint64_t now, std::span<rte_mbuf*> out) noexcept;
  /// Gives back what is held, whatever its age: for the end of the worker.
  size_t drain(std::span<rte_mbuf*> out) noexcept;

  /// Frames held now. Any thread.
  [[nodiscard]] uint32_t held() const noexcept;

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr size_t kLanes = 4;

  // A datagram: its first fragment was seen, or fragments of it are held, or both.
  struct alignas(64) Entry {
    FragmentKey key;
    uint64_t since = 0;  // when it began
    uint32_t first_held = kNone, last_held = kNone;
    FragmentTarget target;
    uint16_t held = 0;
    bool first_seen = false;

    [[nodiscard]] bool in_use() const { return first_seen || held > 0; }
  };
  static_assert(sizeof(Entry) == 64);

  // A held frame, in two lists: its datagram's, and that of all, by age. Its datagram's oldest comes first in both.
  struct Held {
    rte_mbuf* frame = nullptr;
    uint64_t since = 0;
    uint32_t entry = kNone;  // none: the entry went to another datagram
    uint32_t next = kNone;   // of the same datagram; of the free ones
    uint32_t older = kNone, newer = kNone;
  };

  [[nodiscard]] size_t bucket_of(const FragmentKey& key) const noexcept;
  [[nodiscard]] uint32_t lookup(const FragmentKey& key) const noexcept;
  [[nodiscard]] bool expired(const Entry& entry, uint64_t now) const noexcept;
  [[nodiscard]] uint32_t free_place(const FragmentKey& key, uint64_t now) const noexcept;
  [[nodiscard]] uint32_t place_for_first(const FragmentKey& key, uint64_t now) const noexcept;
  void begin(uint32_t at, const FragmentKey& key, uint64_t now) noexcept;
  void append(uint32_t at, rte_mbuf* frame, uint64_t now) noexcept;
  rte_mbuf* remove_oldest(Entry& entry) noexcept;
  rte_mbuf* release(uint32_t index) noexcept;
  void set_held(uint32_t count) noexcept;

  uint64_t lifetime_;
  uint64_t hold_time_;
  uint64_t seed_;
  uint64_t multiplier_;
  uint16_t held_per_datagram_;
  uint32_t held_ = 0;
  uint32_t free_ = kNone;
  uint32_t oldest_ = kNone, newest_ = kNone;
  std::vector<Entry> entries_;  // kLanes of them are a bucket
  std::vector<Held> pool_;
};

}  // namespace lbdp::dataplane
