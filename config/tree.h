// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "config/diagnostics.h"
#include "config/lexer.h"

namespace lbdp::config {

/// One word of a statement; `text` points into the sources or the lexer.
struct Word {
  std::string_view text;
  Place place;
};

class Tree;

/// One logical line ("advert_int 1") and, if it has one, its block. A light handle into a Tree.
class Statement {
 public:
  class Iterator;
  struct Range;

  Statement(const Tree& tree, size_t index) : tree_(&tree), index_(index) {}

  /// Keyword and arguments; at least one word.
  [[nodiscard]] std::span<const Word> words() const;
  [[nodiscard]] std::string_view keyword() const { return words().front().text; }
  [[nodiscard]] std::span<const Word> arguments() const { return words().subspan(1); }
  [[nodiscard]] Place place() const { return words().front().place; }
  /// The line behind the keyword as it is written, quotes and escapes included, without a comment, up to a brace that
  /// is not in "...": for keywords whose value has a syntax of its own, see quoting.h. Empty if there is nothing.
  [[nodiscard]] Word raw_arguments() const;
  [[nodiscard]] bool has_block() const;
  /// On a line behind "@id".
  [[nodiscard]] bool conditional() const;
  /// The place of the closing brace, and whether that is behind "@id"; for has_block().
  [[nodiscard]] Place close() const;
  [[nodiscard]] bool close_conditional() const;
  /// The block's statements, in order.
  [[nodiscard]] Range children() const;

 private:
  const Tree* tree_;
  size_t index_;
};

/// All statements of a configuration as one preorder array: a node's children lie between it and its end.
class Tree {
 public:
  static constexpr size_t kMostWords = size_t{4} << 20;
  static constexpr size_t kDeepest = 16;

  /// Reads all tokens. Stray and missing braces, and what goes over the limits, are reported; the tree has the rest.
  static Tree parse(Lexer& lexer, Diagnostics& diagnostics);

  [[nodiscard]] Statement::Range statements() const;

 private:
  friend class Statement;
  friend class TreeBuilder;

  struct Node {
    uint32_t first_word = 0;
    uint32_t word_count = 0;
    uint32_t end = 0;      // index after the last node of the block
    std::string_view raw;  // from the first to the last argument
    bool has_block = false;
    bool conditional = false;
    bool close_conditional = false;
    Place close;
  };

  std::vector<Word> words_;
  std::vector<Node> nodes_;
};

class Statement::Iterator {
 public:
  Iterator(const Tree& tree, size_t index) : tree_(&tree), index_(index) {}
  Statement operator*() const { return {*tree_, index_}; }
  Iterator& operator++() {
    index_ = tree_->nodes_[index_].end;
    return *this;
  }
  friend bool operator==(const Iterator& a, const Iterator& b) { return a.index_ == b.index_; }

 private:
  const Tree* tree_;
  size_t index_;
};

struct Statement::Range {
  Iterator first;
  Iterator last;
  [[nodiscard]] Iterator begin() const { return first; }
  [[nodiscard]] Iterator end() const { return last; }
};

}  // namespace lbdp::config
