// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lbdp::config {

/// keepalived's names of PCRE2's compile options.
inline constexpr std::array<std::string_view, 24> kRegexOptions{"allow_empty_class", "alt_bsux",
                                                                "auto_callout",      "caseless",
                                                                "dollar_endonly",    "dotall",
                                                                "dupnames",          "extended",
                                                                "firstline",         "match_unset_backref",
                                                                "multiline",         "never_ucp",
                                                                "never_utf",         "no_auto_capture",
                                                                "no_auto_possess",   "no_dotstar_anchor",
                                                                "no_start_optimize", "ucp",
                                                                "ungreedy",          "utf",
                                                                "never_backslash_c", "alt_circumflex",
                                                                "alt_verbnames",     "use_offset_limit"};

struct RegexError {
  size_t offset = 0;  // bytes from the pattern's start
  std::string message;
};

/// What PCRE2 has against a pattern; nothing if it compiles. `options` are of kRegexOptions.
std::optional<RegexError> check_regex(std::string_view pattern, const std::vector<std::string>& options);

}  // namespace lbdp::config
