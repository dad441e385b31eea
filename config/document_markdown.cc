// SPDX-License-Identifier: BSD-2-Clause
#include <cctype>

#include "config/document.h"

namespace lbdp::config {
namespace {

std::string usage_of(const Keyword& keyword) {
  return std::string(keyword.name) + (keyword.syntax.empty() ? "" : " ") + std::string(keyword.syntax);
}

/// Fit for a cell: nothing in `text` means anything to Markdown.
std::string cell(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '|' || c == '*' || c == '`') result += '\\';
    if (c == '<') {
      result += "&lt;";
    } else {
      result += c;
    }
  }
  return result;
}

/// In a code span only the bar means something to a table.
std::string code(std::string_view text) {
  std::string result = "`";
  for (const char c : text) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result + "`";
}

/// The anchor that Markdown viewers make of a heading.
std::string anchor(std::string_view heading) {
  std::string result;
  for (const char c : heading) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '_' || c == '-') result += static_cast<char>(std::tolower(byte));
    if (c == ' ') result += '-';
  }
  return result;
}

std::string link(const std::string& title) {
  return "[" + title + "](#" + anchor(title) + ")";
}

/// What becomes of a keyword that does not simply work.
std::string remark(const Keyword& keyword) {
  if (keyword.effect == Effect::kWorks) return "";
  const std::string note = keyword.note.empty() ? "." : ": " + cell(sentence(keyword.note));
  return " **" + std::string(name_of(keyword.effect)) + "**" + note;
}

std::string joined(const std::vector<std::string>& items) {
  std::string result;
  for (const std::string& item : items) result += (result.empty() ? "" : ", ") + item;
  return result;
}

void write_section(std::string& out, const std::vector<Section>& sections, const Section& section) {
  out += "\n### " + section.title + "\n";
  std::vector<std::string> parents;
  for (const std::string_view parent : section.parents) {
    if (parent != kFileBlock.name) parents.push_back(code(parent));
  }
  if (!parents.empty()) out += "In " + joined(parents) + ".\n";
  if (section.effect != Effect::kWorks)
    out += "**" + std::string(name_of(section.effect)) + "**, the block as a whole.\n";
  if (!section.rows.empty()) out += "\n| keyword | default | what it does |\n|---|---|---|\n";
  for (const Keyword* row : section.rows) {
    out += "| " + code(usage_of(*row)) + " | " + cell(row->fallback) + " | " + cell(row->text) + remark(*row) + " |\n";
  }
  for (const Section::Shared& shared : section.shared) {
    std::vector<std::string> names;
    for (const Keyword* row : shared.rows) names.push_back(code(row->name));
    out += "\nAs in " + link(sections[shared.section].title) + ": " + joined(names) + ".\n";
  }
}

/// The keywords of one effect as a list of their own.
void write_exceptions(std::string& out, const std::vector<Section>& sections, Effect effect, const std::string& title,
                      std::string_view introduction) {
  out += "\n### " + title + "\n" + std::string(introduction) + "\n";
  const std::vector<Exception> all = exceptions(sections, effect);
  if (all.empty()) {
    out += "At present there are none.\n";
    return;
  }
  out += "\n| keyword | in | what becomes of it |\n|---|---|---|\n";
  for (const Exception& exception : all) {
    const Keyword& keyword = *exception.keyword;
    std::vector<std::string> places;
    for (const std::string& at : exception.titles) places.push_back(link(at));
    out += "| " + code(keyword.name) + " | " + joined(places) + " | ";
    // What does nothing yet is told by what it will do; of the others the reason counts.
    if (effect == Effect::kNotYet) out += cell(keyword.text) + (keyword.note.empty() ? "" : " ");
    out += (keyword.note.empty() ? "" : cell(sentence(keyword.note))) + " |\n";
  }
}

}  // namespace

std::string keywords_markdown(const Block& file) {
  const std::vector<Section> all = sections(file);
  std::string out =
      "\n## Keywords\n"
      "A keyword works as its row says unless the row ends with a remark: **Not yet active** "
      "([list](#not-yet-active)), **No effect**\n([list](#accepted-without-effect)) or **Refused** "
      "([list](#refused)). `lbdp -t` says the same about each that a file uses.\n\n";
  for (const Section& section : all) out += "- " + link(section.title) + "\n";
  for (const Section& section : all) write_section(out, all, section);
  write_exceptions(
      out, all, Effect::kNotYet, "Not yet active",
      "These are read and checked, and do nothing yet. A file that uses one is told so, by `lbdp -t` and at "
      "every start.");
  write_exceptions(out, all, Effect::kNone, "Accepted without effect",
                   "These are read, because keepalived.conf files have them, and have no effect here. `lbdp -t` lists "
                   "those that a file uses.");
  write_exceptions(out, all, Effect::kRefused, "Refused",
                   "These are errors: to go on without what they ask for would do harm.");
  return out + "\n";
}

}  // namespace lbdp::config
