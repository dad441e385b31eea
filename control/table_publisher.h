// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "config/types/asio.h"
#include "control/backend_set.h"
#include "dataplane/dataplane.h"

namespace spdlog {
class logger;
}

namespace lbdp::control {

/// Hands the backend set's tables to the dataplane whenever they have changed. Changes within half a millisecond make
/// one publication.
class TablePublisher {
 public:
  TablePublisher(asio::io_context& io, BackendSet& backends, dataplane::Dataplane& dataplane, spdlog::logger& log);
  TablePublisher(const TablePublisher&) = delete;
  TablePublisher& operator=(const TablePublisher&) = delete;

  /// Something may have changed.
  void touch();
  /// Publishes at once, if something has.
  Result<void> flush();

 private:
  BackendSet& backends_;
  dataplane::Dataplane& dataplane_;
  spdlog::logger& log_;
  asio::steady_timer timer_;
  bool armed_ = false;
};

}  // namespace lbdp::control
