// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>
#include <utility>

#include "config/source.h"

namespace lbdp::config {

/// A value that may be set, and where. `seen` without a value: the keyword is there with a wrong value, which is
/// reported.
template <class T>
struct Setting {
  std::optional<T> value;
  Place place;
  bool seen = false;

  explicit operator bool() const { return value.has_value(); }
  const T& operator*() const { return *value; }
};

/// One value of a list.
template <class T>
struct Item {
  T value;
  Place place;
};

}  // namespace lbdp::config
