// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "control/text_table.h"

namespace lbdp::control {

/// The rows of `show WHAT` as people read them; all lists but those of any length, see cli_stream.h. `verbose`: with
/// all that -v adds.
std::string format_table(const std::string& what, const nlohmann::json& rows, bool verbose = false);

/// The columns of `show connections` and `show persistence`.
Columns stream_columns(const std::string& what);
/// "1034 connections": the last line of these lists.
std::string count_line(const std::string& what, uint64_t count, uint64_t limit);

/// The answer of `explain` in words.
std::string format_explanation(const nlohmann::json& explanation);

}  // namespace lbdp::control
