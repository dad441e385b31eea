// SPDX-License-Identifier: BSD-2-Clause
#include "control/log.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

namespace lbdp::control {
namespace {

TEST(LogLimiter, OneLineASecondForEachKey) {
  LogLimiter limiter;
  const LogLimiter::Clock::time_point start{};
  EXPECT_EQ(limiter.allow("a", start), 0U);
  EXPECT_EQ(limiter.allow("a", start + std::chrono::milliseconds(10)), std::nullopt);
  EXPECT_EQ(limiter.allow("a", start + std::chrono::milliseconds(999)), std::nullopt);
  EXPECT_EQ(limiter.allow("b", start + std::chrono::milliseconds(999)), 0U);
  EXPECT_EQ(limiter.allow("a", start + std::chrono::milliseconds(1000)), 2U);
}

TEST(LogLimiter, ItsMemoryIsBounded) {
  LogLimiter limiter;
  const LogLimiter::Clock::time_point start{};
  for (int i = 0; i < 100000; ++i) EXPECT_EQ(limiter.allow(std::to_string(i), start), 0U);
}

TEST(Logger, JsonLinesStayJsonWhateverTheMessageHolds) {
  testing::internal::CaptureStderr();
  make_logger("info", LogFormat::kJson)->info("a \"quoted\" name\nand a bad byte \xff");
  const std::string text = testing::internal::GetCapturedStderr();
  const auto line = nlohmann::json::parse(text);
  EXPECT_EQ(line["level"], "info");
  EXPECT_EQ(line["message"], "a \"quoted\" name\nand a bad byte \xef\xbf\xbd");
}

TEST(Logger, AsyncLogWritesWhatIsQueuedBeforeItEnds) {
  testing::internal::CaptureStderr();
  {
    AsyncLog log("warning", LogFormat::kText);
    log.logger().info("not this");
    log.logger().warn("but this");
  }
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.find("not this"), std::string::npos);
  EXPECT_NE(text.find("warning: but this"), std::string::npos);
}

}  // namespace
}  // namespace lbdp::control
