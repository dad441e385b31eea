// SPDX-License-Identifier: BSD-2-Clause
#include "config/random_file.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>
#include <vector>

#include "config/load.h"
#include "config/schema.h"

namespace lbdp::config {
namespace {

class Chance {
 public:
  explicit Chance(std::mt19937_64& random) : random_(random) {}

  int64_t between(int64_t least, int64_t most) { return std::uniform_int_distribution(least, most)(random_); }
  bool percent(int64_t probability) { return between(1, 100) <= probability; }
  template <class Container>
  const auto& one_of(const Container& container) {
    return *std::next(std::begin(container), between(0, static_cast<int64_t>(std::size(container)) - 1));
  }

 private:
  std::mt19937_64& random_;
};

std::string address(Chance& chance) {
  const std::string last = std::to_string(chance.between(1, 99));
  return chance.percent(75) ? "192.0.2." + last : "2001:db8::" + last;
}

std::string name(Chance& chance) {
  return "name" + std::to_string(chance.between(1, 9));
}

/// A value of the kind that a syntax names, such as "SECONDS"; nothing if the word stands for itself.
std::optional<std::string> value_of_kind(std::string_view kind, Chance& chance) {
  using Maker = std::function<std::string(Chance&)>;
  const Maker number = [](Chance& c) { return std::to_string(c.between(0, 300)); };
  const Maker path = [](Chance& c) { return "/path/to/" + name(c); };
  const Maker seconds = [](Chance& c) {
    return std::to_string(c.between(1, 40)) + (c.percent(30) ? "." + std::to_string(c.between(1, 99)) : "");
  };
  static const std::map<std::string_view, Maker> kKinds = {
      {"SECONDS", seconds},
      {"TIMER", seconds},
      {"NUMBER", number},
      {"N", number},
      {"LENGTH", [](Chance& c) { return std::to_string(c.between(8, 32)); }},
      {"PORT",
       [](Chance& c) {
         return std::to_string(c.one_of(std::vector{0, 25, 53, 80, 80, 80, 443, 8080}));
       }},
      {"MARK", [](Chance& c) { return std::to_string(c.between(1, 3)); }},
      {"ID", [](Chance& c) { return std::to_string(c.between(0, 4)); }},
      {"ADDRESS", address},
      {"IP", address},
      {"ADDRESS6", [](Chance& c) { return "ff02::" + std::to_string(c.between(1, 99)); }},
      {"INSTANCE", name},
      {"CPU", [](Chance& c) { return std::to_string(c.between(0, 3)); }},
      {"DIRECTORY", path},
      {"NETMASK", [](Chance& c) { return "255.255." + std::to_string(256 - (1 << c.between(0, 7))) + ".0"; }},
      {"BOOL",
       [](Chance& c) {
         return c.one_of(std::vector<std::string>{"on", "off", "true", "false", "yes", "no"});
       }},
      {"NAME", name},
      {"INTERFACE", [](Chance& c) { return "eth" + std::to_string(c.between(0, 3)); }},
      {"IF", [](Chance& c) { return "eth" + std::to_string(c.between(0, 3)); }},
      {"DEVICE", [](Chance& c) { return "net_null" + std::to_string(c.between(0, 9)); }},
      {"USER", [](Chance&) { return std::string("root"); }},
      {"GROUP", [](Chance&) { return std::string("root"); }},
      {"PASSWORD", [](Chance& c) { return c.percent(50) ? "secret" : "\"a #1 {!} $x\""; }},
      {"PATH", path},
      {"FILE", path},
      {"COMMAND", [](Chance& c) { return c.percent(50) ? "/bin/true" : "\"/bin/echo 'two words' # {}\""; }},
      {"SCRIPT", [](Chance& c) { return c.percent(50) ? "/bin/true" : "\"/bin/echo 'two words' # {}\""; }},
      {"STRING", [](Chance& c) { return c.percent(50) ? name(c) : "\"two words\""; }},
      {"HOST", [](Chance& c) { return name(c) + ".example.org"; }},
      {"TIME", [](Chance& c) { return std::to_string(c.between(0, 999)) + (c.percent(50) ? "us" : "ms"); }},
      {"CODE", [](Chance& c) { return std::to_string(c.between(1, 4)) + "0" + std::to_string(c.between(0, 9)); }},
      {"PROTOCOL",
       [](Chance& c) {
         return c.one_of(std::vector<std::string>{"tcp", "udp", "sctp"});
       }},
      {"HEX",
       [](Chance& c) {
         return c.one_of(std::vector<std::string>{"00ff", "1234567890abcdef"});
       }},
      {"DIGEST", [](Chance& c) { return std::string(31, '0') + std::to_string(c.between(0, 9)); }},
      {"OPTION",
       [](Chance& c) {
         return c.one_of(std::vector<std::string>{"caseless", "multiline", "dotall"});
       }},
      {"PATTERN", [](Chance& c) { return c.percent(50) ? "OK" : "\"^a b\\x5cd+ #{2}\\n\""; }},
      {"MAC", [](Chance& c) { return "02:00:00:00:00:0" + std::to_string(c.between(1, 9)); }},
  };
  const auto found = kKinds.find(kind);
  return found == kKinds.end() ? std::nullopt : std::optional(found->second(chance));
}

/// A number of "LEAST..MOST", the ends more often than others; nothing if the word is no range.
std::optional<std::string> value_of_range(const std::string& word, Chance& chance) {
  const size_t dots = word.find("..");
  if (dots == std::string::npos || dots == 0 || word.find_first_not_of("-.0123456789") != std::string::npos) return {};
  const int64_t least = std::stoll(word.substr(0, dots));
  const int64_t most = std::stoll(word.substr(dots + 2));
  if (least >= most || chance.percent(10)) return std::to_string(chance.percent(50) ? least : most);
  return std::to_string(chance.between(least, chance.percent(50) ? most : std::min(most, least + 20)));
}

/// Expands the notation of the manual page: [optional], this|that, more ...
class Syntax {
 public:
  Syntax(std::string_view notation, Chance& chance) : text_(notation), chance_(chance) {}

  std::string make() { return alternatives(); }

 private:
  [[nodiscard]] bool at_end() const { return position_ >= text_.size() || text_[position_] == ']'; }

  std::string alternatives() {
    std::vector<std::string> made{sequence()};
    while (position_ < text_.size() && text_[position_] == '|') {
      ++position_;
      made.push_back(sequence());
    }
    return chance_.one_of(made);
  }

  std::string sequence() {
    std::string made;
    std::string item;
    while (!at_end() && text_[position_] != '|') {
      const bool apart = text_[position_] == ' ';
      while (position_ < text_.size() && text_[position_] == ' ') ++position_;
      if (at_end() || text_[position_] == '|') break;
      if (text_.substr(position_).starts_with("...")) {
        position_ += 3;
        if (chance_.percent(30) && !item.empty()) made += " " + item;
        continue;
      }
      item = text_[position_] == '[' ? optional() : word();
      if (!item.empty()) made += (apart && !made.empty() ? " " : "") + item;
    }
    return made;
  }

  std::string optional() {
    ++position_;
    const std::string made = alternatives();
    if (position_ < text_.size()) ++position_;
    return chance_.percent(40) ? made : "";
  }

  /// Up to a blank, bracket or bar; signs between kinds ("/LENGTH", "USER:GROUP") stand for themselves.
  std::string word() {
    const size_t end = std::min(text_.find_first_of(" []|", position_), text_.size());
    const std::string whole(text_.substr(position_, end - position_));
    position_ = end;
    if (auto number = value_of_range(whole, chance_)) return *number;
    const size_t first = whole.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (first == std::string::npos) return whole;
    const size_t last = std::min(whole.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789", first), whole.size());
    const auto value = value_of_kind(whole.substr(first, last - first), chance_);
    return value && (first == 0 || whole[first - 1] == '/' || whole[first - 1] == '-')
               ? whole.substr(0, first) + *value + whole.substr(last)
               : whole;
  }

  std::string_view text_;
  Chance& chance_;
  size_t position_ = 0;
};

class Writer {
 public:
  explicit Writer(Chance& chance) : chance_(chance) {}

  void block(const Block& block, int depth) {
    for (const auto& part : block.keywords) {
      for (const Keyword& keyword : part) {
        if (keyword.effect == Effect::kRefused) continue;
        const int64_t times = how_often(keyword, depth);
        for (int64_t i = 0; i < times; ++i) statement(keyword, depth);
      }
    }
  }

  std::string take() { return std::move(out_); }

 private:
  int64_t how_often(const Keyword& keyword, int depth) {
    if (keyword.fallback.starts_with("required")) return 1;
    const bool repeats = keyword.block != nullptr && keyword.fallback.empty();
    if (keyword.name == "dataplane" || keyword.name == "global_defs") return chance_.between(0, 1);
    if (repeats) return chance_.between(0, depth == 0 ? 4 : 2);
    return chance_.percent(25) ? 1 : 0;
  }

  void statement(const Keyword& keyword, int depth) {
    const std::string indent(static_cast<size_t>(depth) * 2, ' ');
    const size_t brace = std::min(keyword.syntax.find('{'), keyword.syntax.size());
    std::string arguments = Syntax(keyword.syntax.substr(0, brace), chance_).make();
    if (keyword.name == "interface") arguments = *value_of_kind("INTERFACE", chance_);
    if (keyword.name.find("mcast_group4") != std::string_view::npos) arguments = "224.0.0.9";
    out_ += indent + std::string(keyword.name) + (arguments.empty() ? "" : " ") + arguments;
    if (keyword.block == nullptr) {
      out_ += "\n";
      return;
    }
    out_ += " {\n";
    if (keyword.block->entry != nullptr) {
      entries(keyword, indent + "  ", brace);
    } else {
      block(*keyword.block, depth + 1);
    }
    out_ += indent + "}\n";
  }

  void entries(const Keyword& keyword, const std::string& indent, size_t brace) {
    const size_t begin = std::min(brace + 1, keyword.syntax.size());
    std::string_view notation = keyword.syntax.substr(begin, keyword.syntax.rfind('}') - begin);
    if (const size_t more = notation.rfind("..."); more != std::string_view::npos) notation = notation.substr(0, more);
    for (int64_t i = chance_.between(1, 4); i > 0; --i) out_ += indent + Syntax(notation, chance_).make() + "\n";
  }

  Chance& chance_;
  std::string out_;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// The line after the statement that begins on `line`, its block included.
size_t end_of(const std::vector<std::string>& lines, size_t line) {
  int depth = 0;
  do {
    if (lines[line].ends_with('{')) ++depth;
    if (lines[line].ends_with('}') && lines[line].find_first_not_of(' ') + 1 == lines[line].size()) --depth;
    ++line;
  } while (depth > 0 && line < lines.size());
  return line;
}

}  // namespace

std::string RandomFile::make() {
  Chance chance(random_);
  Writer writer(chance);
  writer.block(kFileBlock, 0);
  return writer.take();
}

std::string without_errors(std::string text, int rounds) {
  for (; rounds > 0; --rounds) {
    const LoadResult result = load_text(text, "random.conf");
    if (result.ok()) break;
    std::set<int> wrong;
    for (const Diagnostic& diagnostic : result.diagnostics) {
      if (diagnostic.severity == Severity::kError) wrong.insert(diagnostic.where.line);
    }
    const auto lines = lines_of(text);
    text.clear();
    for (size_t i = 0; i < lines.size();) {
      if (wrong.contains(static_cast<int>(i) + 1)) {
        i = end_of(lines, i);
      } else {
        text += lines[i++] + "\n";
      }
    }
  }
  return text;
}

}  // namespace lbdp::config
