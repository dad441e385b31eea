// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// Rows of JSON as aligned text.

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

namespace lbdp::control {

/// A column: its heading, and the member of a row that fills it. Numbers stand to the right.
struct Column {
  std::string heading;
  std::string member;
  bool right = false;
  size_t least_width = 0;  // of a FixedTable: what most cells fit in
};
using Columns = std::span<const Column>;

/// A member as people read it: "-" for nothing, "yes" and "no", lists with commas. What comes from outside (a web
/// server's words, say) cannot drive the terminal.
std::string cell(const nlohmann::json& row, const std::string& member);
/// Blanks on one side up to `width` characters.
std::string pad(const std::string& text, size_t width, bool right);

/// Heading and rows, each column as wide as its widest cell.
std::string table(Columns columns, const nlohmann::json& rows);
/// One object as "name  value" lines.
std::string sheet(const nlohmann::json& row);

/// A table whose rows come in bit by bit: the first ones decide how wide the columns are. A cell that does not fit
/// later on moves the rest of its line, and costs nothing.
class FixedTable {
 public:
  FixedTable(Columns columns, const nlohmann::json& first_rows);
  [[nodiscard]] std::string heading() const;
  [[nodiscard]] std::string line(const nlohmann::json& row) const;

 private:
  Columns columns_;
  std::vector<size_t> widths_;
};

}  // namespace lbdp::control
