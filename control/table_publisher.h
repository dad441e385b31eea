// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>

#include "config/types/asio.h"
#include "control/backend_set.h"
#include "dataplane/dataplane.h"

namespace spdlog {
class logger;
}

namespace lbdp::control {

/// Hands the backend set's tables to the dataplane whenever they have changed: the virtual servers that have, or all of
/// them after a new configuration. Changes within half a millisecond make one publication.
class TablePublisher {
 public:
  TablePublisher(asio::io_context& io, BackendSet& backends, dataplane::Dataplane& dataplane, spdlog::logger& log);
  ~TablePublisher();
  TablePublisher(const TablePublisher&) = delete;
  TablePublisher& operator=(const TablePublisher&) = delete;

  /// Something may have changed.
  void touch();
  /// Publishes at once, if something has. On error the next flush() publishes everything.
  Result<void> flush();

 private:
  Result<void> publish_whole();
  Result<void> publish_changes();

  BackendSet& backends_;
  dataplane::Dataplane& dataplane_;
  spdlog::logger& log_;
  asio::steady_timer timer_;
  bool armed_ = false;
  bool whole_due_ = false;  // the last publication failed: changes alone would not make up for it
  bool fallback_logged_ = false;
  /// A handler that outlives this object finds it empty.
  std::shared_ptr<TablePublisher*> self_ = std::make_shared<TablePublisher*>(this);
};

}  // namespace lbdp::control
