// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "config/types/asio.h"

namespace lbdp::control {

/// A file that holds one whole number, followed by inotify on its directory, so that it may be replaced, removed and
/// made again. Without a directory to watch it is looked at every second.
class WatchedFile {
 public:
  using Changed = std::function<void(std::optional<int> value)>;

  /// `changed` is called on the reactor after every write, with what the file holds then; nothing: no file, or no
  /// number in it.
  WatchedFile(asio::io_context& io, std::string path, Changed changed);
  ~WatchedFile();
  WatchedFile(const WatchedFile&) = delete;
  WatchedFile& operator=(const WatchedFile&) = delete;

  [[nodiscard]] const std::string& path() const;
  /// Reads it now.
  [[nodiscard]] std::optional<int> value() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace lbdp::control
