// SPDX-License-Identifier: BSD-2-Clause
// Any text as a configuration: findings or a model, never both missing, the same each time, and printable.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string_view>

#include "config/load.h"
#include "config/report.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check(std::string_view text, bool lenient) {
  using namespace lbdp::config;
  const LoadOptions options{lenient, "node1"};
  const LoadResult first = load_text(text, "fuzz", options);
  const LoadResult second = load_text(text, "fuzz", options);
  const auto is_error = [](const Diagnostic& d) { return d.severity == Severity::kError; };
  require(first.ok() == std::ranges::none_of(first.diagnostics, is_error));
  require(first.model == second.model && first.diagnostics.size() == second.diagnostics.size());
  std::ostringstream printed;
  const int status = report_check(printed, printed, "fuzz", first, {.verbose = true});
  require((status == 0) == first.ok() && !printed.str().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(text, false);
  check(text, true);
  return 0;
}
