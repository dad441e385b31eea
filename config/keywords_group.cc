// SPDX-License-Identifier: BSD-2-Clause
#include "config/keywords.h"
#include "config/setters.h"

namespace lbdp::config {
namespace {

/// One line of a group, and whether all of it was right.
class Entry {
 public:
  Entry(const Statement& statement, Context& context) : statement_(statement), context_(context) {
    spec_.place = statement.place();
  }

  std::optional<GroupEntrySpec> read() {
    if (statement_.keyword() == "fwmark") {
      read_fwmark();
    } else {
      read_addresses();
    }
    return good_ ? std::optional(spec_) : std::nullopt;
  }

 private:
  void report(const Word& word, const std::string& message) {
    context_.diagnostics.error(word.place, "virtual_server_group: found " + in_quotes(word.text) + ", " + message);
    good_ = false;
  }

  template <class T>
  void take(T& to, const Result<T>& from, const Word& word) {
    if (from) {
      to = *from;
    } else {
      report(word, from.error().message);
    }
  }

  /// ADDRESSES [PORT]
  void read_addresses() {
    const auto words = statement_.words();
    if (words.size() > 2) return report(words[2], "wanted ADDRESS [PORT], ADDRESS-ADDRESS [PORT] or fwmark MARK");
    take(spec_.range, address_range(words[0].text), words[0]);
    if (words.size() == 2) take(spec_.port, number<uint16_t, 0>(words[1].text), words[1]);
  }

  /// fwmark MARK [inet|inet6]
  void read_fwmark() {
    const auto words = statement_.words();
    if (words.size() < 2) return report(words[0], "wanted fwmark MARK");
    if (words.size() > 3) return report(words[3], "wanted fwmark MARK, or fwmark MARK inet or inet6");
    uint32_t mark = 0;
    take(mark, fwmark(words[1].text), words[1]);
    spec_.fwmark = mark;
    if (words.size() < 3) return;
    if (words[2].text == "inet" || words[2].text == "inet6") {
      spec_.family = words[2].text == "inet" ? Family::kIpv4 : Family::kIpv6;
    } else {
      report(words[2], "wanted inet or inet6");
    }
  }

  const Statement& statement_;
  Context& context_;
  GroupEntrySpec spec_;
  bool good_ = true;
};

void take_entry(void* scope, const Statement& statement, Context& context) {
  auto& group = *static_cast<VirtualServerGroupSpec*>(scope);
  if (auto entry = Entry(statement, context).read()) {
    group.entries.push_back(*entry);
  } else {
    group.broken = true;
  }
}

}  // namespace

constinit const Block kVirtualServerGroupBlock{"virtual_server_group", {}, take_entry};

}  // namespace lbdp::config
