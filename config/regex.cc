// SPDX-License-Identifier: BSD-2-Clause
#include "config/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <iterator>
#include <memory>

namespace lbdp::config {
namespace {

/// In the order of kRegexOptions.
constexpr uint32_t kBits[] = {PCRE2_ALLOW_EMPTY_CLASS, PCRE2_ALT_BSUX,
                              PCRE2_AUTO_CALLOUT,      PCRE2_CASELESS,
                              PCRE2_DOLLAR_ENDONLY,    PCRE2_DOTALL,
                              PCRE2_DUPNAMES,          PCRE2_EXTENDED,
                              PCRE2_FIRSTLINE,         PCRE2_MATCH_UNSET_BACKREF,
                              PCRE2_MULTILINE,         PCRE2_NEVER_UCP,
                              PCRE2_NEVER_UTF,         PCRE2_NO_AUTO_CAPTURE,
                              PCRE2_NO_AUTO_POSSESS,   PCRE2_NO_DOTSTAR_ANCHOR,
                              PCRE2_NO_START_OPTIMIZE, PCRE2_UCP,
                              PCRE2_UNGREEDY,          PCRE2_UTF,
                              PCRE2_NEVER_BACKSLASH_C, PCRE2_ALT_CIRCUMFLEX,
                              PCRE2_ALT_VERBNAMES,     PCRE2_USE_OFFSET_LIMIT};
static_assert(std::size(kBits) == kRegexOptions.size());

uint32_t bits_of(const std::vector<std::string>& options) {
  uint32_t bits = 0;
  for (const std::string& option : options) {
    const auto known = std::ranges::find(kRegexOptions, option);
    if (known != kRegexOptions.end()) bits |= kBits[known - kRegexOptions.begin()];
  }
  return bits;
}

std::string message_of(int error) {
  constexpr size_t kLongest = 256;  // pcre2api(3): enough for every message
  PCRE2_UCHAR text[kLongest] = {};
  pcre2_get_error_message(error, text, kLongest);
  return reinterpret_cast<const char*>(text);
}

}  // namespace

std::optional<RegexError> check_regex(std::string_view pattern, const std::vector<std::string>& options) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  const std::unique_ptr<pcre2_code, decltype(&pcre2_code_free)> code(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), bits_of(options), &error, &offset,
                    nullptr),
      &pcre2_code_free);
  if (code) return std::nullopt;
  return RegexError{offset, message_of(error)};
}

}  // namespace lbdp::config
