// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The tables of keywords as documents for people: docs/configuration.md and the manual page lb.conf(5). What is written
// there about a keyword is what the parser uses, so the two cannot differ. scripts/documents writes both files.

#include <string>
#include <string_view>
#include <vector>

#include "config/schema.h"
#include "config/types/result.h"

namespace lbdp::config {

/// One block of the language as a chapter.
struct Section {
  /// Rows that read exactly as those of an earlier chapter, which has them in full.
  struct Shared {
    size_t section = 0;  // index of the earlier chapter
    std::vector<const Keyword*> rows;
  };

  const Block* block = nullptr;
  std::string title;  // unique; the block's name, with the outer block's if another has the name too
  std::vector<std::string_view> parents;  // the blocks that it stands in; none for the top level
  Effect effect = Effect::kWorks;         // of the block as a whole, wherever it stands
  std::vector<const Keyword*> rows;
  std::vector<Shared> shared;
};

/// The chapters below `file`, itself first, each before the blocks in it. A block whose rows read the same in several
/// places is one chapter. Lists have no chapter: their row says all.
[[nodiscard]] std::vector<Section> sections(const Block& file);

/// A keyword that does not simply work, with the blocks in which that is so.
struct Exception {
  const Keyword* keyword = nullptr;
  std::vector<std::string> titles;  // of the chapters
};

/// The keywords of `effect`, in the order of the chapters; those that read the same are one, the rows of a refused
/// block are left out.
[[nodiscard]] std::vector<Exception> exceptions(const std::vector<Section>& sections, Effect effect);

/// How documents call an effect other than kWorks: "Not yet active".
[[nodiscard]] std::string_view name_of(Effect effect);
/// `text` with a full stop at its end, if it has none.
[[nodiscard]] std::string sentence(std::string_view text);

/// The part of docs/configuration.md between kBegin and kEnd, without them.
[[nodiscard]] std::string keywords_markdown(const Block& file);

inline constexpr std::string_view kBegin =
    "<!-- begin of the keywords: made by scripts/documents from config/keywords_*.cc; do not edit -->\n";
inline constexpr std::string_view kEnd = "<!-- end of the keywords -->\n";

/// `page` with `part` between kBegin and kEnd; an error if it does not have both, in this order.
[[nodiscard]] Result<std::string> with_keywords(std::string_view page, std::string_view part);

/// lb.conf(5), whole, for groff's "an" macros.
[[nodiscard]] std::string manual_page(const Block& file);

}  // namespace lbdp::config
