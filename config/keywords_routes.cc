// SPDX-License-Identifier: BSD-2-Clause
// virtual_routes, static_routes, virtual_rules and static_rules: lines of iproute2's `ip route add` and `ip rule add`.
#include <algorithm>
#include <array>

#include "config/keywords_vrrp.h"
#include "config/line_reader.h"

namespace lbdp::config {
namespace {

/// How many words an option takes, and whether the first may be "lock".
struct Option {
  std::string_view name;
  Result<std::string> (*check)(std::string_view) = nullptr;  // of its value; null: it has none
  bool may_lock = false;
};

template <class T, T kLeast, T kMost>
Result<std::string> digits(std::string_view text) {
  // iproute2 takes hexadecimal numbers for some of them.
  if (text.starts_with("0x")) {
    T value{};
    const auto [end, ec] = std::from_chars(text.data() + 2, text.data() + text.size(), value, 16);
    if (ec == std::errc{} && end == text.data() + text.size() && value >= kLeast && value <= kMost) {
      return std::string(text);
    }
  }
  const auto value = number<T, kLeast, kMost>(text);
  if (!value) return tl::unexpected(value.error());
  return std::string(text);
}
constexpr auto number8 = digits<uint8_t, 0, 255>;
constexpr auto number32 = digits<uint32_t, 0, std::numeric_limits<uint32_t>::max()>;

/// Two numbers with `separator` between, or one.
template <char kSeparator>
Result<std::string> pair_of_numbers(std::string_view text) {
  const size_t middle = text.find(kSeparator);
  const bool good =
      number32(text.substr(0, middle)) && (middle == std::string_view::npos || number32(text.substr(middle + 1)));
  if (!good) return fail(std::string("wanted a number, or two with '") + kSeparator + "' between them");
  return std::string(text);
}

Result<std::string> address_text(std::string_view text) {
  const auto read = address(text);
  if (!read) return tl::unexpected(read.error());
  return std::string(text);
}
Result<std::string> on_or_off(std::string_view text) {
  if (text == "enabled" || text == "disabled" || text == "1" || text == "0") return std::string(text);
  return fail("wanted enabled or disabled");
}
Result<std::string> preference_text(std::string_view text) {
  if (text == "low" || text == "medium" || text == "high") return std::string(text);
  return fail("wanted low, medium or high");
}

constexpr std::string_view kRouteTypes[] = {"unicast",   "local",       "broadcast", "anycast", "multicast",
                                            "blackhole", "unreachable", "prohibit",  "throw"};

constexpr Option kRouteOptions[] = {
    {"table", name},
    {"protocol", name},
    {"scope", name},
    {"tos", number8},
    {"dsfield", number8},
    {"metric", number32},
    {"priority", number32},
    {"preference", number32},
    {"onlink"},
    {"append"},
    {"nexthop"},
    {"weight", digits<uint32_t, 1, 256>},
    {"mtu", number32, true},
    {"hoplimit", number8, true},
    {"advmss", number32, true},
    {"rtt", name, true},
    {"rttvar", name, true},
    {"reordering", number32, true},
    {"window", number32, true},
    {"cwnd", number32, true},
    {"ssthresh", number32, true},
    {"realms", name},
    {"realm", name},
    {"rto_min", name, true},
    {"initcwnd", number32, true},
    {"initrwnd", number32, true},
    {"quickack", number8},
    {"congctl", name, true},
    {"pref", preference_text},
    {"expires", number32},
    {"features", name},
    {"ttl-propagate", on_or_off},
    {"fastopen_no_cookie", number8},
    {"vrf", interface_name},
    {"or", address_text},
    {"as", name},
    {"encap", name},
};

constexpr Option kRuleOptions[] = {
    {"table", name},
    {"lookup", name},
    {"fwmark", pair_of_numbers<'/'>},
    {"realms", name},
    {"iif", interface_name},
    {"dev", interface_name},
    {"oif", interface_name},
    {"tos", number8},
    {"dsfield", number8},
    {"suppress_prefixlength", number32},
    {"sup_pl", number32},
    {"suppress_ifgroup", name},
    {"sup_group", name},
    {"uidrange", pair_of_numbers<'-'>},
    {"protocol", name},
    {"ipproto", name},
    {"ip_proto", name},
    {"sport", pair_of_numbers<'-'>},
    {"dport", pair_of_numbers<'-'>},
    {"tun_id", number32},
    {"goto", number32},
    {"l3mdev"},
    {"not"},
    {"blackhole"},
    {"prohibit"},
    {"unreachable"},
    {"unicast"},
    {"nop"},
};

/// What routes and rules have in common: the words that are kept, the family, and who watches them.
class IpLine {
 protected:
  IpLine(std::string_view keyword, bool is_static, const Statement& entry, Context& context)
      : line_(keyword, entry.words(), context), static_(is_static), entry_(entry) {}

  void keep(const Word& word) { words_.emplace_back(word.text); }

  /// no_track, track_group NAME, inet, inet6.
  bool common(const Word& word) {
    if (word.text == "no_track") {
      no_track_ = true;
    } else if (word.text == "track_group" && static_) {
      track_group_ = line_.value<std::string>(word, name).value_or("");
    } else if (word.text == "inet" || word.text == "inet6") {
      of_family(word.text == "inet" ? Family::kIpv4 : Family::kIpv6, word);
      keep(word);
    } else {
      return false;
    }
    return true;
  }

  bool option(std::span<const Option> options, const Word& word) {
    const auto found = std::ranges::find(options, word.text, &Option::name);
    if (found == options.end()) return false;
    keep(word);
    if (found->check == nullptr) return true;
    if (found->may_lock && line_.skip("lock")) words_.emplace_back("lock");
    if (const auto value = line_.value<std::string>(word, found->check)) words_.push_back(*value);
    return true;
  }

  /// The value of an option that is an address of the line's family.
  std::optional<IpAddress> address_of(const Word& option) {
    keep(option);
    const Word* word = line_.value_word(option);
    if (word == nullptr) return std::nullopt;
    const auto read = line_.read_as<IpAddress>(*word, address);
    if (read) of_family(read->family(), *word);
    keep(*word);
    return read;
  }

  std::optional<IpPrefix> prefix_of(const Word& word) {
    const auto read = line_.read_as<IpPrefix>(word, prefix);
    if (read) of_family(read->address.family(), word);
    keep(word);
    return read;
  }

  void of_family(Family family, const Word& word) {
    if (family_.value_or(family) != family) line_.report(word, "which is of another family than what is before it");
    if (!family_) family_ = family;
  }

  /// Fills in what routes and rules have in common.
  template <class T>
  void finish(T& to) {
    if (no_track_ && !track_group_.empty()) {
      line_.warn(entry_.words()[0], "has no_track and track_group: it is not tracked");
      track_group_.clear();
    }
    to.words = std::move(words_);
    to.family = family_.value_or(Family::kIpv4);
    to.no_track = no_track_;
    to.track_group = std::move(track_group_);
  }

  LineReader line_;
  bool static_;
  const Statement& entry_;
  std::vector<std::string> words_;
  std::optional<Family> family_;
  bool no_track_ = false;
  std::string track_group_;
};

/// [TYPE] [to] DESTINATION [OPTION ...]
class RouteLine : IpLine {
 public:
  RouteLine(bool is_static, const Statement& entry, Context& context)
      : IpLine(is_static ? "static_routes" : "virtual_routes", is_static, entry, context) {}

  std::optional<IpRoute> read() {
    while (!line_.done()) word(line_.take());
    if (!destination_) line_.report(entry_.words()[0], "but the route needs a destination: ADDRESS/LENGTH or default");
    if (!line_.good()) return std::nullopt;
    finish(route_);
    if (is_default_) route_.destination = default_route();
    return std::move(route_);
  }

 private:
  void word(const Word& word) {
    if (common(word)) return;
    if (word.text == "via" || word.text == "gw") {
      if (word.text == "gw") line_.warn(word, "is an old name of 'via'");
      gateway(word);
    } else if (word.text == "src" || word.text == "from") {
      if (word.text == "from") {
        keep(word);
        if (const Word* value = line_.value_word(word)) prefix_of(*value);
      } else {
        address_of(word);
      }
    } else if (word.text == "dev" || word.text == "oif") {
      keep(word);
      const auto dev = line_.value<std::string>(word, interface_name);
      if (!dev) return;
      words_.push_back(*dev);
      if (route_.dev.empty()) route_.dev = *dev;
    } else if (word.text == "to") {
      keep(word);
      if (const Word* value = line_.value_word(word)) destination(*value);
    } else if (std::ranges::find(kRouteTypes, word.text) != std::end(kRouteTypes)) {
      keep(word);
    } else if (!option(kRouteOptions, word)) {
      destination(word);
    }
  }

  /// via [inet|inet6] ADDRESS; with a family it may be another one than the route's (RFC 5549).
  void gateway(const Word& option) {
    words_.emplace_back("via");
    const bool of_its_own = line_.skip("inet6") || line_.skip("inet");
    const Word* word = line_.value_word(option);
    if (word == nullptr) return;
    const auto read = line_.read_as<IpAddress>(*word, address);
    if (!read) return;
    if (of_its_own) words_.emplace_back(read->is_v4() ? "inet" : "inet6");
    if (!of_its_own) of_family(read->family(), *word);
    keep(*word);
    if (!route_.via) route_.via = read;
  }

  void destination(const Word& word) {
    if (destination_) return line_.report(word, "wanted an option of 'ip route add'");
    destination_ = true;
    if (word.text == "default" || word.text == "all" || word.text == "any") {
      is_default_ = true;
      keep(word);
    } else if (const auto read = prefix_of(word)) {
      route_.destination = *read;
    }
  }

  [[nodiscard]] IpPrefix default_route() const {
    constexpr std::array<uint8_t, 16> kAny{};
    return route_.family == Family::kIpv4 ? IpPrefix{IpAddress(), 0} : IpPrefix{IpAddress::v6(kAny), 0};
  }

  IpRoute route_;
  bool destination_ = false;
  bool is_default_ = false;
};

/// [not] [from PREFIX] [to PREFIX] [OPTION ...] ACTION
class RuleLine : IpLine {
 public:
  RuleLine(bool is_static, const Statement& entry, Context& context)
      : IpLine(is_static ? "static_rules" : "virtual_rules", is_static, entry, context) {}

  std::optional<IpRule> read() {
    while (!line_.done()) word(line_.take());
    const Word& first = entry_.words()[0];
    if (line_.good() && !action_) line_.report(first, "but the rule needs an action: table, goto, blackhole ...");
    if (goto_ && preference_ && *goto_ <= *preference_) {
      line_.report(first, "whose goto " + std::to_string(*goto_) + " does not lead behind its preference " +
                              std::to_string(*preference_));
    } else if (goto_ && !preference_) {
      line_.report(first, "which needs a preference for its goto");
    }
    if (!line_.good()) return std::nullopt;
    if (!preference_) {
      line_.warn(first, "starts a rule without a preference: which rule goes first is left to chance");
    }
    IpRule rule;
    rule.preference = preference_.value_or(0);
    finish(rule);
    return rule;
  }

 private:
  static constexpr std::string_view kActions[] = {"table",    "lookup",      "goto", "blackhole",
                                                  "prohibit", "unreachable", "nop",  "l3mdev"};

  void word(const Word& word) {
    if (common(word)) return;
    if (word.text == "from" || word.text == "to") {
      keep(word);
      const Word* value = line_.value_word(word);
      if (value == nullptr) return;
      if (value->text == "all" || value->text == "any" || value->text == "default") return keep(*value);
      prefix_of(*value);
      return;
    }
    if (word.text == "preference" || word.text == "priority" || word.text == "order" || word.text == "pref") {
      keep(word);
      preference_ = line_.value<uint32_t>(word, number<uint32_t>);
      if (preference_) words_.push_back(std::to_string(*preference_));
      return;
    }
    if (!option(kRuleOptions, word)) return line_.report(word, "wanted an option of 'ip rule add'");
    action_ = action_ || std::ranges::find(kActions, word.text) != std::end(kActions);
    if (word.text == "goto" && line_.good()) goto_ = number<uint32_t>(words_.back()).value_or(0);
  }

  bool action_ = false;
  std::optional<uint32_t> preference_;
  std::optional<uint32_t> goto_;
};

template <bool kStatic>
void take_route(void* scope, const Statement& entry, Context& context) {
  if (auto route = RouteLine(kStatic, entry, context).read()) {
    static_cast<RouteListSpec*>(scope)->push_back({std::move(*route), entry.place()});
  }
}

template <bool kStatic>
void take_rule(void* scope, const Statement& entry, Context& context) {
  if (auto rule = RuleLine(kStatic, entry, context).read()) {
    static_cast<RuleListSpec*>(scope)->push_back({std::move(*rule), entry.place()});
  }
}

}  // namespace

constinit const Block kVirtualRouteBlock{"virtual_routes", {}, take_route<false>};
constinit const Block kStaticRouteBlock{"static_routes", {}, take_route<true>};
constinit const Block kVirtualRuleBlock{"virtual_rules", {}, take_rule<false>};
constinit const Block kStaticRuleBlock{"static_rules", {}, take_rule<true>};

}  // namespace lbdp::config
