// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "config/types/asio.h"
#include "config/types/result.h"
#include "control/cli_options.h"
#include "dataplane/dataplane.h"

namespace lbdp::control {

/// Why a request brought nothing.
struct CliError {
  CliExit exit = CliExit::kRefused;
  std::string message;
};

template <class T>
using CliResult = tl::expected<T, CliError>;

/// lbdp-cli's end of the control socket. Blocks, with a deadline for each answer.
class CliClient {
 public:
  explicit CliClient(std::string path, std::chrono::seconds patience = std::chrono::seconds(10));

  /// One request, one answer. An answer that says "ok": false is an error with its reason. A director that has cut us
  /// off since the last request, because a pager kept us from asking for more, is asked again.
  CliResult<nlohmann::json> ask(const nlohmann::json& request);
  /// All rows of `show WHAT`, page by page. Begins again when a reload comes in between.
  CliResult<nlohmann::json> rows(const std::string& what);
  /// Hands over the rows of `show connections` or `show persistence` page by page, as they come, and keeps none. Ends
  /// after `limit` rows (0: with the list), or when `take` returns false. Returns how many rows were handed over. A
  /// reload does not tear these lists: they go by places in the dataplane's tables.
  CliResult<uint64_t> stream(const std::string& what, const dataplane::ConnectionFilter& filter, uint64_t limit,
                             const std::function<bool(const nlohmann::json& rows)>& take);

 private:
  CliResult<void> connect();
  void disconnect();
  /// Sends a line and waits for one.
  CliResult<std::string> exchange(const std::string& line);
  CliResult<std::string> read_line();
  CliResult<nlohmann::json> rows_once(const std::string& what, bool& torn);

  std::string path_;
  std::chrono::seconds patience_;
  asio::io_context io_;
  asio::local::stream_protocol::socket socket_{io_};
  std::string buffer_;
  bool hung_up_ = false;  // the other side, before the first byte of its answer
};

}  // namespace lbdp::control
