// SPDX-License-Identifier: BSD-2-Clause
// Any text as a configuration: findings or a model, never both missing, the same each time, and printable. Lines
// "%%% NAME" divide an input into the main file and files that it may include. Every eighth input is checked in full,
// all others are only read, so that there are many.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <string_view>

#include "config/files.h"
#include "config/load.h"
#include "config/report.h"

namespace {

using namespace lbdp::config;

constexpr std::string_view kDivider = "%%% ";

void require(bool condition) {
  if (!condition) std::abort();
}

bool is_error(const Diagnostic& diagnostic) {
  return diagnostic.severity == Severity::kError;
}

/// The main file, and by their names the others.
struct Input {
  std::string_view main;
  std::map<std::string, std::string> files;
};

Input divide(std::string_view text) {
  Input input;
  size_t start = 0;
  std::string name;
  for (;;) {
    const size_t next = text.find(std::string("\n").append(kDivider), start);
    const std::string_view part = text.substr(start, next == std::string_view::npos ? next : next + 1 - start);
    if (start == 0) {
      input.main = part;
    } else {
      input.files[name] = part;
    }
    if (next == std::string_view::npos) return input;
    const size_t begin = next + 1 + kDivider.size();
    const size_t end = std::min(text.find('\n', begin), text.size());
    name = text.substr(begin, end - begin);
    start = std::min(end + 1, text.size());
    if (start == 0 || start == text.size()) return input;
  }
}

void check_in_full(const Input& input, const LoadOptions& options, const LoadResult& first) {
  const LoadResult second = load_text(input.main, "fuzz", options);
  require(first.model == second.model && first.diagnostics.size() == second.diagnostics.size());
  std::ostringstream printed;
  const int status = report_check(printed, printed, "fuzz", first, {.verbose = true});
  require((status == 0) == first.ok() && !printed.str().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Input input = divide({reinterpret_cast<const char*>(data), size});
  const MemoryFiles files(input.files);
  LoadOptions options{.lenient = size % 2 == 1, .config_id = "node1", .files = &files};
  options.limits = {.files = 8, .include_depth = 4, .bytes = 65536, .expanded_lines = 64, .expanded_bytes = 16384};
  options.random_seed = 1;
  const LoadResult result = load_text(input.main, "fuzz", options);
  require(result.ok() == std::ranges::none_of(result.diagnostics, is_error));
  if (size % 8 < 2) check_in_full(input, options, result);
  return 0;
}
