// SPDX-License-Identifier: BSD-2-Clause
// virtual_ipaddress, virtual_ipaddress_excluded, static_ipaddress and unicast_peer: lists of addresses with options.
#include <algorithm>
#include <array>
#include <bit>

#include "config/keywords_vrrp.h"
#include "config/line_reader.h"

namespace lbdp::config {
namespace {

enum class ListKind : uint8_t { kVirtual, kExcluded, kStatic };

constexpr std::string_view name_of(ListKind kind) {
  switch (kind) {
    case ListKind::kVirtual: return "virtual_ipaddress";
    case ListKind::kExcluded: return "virtual_ipaddress_excluded";
    case ListKind::kStatic: return "static_ipaddress";
  }
  return "";
}

Result<uint8_t> scope(std::string_view text) {
  constexpr std::pair<std::string_view, uint8_t> kNames[] = {{"global", kScopeGlobal},
                                                             {"site", kScopeSite},
                                                             {"link", kScopeLink},
                                                             {"host", kScopeHost},
                                                             {"nowhere", kScopeNowhere}};
  for (const auto& [name, value] : kNames) {
    if (text == name) return value;
  }
  if (const auto value = number<uint8_t>(text)) return *value;
  return fail("wanted global, site, link, host, nowhere or a number from 0 to 255");
}

/// An interface alias, "eth0:1": as long as an interface's name can be.
Result<std::string> label(std::string_view text) {
  constexpr size_t kLongest = 15;  // IFNAMSIZ - 1
  if (!text.empty() && text.size() <= kLongest) return std::string(text);
  return fail("wanted a label of 1 to 15 characters");
}

Result<uint32_t> lifetime(std::string_view text) {
  if (text == "forever") return kLifetimeForever;
  if (const auto value = number<uint32_t>(text)) return *value;
  return fail("wanted forever or seconds, a whole number");
}

/// The prefix's address with its host bits all ones or all zeros.
IpAddress with_host_bits(const IpPrefix& prefix, bool ones) {
  const uint32_t hosts = prefix.length >= 32 ? 0 : ~uint32_t{0} >> prefix.length;
  const uint32_t bits = prefix.address.v4().host();
  return IpAddress::v4(Be<uint32_t>::from_host(ones ? bits | hosts : bits & ~hosts));
}

/// ADDRESS[/LENGTH] [OPTION ...]
class AddressLine {
 public:
  AddressLine(ListKind kind, const Statement& entry, Context& context)
      : kind_(kind), line_(name_of(kind), entry.words(), context) {}

  std::optional<VirtualAddress> read() {
    const auto parsed = line_.read_as<IpPrefix>(line_.take(), prefix);
    if (!parsed) return std::nullopt;
    address_.prefix = *parsed;
    if (!is_v4() && parsed->length == kHostLength6) address_.preferred_lft = 0;
    while (!line_.done()) option(line_.take());
    return line_.good() ? std::optional(address_) : std::nullopt;
  }

 private:
  static constexpr uint8_t kHostLength6 = 128;

  [[nodiscard]] bool is_v4() const { return address_.prefix.address.is_v4(); }

  void option(const Word& word) {
    if (flag(word.text) || valued(word)) return;
    line_.report(
        word, kind_ == ListKind::kStatic
                  ? "wanted brd, dev, scope, label, peer, home, -nodad, mngtmpaddr, noprefixroute, autojoin, no_track, "
                    "track_group or preferred_lft"
                  : "wanted brd, dev, scope, label, peer, home, -nodad, mngtmpaddr, noprefixroute, autojoin, no_track, "
                    "preferred_lft or use_vmac");
  }

  bool flag(std::string_view name) {
    const std::pair<std::string_view, bool*> flags[] = {
        {"home", &address_.home},
        {"-nodad", &address_.nodad},
        {"mngtmpaddr", &address_.mngtmpaddr},
        {"noprefixroute", &address_.noprefixroute},
        {"autojoin", &address_.autojoin},
        {"no_track", &address_.no_track},
        {"use_vmac", kind_ == ListKind::kStatic ? nullptr : &address_.use_vmac},
    };
    const auto found = std::ranges::find(flags, name, &std::pair<std::string_view, bool*>::first);
    if (found == std::end(flags) || found->second == nullptr) return false;
    *found->second = true;
    return true;
  }

  bool valued(const Word& word) {
    if (word.text == "brd" || word.text == "broadcast") {
      take_broadcast(word);
    } else if (word.text == "dev") {
      take_interface(word);
    } else if (word.text == "scope") {
      address_.scope = line_.value<uint8_t>(word, scope).value_or(address_.scope);
    } else if (word.text == "label") {
      address_.label = line_.value<std::string>(word, label).value_or("");
    } else if (word.text == "peer") {
      take_peer(word);
    } else if (word.text == "preferred_lft") {
      address_.preferred_lft = line_.value<uint32_t>(word, lifetime).value_or(address_.preferred_lft);
    } else if (word.text == "track_group" && kind_ == ListKind::kStatic) {
      address_.track_group = line_.value<std::string>(word, name).value_or("");
    } else {
      return false;
    }
    return true;
  }

  void take_broadcast(const Word& option) {
    const Word* word = line_.value_word(option);
    if (word == nullptr) return;
    if (!is_v4()) return line_.report(*word, "but IPv6 has no broadcast address");
    if (word->text == "+" || word->text == "-") {
      address_.brd = with_host_bits(address_.prefix, word->text == "+");
      return;
    }
    const auto parsed = IpAddress::parse(word->text);
    if (!parsed || !parsed->is_v4()) return line_.report(*word, "wanted an IPv4 address, '+' or '-'");
    address_.brd = *parsed;
  }

  void take_interface(const Word& option) {
    if (!address_.dev.empty()) line_.report(option, "a second time: an address is on one interface");
    address_.dev = line_.value<std::string>(option, interface_name).value_or("");
  }

  void take_peer(const Word& option) {
    const Word* word = line_.value_word(option);
    if (word == nullptr) return;
    const auto parsed = IpAddress::parse(word->text);
    if (!parsed || parsed->is_v4() != is_v4()) {
      return line_.report(*word, std::string("wanted an ") + (is_v4() ? "IPv4" : "IPv6") + " address");
    }
    address_.peer = *parsed;
  }

  ListKind kind_;
  LineReader line_;
  VirtualAddress address_;
};

template <ListKind kKind>
void take_address(void* scope, const Statement& entry, Context& context) {
  auto& list = *static_cast<AddressListSpec*>(scope);
  list.names_address = true;
  if (auto address = AddressLine(kKind, entry, context).read()) {
    list.items.push_back({std::move(*address), entry.place()});
  }
}

/// ADDRESS [min_ttl N] [max_ttl N]
void take_peer(void* scope, const Statement& entry, Context& context) {
  auto& list = *static_cast<UnicastPeerListSpec*>(scope);
  LineReader line("unicast_peer", entry.words(), context);
  UnicastPeer peer;
  if (const auto read = line.read_as<IpAddress>(line.take(), address)) peer.address = *read;
  while (!line.done()) {
    const Word& option = line.take();
    if (option.text == "min_ttl") {
      peer.min_ttl = line.value<uint8_t>(option, number<uint8_t>).value_or(peer.min_ttl);
    } else if (option.text == "max_ttl") {
      peer.max_ttl = line.value<uint8_t>(option, number<uint8_t>).value_or(peer.max_ttl);
    } else {
      line.report(option, "wanted min_ttl or max_ttl");
      continue;
    }
    list.limits_ttl = true;
  }
  if (peer.min_ttl > peer.max_ttl) {
    line.report(entry.words()[0], "whose min_ttl " + std::to_string(peer.min_ttl) + " is above its max_ttl " +
                                      std::to_string(peer.max_ttl) + ": no packet could be taken");
  }
  if (line.good()) list.items.push_back({peer, entry.place()});
}

}  // namespace

constinit const Block kVirtualAddressBlock{"virtual_ipaddress", {}, take_address<ListKind::kVirtual>};
constinit const Block kExcludedAddressBlock{"virtual_ipaddress_excluded", {}, take_address<ListKind::kExcluded>};
constinit const Block kStaticAddressBlock{"static_ipaddress", {}, take_address<ListKind::kStatic>};
constinit const Block kUnicastPeerBlock{"unicast_peer", {}, take_peer};

}  // namespace lbdp::config
