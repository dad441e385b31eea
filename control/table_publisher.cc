// SPDX-License-Identifier: BSD-2-Clause
#include "control/table_publisher.h"

#include <spdlog/spdlog.h>

namespace lbdp::control {
namespace {
constexpr auto kGather = std::chrono::microseconds(500);
}

TablePublisher::TablePublisher(asio::io_context& io, BackendSet& backends, dataplane::Dataplane& dataplane,
                               spdlog::logger& log)
    : backends_(backends), dataplane_(dataplane), log_(log), timer_(io) {}

TablePublisher::~TablePublisher() {
  *self_ = nullptr;
}

void TablePublisher::touch() {
  if (armed_ || !backends_.dirty()) return;
  armed_ = true;
  timer_.expires_after(kGather);
  timer_.async_wait([self = self_](const boost::system::error_code& cancelled) {
    if (cancelled || *self == nullptr) return;
    if (auto published = (*self)->flush(); !published)
      (*self)->log_.error("tables not published: {}", published.error().message);
  });
}

Result<void> TablePublisher::flush() {
  armed_ = false;
  if (!backends_.dirty()) return {};
  return dataplane_.publish(backends_.take_tables());
}

}  // namespace lbdp::control
