// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "config/types/asio.h"
#include "config/types/result.h"
#include "control/cli_options.h"

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

  /// One request, one answer. An answer that says "ok": false is an error with its reason.
  CliResult<nlohmann::json> ask(const nlohmann::json& request);
  /// All rows of `show WHAT`, page by page. Begins again when a reload comes in between.
  CliResult<nlohmann::json> rows(const std::string& what);

 private:
  CliResult<void> connect();
  CliResult<std::string> read_line();
  CliResult<nlohmann::json> rows_once(const std::string& what, bool& torn);

  std::string path_;
  std::chrono::seconds patience_;
  asio::io_context io_;
  asio::local::stream_protocol::socket socket_{io_};
  std::string buffer_;
};

}  // namespace lbdp::control
