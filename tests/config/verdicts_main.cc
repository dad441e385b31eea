// SPDX-License-Identifier: BSD-2-Clause
// What lbdp says of many files, for tests that compare it with keepalived:
//
//   config_verdicts --id CONFIG_ID < NAMES    for each file named on a line of stdin its errors, warnings and notes,
//   one a
//                                             line, and then "= ok" or "= error"
//   config_verdicts --rows                    every row of the tables: the keywords of the blocks around it and its own
//
// One process for thousands of files, without DPDK. Output is flushed after each file, so that a crash names its file.

#include <iostream>
#include <string>
#include <string_view>

#include "config/load.h"
#include "config/schema.h"

namespace lbdp::config {
namespace {

/// Blocks in blocks in the tables are finite; this only bounds a table that holds itself.
constexpr int kDeepest = 16;

void print_rows(const Block& block, const std::string& path, int depth) {
  if (depth > kDeepest) return;
  for (const auto& part : block.keywords) {
    for (const Keyword& keyword : part) {
      const std::string name = path + std::string(keyword.name);
      std::cout << name << '\n';
      if (keyword.block != nullptr) print_rows(*keyword.block, name + " ", depth + 1);
    }
  }
}

void print_verdict(const std::string& name, const LoadOptions& options) {
  const LoadResult result = load_file(name, options);
  for (const Diagnostic& finding : result.diagnostics) std::cout << finding.to_string() << '\n';
  std::cout << (result.ok() ? "= ok" : "= error") << std::endl;
}

int main_with(const std::string_view what, const std::string& id) {
  if (what == "--rows") {
    print_rows(kFileBlock, "", 0);
    return 0;
  }
  LoadOptions options;
  options.config_id = id;
  for (std::string name; std::getline(std::cin, name);) print_verdict(name, options);
  return 0;
}

}  // namespace
}  // namespace lbdp::config

int main(int count, char** arguments) {
  const std::string_view what = count > 1 ? arguments[1] : "";
  if (what != "--rows" && (what != "--id" || count != 3)) {
    std::cerr << "usage: config_verdicts --rows | --id CONFIG_ID < NAMES\n";
    return 2;
  }
  return lbdp::config::main_with(what, count > 2 ? arguments[2] : "");
}
