// SPDX-License-Identifier: BSD-2-Clause
#include "control/text_table.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace lbdp::control {
namespace {

using nlohmann::json;
using Line = std::vector<std::string>;

/// The length in characters of UTF-8 text, as far as a terminal counts them.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return text;
}

std::string joined(const json& value) {
  std::string out;
  for (const auto& item : value) {
    if (!out.empty()) out += ",";
    out += item.is_string() ? item.get<std::string>() : item.dump();
  }
  return out.empty() ? "-" : out;
}

Line headings(Columns columns) {
  Line line;
  for (const auto& column : columns) line.push_back(column.heading);
  return line;
}

Line cells(Columns columns, const json& row) {
  Line line;
  for (const auto& column : columns) line.push_back(cell(row, column.member));
  return line;
}

void widen(std::vector<size_t>& widths, const Line& line) {
  for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width_of(line[i]));
}

std::string aligned(Columns columns, const std::vector<size_t>& widths, const Line& line) {
  std::string text;
  for (size_t i = 0; i < line.size(); ++i) text += (i == 0 ? "" : "  ") + pad(line[i], widths[i], columns[i].right);
  text.erase(text.find_last_not_of(' ') + 1);
  return text + "\n";
}

}  // namespace

std::string cell(const json& row, const std::string& member) {
  const auto found = row.find(member);
  if (found == row.end() || found->is_null()) return "-";
  if (found->is_boolean()) return found->get<bool>() ? "yes" : "no";
  if (found->is_number_float()) return fmt::format("{:.1f}", found->get<double>());
  if (found->is_array()) return printable(joined(*found));
  if (!found->is_string()) return found->dump();
  const auto text = found->get<std::string>();
  return text.empty() ? "-" : printable(text);
}

std::string pad(const std::string& text, size_t width, bool right) {
  const std::string blanks(width > width_of(text) ? width - width_of(text) : 0, ' ');
  return right ? blanks + text : text + blanks;
}

std::string table(Columns columns, const json& rows) {
  std::vector<Line> lines{headings(columns)};
  for (const auto& row : rows) lines.push_back(cells(columns, row));
  std::vector<size_t> widths(columns.size(), 0);
  for (const auto& line : lines) widen(widths, line);
  std::string out;
  for (const auto& line : lines) out += aligned(columns, widths, line);
  return out;
}

std::string sheet(const json& row) {
  size_t width = 0;
  for (const auto& [name, value] : row.items()) width = std::max(width, name.size());
  std::string out;
  for (const auto& [name, value] : row.items()) {
    if (value.is_object()) {
      out += name + "\n";
      for (const auto& [inner, unused] : value.items()) {
        out += "  " + pad(inner, width > 2 ? width - 2 : 0, false) + "  " + cell(value, inner) + "\n";
      }
    } else {
      out += pad(name, width, false) + "  " + cell(row, name) + "\n";
    }
  }
  return out;
}

FixedTable::FixedTable(Columns columns, const json& first_rows) : columns_(columns) {
  for (const auto& column : columns) widths_.push_back(column.least_width);
  widen(widths_, headings(columns));
  for (const auto& row : first_rows) widen(widths_, cells(columns, row));
}

std::string FixedTable::heading() const {
  return aligned(columns_, widths_, headings(columns_));
}

std::string FixedTable::line(const json& row) const {
  return aligned(columns_, widths_, cells(columns_, row));
}

}  // namespace lbdp::control
