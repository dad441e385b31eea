// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/diagnostics.h"
#include "config/model.h"
#include "config/spec.h"

namespace lbdp::config {

/// Makes the model's checkers of what real servers say. One for a whole file, since what was found good once need not
/// be looked at again.
class CheckResolver {
 public:
  CheckResolver(const FileSpec& spec, Diagnostics& diagnostics);

  /// The checkers of one real server, which is reached at `checked`; port 0: it is not known.
  std::vector<Checker> resolve(const VirtualServerSpec& server, const RealServerSpec& real, const Endpoint& checked);

  /// Reports a pattern that PCRE2 does not take.
  void check_regex(const Item<std::string>& pattern, const std::vector<std::string>& options);

 private:
  Diagnostics& diagnostics_;
  std::set<std::pair<std::string, std::vector<std::string>>> good_regexes_;
};

}  // namespace lbdp::config
