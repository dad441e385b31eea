// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <functional>
#include <string_view>

#include "control/cli_client.h"
#include "control/cli_options.h"

namespace lbdp::control {

/// Takes the text for standard output, in pieces. False: nobody wants more of it.
using CliSink = std::function<bool(std::string_view)>;

/// Does what the command line asks for. Lists of any length (connections, templates) go to `sink` page by page as they
/// come; if a page fails, what was written before stands, and the error says why there is no more.
CliResult<void> perform(const CliOptions& options, const CliSink& sink);

}  // namespace lbdp::control
