// SPDX-License-Identifier: BSD-2-Clause
#include "config/document.h"

#include <algorithm>
#include <map>
#include <set>

namespace lbdp::config {
namespace {

/// Fewer rows than this are shorter in full than as a reference.
constexpr size_t kFewestShared = 3;

std::vector<const Keyword*> rows_of(const Block& block) {
  std::vector<const Keyword*> rows;
  for (const auto& part : block.keywords) {
    for (const Keyword& keyword : part) rows.push_back(&keyword);
  }
  return rows;
}

bool reads_the_same(const Keyword& a, const Keyword& b) {
  return a.name == b.name && a.syntax == b.syntax && a.fallback == b.fallback && a.text == b.text &&
         a.effect == b.effect && a.note == b.note;
}

bool blocks_read_the_same(const Block& a, const Block& b) {
  return &a == &b || (a.name == b.name && std::ranges::equal(rows_of(a), rows_of(b), [](const auto* x, const auto* y) {
                        return reads_the_same(*x, *y);
                      }));
}

class Collector {
 public:
  void add(const Block& block, std::string_view parent) {
    if (block.entry != nullptr) return;
    const auto known = std::ranges::find_if(
        sections_, [&](const Section& section) { return blocks_read_the_same(*section.block, block); });
    if (known != sections_.end()) {
      if (std::ranges::find(known->parents, parent) == known->parents.end()) known->parents.push_back(parent);
      return;
    }
    Section& section = sections_.emplace_back();
    section.block = &block;
    if (!parent.empty()) section.parents.push_back(parent);
    section.title = parent.empty() ? "At the top level" : std::string(block.name);
    section.rows = rows_of(block);
    for (const Keyword* row : rows_of(block)) {  // `section` moves when its inner blocks are added
      if (row->block != nullptr) add(*row->block, block.name);
    }
  }

  std::vector<Section> take() {
    name_apart();
    for (size_t i = 0; i < sections_.size(); ++i) share(i);
    return std::move(sections_);
  }

 private:
  /// Different blocks of one name get their outer block's name too.
  void name_apart() {
    std::map<std::string, int> count;
    for (const Section& section : sections_) ++count[section.title];
    for (Section& section : sections_) {
      if (count[section.title] > 1) section.title += " in " + std::string(section.parents.front());
    }
  }

  /// Moves the rows that an earlier chapter has too from `rows` to `shared`.
  void share(size_t at) {
    Section& section = sections_[at];
    std::map<size_t, std::vector<const Keyword*>> earlier;
    for (const Keyword* row : section.rows) {
      for (size_t i = 0; i < at; ++i) {
        const bool there =
            std::ranges::any_of(sections_[i].rows, [&](const Keyword* other) { return reads_the_same(*row, *other); });
        if (!there) continue;
        earlier[i].push_back(row);
        break;
      }
    }
    for (auto& [from, rows] : earlier) {
      if (rows.size() < kFewestShared) continue;
      std::erase_if(section.rows, [&](const Keyword* row) { return std::ranges::find(rows, row) != rows.end(); });
      section.shared.push_back({from, std::move(rows)});
    }
  }

  std::vector<Section> sections_;
};

/// What the rows that lead to a block make of it, together with what is around them: the mildest of them.
Effect effect_of(const std::vector<Section>& sections, const Section& section) {
  if (section.parents.empty()) return Effect::kWorks;
  Effect mildest = Effect::kRefused;  // the last enumerator
  for (const Section& outer : sections) {
    for (const Keyword* row : rows_of(*outer.block)) {
      if (row->block == nullptr || !blocks_read_the_same(*row->block, *section.block)) continue;
      mildest = std::min(mildest, std::max(row->effect, effect_of(sections, outer)));
    }
  }
  return mildest;
}

bool is_told(Effect around, Effect effect) {
  return around == Effect::kRefused || around == Effect::kNone ||
         (around == Effect::kNotYet && effect == Effect::kNotYet);
}

}  // namespace

std::vector<Section> sections(const Block& file) {
  Collector collector;
  collector.add(file, {});
  std::vector<Section> result = collector.take();
  for (Section& section : result) section.effect = effect_of(result, section);
  return result;
}

std::vector<Exception> exceptions(const std::vector<Section>& sections, Effect effect) {
  std::vector<Exception> result;
  for (const Section& section : sections) {
    if (is_told(section.effect, effect)) continue;
    for (const Keyword* row : rows_of(*section.block)) {
      if (row->effect != effect) continue;
      const auto known = std::ranges::find_if(
          result, [&](const Exception& exception) { return reads_the_same(*exception.keyword, *row); });
      if (known == result.end()) {
        result.push_back({row, {section.title}});
      } else {
        known->titles.push_back(section.title);
      }
    }
  }
  return result;
}

std::string_view name_of(Effect effect) {
  switch (effect) {
    case Effect::kWorks: return "Works";
    case Effect::kNotYet: return "Not yet active";
    case Effect::kNone: return "No effect";
    case Effect::kRefused: return "Refused";
  }
  return "";
}

std::string sentence(std::string_view text) {
  return std::string(text) + (text.ends_with('.') ? "" : ".");
}

Result<std::string> with_keywords(std::string_view page, std::string_view part) {
  const size_t begin = page.find(kBegin);
  const size_t end = page.find(kEnd);
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) {
    return fail("the page lacks the lines " + std::string(kBegin) + std::string(kEnd));
  }
  std::string result(page.substr(0, begin + kBegin.size()));
  result += part;
  return result.append(page.substr(end));
}

}  // namespace lbdp::config
