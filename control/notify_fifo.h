// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/types/result.h"

namespace lbdp::control {

/// A named pipe that events are written to, a line each. Made if it is not there, and removed again by whoever made it.
/// A reader that is too slow, or missing, costs lines, never time: what does not fit is dropped and counted.
class NotifyFifo {
 public:
  NotifyFifo() = default;
  ~NotifyFifo();
  NotifyFifo(NotifyFifo&& other) noexcept;
  NotifyFifo& operator=(NotifyFifo&& other) noexcept;
  NotifyFifo(const NotifyFifo&) = delete;
  NotifyFifo& operator=(const NotifyFifo&) = delete;

  /// Opens `path`, as a pipe of `user` and `group` (mode 0600; empty: ours) if it is made. Errors: something else is
  /// there, an unknown account, or what the kernel says.
  static Result<NotifyFifo> open(const std::string& path, const std::string& user, const std::string& group);

  /// Writes `line` and a newline whole, or drops it. False: dropped.
  bool write(std::string_view line);
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] uint64_t dropped() const { return dropped_; }

 private:
  std::string path_;
  int fd_ = -1;
  bool made_ = false;
  uint64_t dropped_ = 0;
};

}  // namespace lbdp::control
