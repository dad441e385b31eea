// SPDX-License-Identifier: BSD-2-Clause
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <iostream>

#include "control/cli_commands.h"

namespace lbdp::control {
namespace {

/// Standard output, unbuffered. Remembers why a write failed.
class StandardOutput {
 public:
  bool write(std::string_view text) {
    while (!text.empty() && error_ == 0) {
      const ssize_t length = ::write(STDOUT_FILENO, text.data(), text.size());
      if (length >= 0) {
        text.remove_prefix(static_cast<size_t>(length));
      } else if (errno != EINTR) {
        error_ = errno;
      }
    }
    return error_ == 0;
  }
  /// A reader that has seen enough (| head) is no failure.
  [[nodiscard]] bool failed() const { return error_ != 0 && error_ != EPIPE; }
  [[nodiscard]] const char* reason() const { return std::strerror(error_); }

 private:
  int error_ = 0;
};

CliExit guarded_main(std::span<const char* const> arguments) {
  const auto options = parse_cli_options(arguments);
  if (!options) {
    std::cerr << options.error().message << '\n';
    return CliExit::kUsage;
  }
  (void)std::signal(SIGPIPE, SIG_IGN);
  StandardOutput output;
  const auto done = perform(*options, [&output](std::string_view text) { return output.write(text); });
  if (!done) {
    std::cerr << "lbdp-cli: " << done.error().message << '\n';
    return done.error().exit;
  }
  if (output.failed()) {
    std::cerr << "lbdp-cli: standard output: " << output.reason() << '\n';
    return CliExit::kRefused;
  }
  return CliExit::kOk;
}

}  // namespace
}  // namespace lbdp::control

int main(int argc, char** argv) {
  try {
    const std::span<const char* const> arguments(argv, static_cast<size_t>(argc));
    return static_cast<int>(lbdp::control::guarded_main(arguments));
  } catch (const std::exception& error) {  // an answer of another version of lbdp, say
    std::cerr << "lbdp-cli: " << error.what() << '\n';
    return static_cast<int>(lbdp::control::CliExit::kRefused);
  }
}
