// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/types/asio.h"
#include "control/child_process.h"
#include "vrrp/instance.h"
#include "vrrp/script_tracker.h"

namespace spdlog {
class logger;
}

namespace lbdp::control {

/// A vrrp_script.
struct TrackedScript {
  std::string name;
  ChildCommand command;
  std::chrono::microseconds interval = std::chrono::seconds(1);  // between two starts
  std::chrono::microseconds timeout = std::chrono::seconds(1);   // a failure after that
  vrrp::ScriptTracker::Params counting;

  friend bool operator==(const TrackedScript&, const TrackedScript&) = default;
};

/// A track_file: it holds a whole number.
struct TrackedFile {
  std::string name;
  std::string path;

  friend bool operator==(const TrackedFile&, const TrackedFile&) = default;
};

/// A line of a track_interface, track_script or track_file block.
struct TrackLine {
  enum class Kind : uint8_t { kInterface, kScript, kFile };

  Kind kind = Kind::kInterface;
  std::string name;
  int weight = 0;
  bool reverse = false;

  friend bool operator==(const TrackLine&, const TrackLine&) = default;
};

struct TrackersParams {
  std::vector<TrackedScript> scripts;
  std::vector<TrackedFile> files;
  std::map<std::string, std::vector<TrackLine>> instances;  // by name; an instance's sync group's lines are among them

  friend bool operator==(const TrackersParams&, const TrackersParams&) = default;
};

struct ScriptStatus {
  std::string name;
  vrrp::Health health = vrrp::Health::kUnknown;
  std::string last_outcome;  // "exited with status 1"; empty: none yet
  uint64_t runs = 0;
};

struct FileStatus {
  std::string name;
  std::optional<int> value;  // none: there is no file, or no number in it
};

/// Follows what VRRP instances track, and tells what comes of it for each instance. A script is never started before
/// its last run has ended, however long that takes. A file is read when inotify says that it changed.
class Trackers {
 public:
  using Tell = std::function<void(const std::string& instance, const vrrp::TrackingState& state)>;

  Trackers(asio::io_context& io, ChildProcesses& children, spdlog::logger& log, Tell tell);
  ~Trackers();

  /// A script that stays the same keeps its health, its timer and its run under way; one that is new is started at
  /// once. Tells every instance its state.
  void configure(const TrackersParams& params);
  void interface_changed(const std::string& name);
  /// What keeps every instance from being MASTER, besides what it tracks; empty: nothing.
  void set_common_faults(std::vector<std::string> faults);

  [[nodiscard]] std::vector<ScriptStatus> scripts() const;
  [[nodiscard]] std::vector<FileStatus> files() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace lbdp::control
