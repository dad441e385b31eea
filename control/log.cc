// SPDX-License-Identifier: BSD-2-Clause
#include "control/log.h"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

namespace lbdp::control {
namespace {

constexpr size_t kQueuedLines = 8192;

/// One JSON object a line. spdlog's patterns cannot escape, so the object is made by the JSON library.
class JsonFormatter : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& line, spdlog::memory_buf_t& out) override {
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(line.time.time_since_epoch());
    const auto level = spdlog::level::to_string_view(line.level);
    const nlohmann::json object = {{"time", static_cast<double>(micros.count()) / 1e6},
                                   {"level", std::string(level.data(), level.size())},
                                   {"message", std::string(line.payload.data(), line.payload.size())}};
    // A message can hold bytes from the network: what is no UTF-8 is replaced, not thrown over.
    const std::string text = object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    out.append(text.data(), text.data() + text.size());
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonFormatter>(); }
};

void set_up(spdlog::logger& logger, const std::string& level, LogFormat format) {
  logger.set_level(spdlog::level::from_str(level));
  logger.flush_on(spdlog::level::trace);
  if (format == LogFormat::kJson) {
    logger.set_formatter(std::make_unique<JsonFormatter>());
  } else {
    logger.set_pattern("%Y-%m-%dT%H:%M:%S.%e %l: %v");
  }
}

}  // namespace

std::shared_ptr<spdlog::logger> make_logger(const std::string& level, LogFormat format) {
  auto logger = std::make_shared<spdlog::logger>("lbdp", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  set_up(*logger, level, format);
  return logger;
}

struct AsyncLog::Queue {
  std::shared_ptr<spdlog::details::thread_pool> pool =
      std::make_shared<spdlog::details::thread_pool>(kQueuedLines, size_t{1});
};

AsyncLog::AsyncLog(const std::string& level, LogFormat format) : queue_(std::make_unique<Queue>()) {
  logger_ = std::make_shared<spdlog::async_logger>("lbdp", std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                                                   queue_->pool, spdlog::async_overflow_policy::overrun_oldest);
  set_up(*logger_, level, format);
}

AsyncLog::~AsyncLog() = default;

std::optional<uint64_t> LogLimiter::allow(const std::string& key, Clock::time_point now) {
  // Keys may come from outside (an address, say): forgetting all of them keeps the memory bounded.
  if (entries_.size() >= kMaxKeys && !entries_.contains(key)) entries_.clear();
  auto [found, fresh] = entries_.try_emplace(key);
  Entry& entry = found->second;
  if (!fresh && now - entry.last < std::chrono::seconds(1)) {
    ++entry.suppressed;
    return std::nullopt;
  }
  entry.last = now;
  return std::exchange(entry.suppressed, 0);
}

}  // namespace lbdp::control
