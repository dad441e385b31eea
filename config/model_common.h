// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What all parts of the model use.

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace lbdp::config {

/// A place in a configuration file. line and column count from 1; line 0 means "nowhere: a default".
struct Location {
  std::string file;
  int line = 0;
  int column = 0;

  [[nodiscard]] std::string to_string() const;                               // "lb.conf:12:5"
  friend bool operator==(const Location&, const Location&) { return true; }  // places do not make models differ
};

/// Where keywords stand that have no place of their own in the model; for messages.
struct Places {
  std::map<std::string, Location, std::less<>> by_keyword;

  /// Nowhere for a keyword that the file does not have.
  [[nodiscard]] Location of(std::string_view keyword) const {
    const auto found = by_keyword.find(keyword);
    return found == by_keyword.end() ? Location{} : found->second;
  }
  friend bool operator==(const Places&, const Places&) { return true; }
};

using Duration = std::chrono::microseconds;  // keepalived's TIMER has microsecond resolution

/// garp_extra_if: gratuitous ARP for virtual addresses that are not on the instance's own interface.
struct GarpExtraIf {
  bool all = false;      // for those of interfaces without a virtual MAC too
  Duration interval{0};  // 0: none

  friend bool operator==(const GarpExtraIf&, const GarpExtraIf&) = default;
};

}  // namespace lbdp::config
