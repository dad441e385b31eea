// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>

#include "config/diagnostics.h"

namespace lbdp::config {

/// Reports a user or group of a command that this host does not know, by name or number; empty names are none.
void check_accounts(const std::string& user, const std::string& group, Place place, Diagnostics& diagnostics);

}  // namespace lbdp::config
