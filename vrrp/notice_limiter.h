// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

namespace lbdp::vrrp {

/// Decides which of many equal events are worth a log line: the first of its kind in a state, and the first after a
/// quiet minute. A flood of one kind is one line, however long it lasts; the counters tell the rest.
template <size_t Kinds>
class NoticeLimiter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// True if this event is news.
  bool news(size_t kind, TimePoint now) {
    auto& last = last_seen_.at(kind);
    const bool is_news = !last || now - *last >= kQuiet;
    last = now;
    return is_news;
  }
  /// The state changed: everything is news again.
  void reset() { last_seen_ = {}; }

 private:
  static constexpr std::chrono::seconds kQuiet{60};
  std::array<std::optional<TimePoint>, Kinds> last_seen_{};
};

}  // namespace lbdp::vrrp
