// SPDX-License-Identifier: BSD-2-Clause
#include "control/table_publisher.h"

#include <spdlog/spdlog.h>

#include <utility>

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
  if (!backends_.dirty() && !whole_due_) return {};
  // Half of the tables at once, as when an instance becomes MASTER, are as well published together with the rest.
  const bool many = 2 * backends_.changes() > backends_.inputs().services.size();
  return whole_due_ || backends_.reconfigured() || many ? publish_whole() : publish_changes();
}

Result<void> TablePublisher::publish_whole() {
  auto published = dataplane_.publish(backends_.take_tables());
  whole_due_ = !published;
  return published;
}

Result<void> TablePublisher::publish_changes() {
  const auto changed = backends_.take_changes();
  auto published = dataplane_.publish_changes(changed);
  if (published) return published;
  if (!std::exchange(fallback_logged_, true)) {
    log_.warn("{} changed virtual servers not published by themselves ({}): so all are; said once", changed.size(),
              published.error().message);
  }
  return publish_whole();
}

}  // namespace lbdp::control
