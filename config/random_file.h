// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace lbdp::config {

/// Makes files at random from the tables of keywords, for tests: each keyword's arguments by the row's syntax. Rules
/// across keywords it does not know; see without_errors().
class RandomFile {
 public:
  explicit RandomFile(uint64_t seed) : random_(seed) {}

  std::string make();

 private:
  std::mt19937_64 random_;
};

/// The file without the statements that are wrong: what load_text() names in errors goes, until it loads. `rounds`
/// bounds the attempts; the result may still be wrong.
std::string without_errors(std::string text, int rounds = 12);

}  // namespace lbdp::config
