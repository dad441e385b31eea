// SPDX-License-Identifier: BSD-2-Clause
#include "config/tree.h"

#include <optional>
#include <string>

namespace lbdp::config {

std::span<const Word> Statement::words() const {
  const Tree::Node& node = tree_->nodes_[index_];
  return std::span(tree_->words_).subspan(node.first_word, node.word_count);
}

Word Statement::raw_arguments() const {
  return {tree_->nodes_[index_].raw, arguments().empty() ? place() : arguments().front().place};
}

bool Statement::has_block() const {
  return tree_->nodes_[index_].has_block;
}
bool Statement::conditional() const {
  return tree_->nodes_[index_].conditional;
}
Place Statement::close() const {
  return tree_->nodes_[index_].close;
}
bool Statement::close_conditional() const {
  return tree_->nodes_[index_].close_conditional;
}

Statement::Range Statement::children() const {
  return {Iterator(*tree_, index_ + 1), Iterator(*tree_, tree_->nodes_[index_].end)};
}

Statement::Range Tree::statements() const {
  return {Statement::Iterator(*this, 0), Statement::Iterator(*this, nodes_.size())};
}

/// Takes the lexer's tokens one by one and grows the tree.
class TreeBuilder {
 public:
  TreeBuilder(Tree& tree, Diagnostics& diagnostics) : tree_(tree), diagnostics_(diagnostics) {}

  /// False: nothing more is wanted, because of the file's end or a limit.
  bool take(const Token& token) {
    switch (token.kind) {
      case TokenKind::kWord: return word(token);
      case TokenKind::kOpen: return open(token);
      case TokenKind::kClose: close(token); return true;
      case TokenKind::kEndOfLine: in_statement_ = false; return true;
      case TokenKind::kEndOfFile: end_of_file(token); return false;
      case TokenKind::kStopped: return false;
    }
    return false;
  }

 private:
  struct OpenBlock {
    std::optional<uint32_t> node;  // none: a block that belongs to nothing; what is in it is dropped
    Place place;
    size_t nodes_before = 0;
    size_t words_before = 0;
  };

  bool word(const Token& token) {
    if (tree_.words_.size() >= Tree::kMostWords) {
      diagnostics_.error(token.place,
                         "more than " + std::to_string(Tree::kMostWords) + " words in one file; the rest is not read");
      return false;
    }
    if (!in_statement_) {
      const auto index = static_cast<uint32_t>(tree_.nodes_.size());
      tree_.nodes_.push_back(
          {static_cast<uint32_t>(tree_.words_.size()), 0, index + 1, {}, false, token.conditional, false, token.place});
      in_statement_ = true;
      owner_ = index;
    } else {
      extend_raw(tree_.nodes_.back().raw, token.raw);
    }
    tree_.words_.push_back({token.text, token.place});
    ++tree_.nodes_.back().word_count;
    return true;
  }

  /// All words of a statement are on one line, so what is between the first and the last is the line's.
  static void extend_raw(std::string_view& raw, std::string_view last) {
    if (raw.empty()) raw = last;
    raw = {raw.data(), static_cast<size_t>(last.data() + last.size() - raw.data())};
  }

  bool open(const Token& token) {
    if (open_.size() >= Tree::kDeepest) {
      diagnostics_.error(token.place, "blocks are nested more than " + std::to_string(Tree::kDeepest) +
                                          " deep; the rest of the file is not read");
      return false;
    }
    if (!owner_) diagnostics_.error(token.place, "unexpected '{': no keyword before it takes this block");
    open_.push_back({owner_, token.place, tree_.nodes_.size(), tree_.words_.size()});
    if (owner_) tree_.nodes_[*owner_].has_block = true;
    in_statement_ = false;
    owner_.reset();
    return true;
  }

  void close(const Token& token) {
    in_statement_ = false;
    owner_.reset();
    if (open_.empty()) {
      diagnostics_.error(token.place, "unexpected '}': no block is open here");
      return;
    }
    close_block(open_.back(), token.place, token.conditional);
    open_.pop_back();
  }

  void close_block(const OpenBlock& block, Place place, bool conditional) {
    if (!block.node) {
      tree_.nodes_.resize(block.nodes_before);
      tree_.words_.resize(block.words_before);
      return;
    }
    Tree::Node& node = tree_.nodes_[*block.node];
    node.end = static_cast<uint32_t>(tree_.nodes_.size());
    node.close = place;
    node.close_conditional = conditional;
  }

 public:
  /// Closes what is still open, so that the tree is whole however the reading ended.
  void finish(Place place) {
    while (!open_.empty()) {
      close_block(open_.back(), place, false);
      open_.pop_back();
    }
  }

 private:
  void end_of_file(const Token& token) {
    for (const OpenBlock& block : open_) {
      if (!block.node) continue;
      const Word& keyword = tree_.words_[tree_.nodes_[*block.node].first_word];
      diagnostics_.error(block.place, "the block of " + in_quotes(keyword.text) + " is not closed: '}' is missing");
    }
    finish(token.place);
  }

  Tree& tree_;
  Diagnostics& diagnostics_;
  std::vector<OpenBlock> open_;
  std::optional<uint32_t> owner_;  // the statement that a '{' would open: the last one, if nothing came between
  bool in_statement_ = false;
};

Tree Tree::parse(Lexer& lexer, Diagnostics& diagnostics) {
  Tree tree;
  TreeBuilder builder(tree, diagnostics);
  Token token = lexer.next();
  while (builder.take(token)) token = lexer.next();
  builder.finish(token.place);
  return tree;
}

}  // namespace lbdp::config
