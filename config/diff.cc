// SPDX-License-Identifier: BSD-2-Clause
#include "config/diff.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "config/dump.h"
#include "config/values.h"

namespace lbdp::config {
namespace {

using Shape = DumpStatement::Shape;
using Statements = std::vector<const DumpStatement*>;

// --- texts

struct ToText {
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(bool on) const { return on ? "on" : "off"; }
  std::string operator()(int64_t number) const { return std::to_string(number); }
  std::string operator()(Duration duration) const { return seconds_text(duration); }
  std::string operator()(const std::string& text) const { return text; }
  std::string operator()(const DumpSecret&) const { return "(secret)"; }
  std::string operator()(const DumpRaw& raw) const { return raw.value; }
};

std::string text_of(const std::vector<DumpArgument>& arguments) {
  std::string text;
  for (const DumpArgument& argument : arguments) {
    std::string value = std::visit(ToText{}, argument.value.held);
    if (argument.written && !value.empty()) {
      const auto* on = std::get_if<bool>(&argument.value.held);
      value = on == nullptr ? argument.name + " " + value : *on ? argument.name : std::string();
    }
    if (value.empty()) continue;
    text += (text.empty() ? "" : " ") + value;
  }
  return text;
}

bool has_secret(const std::vector<DumpArgument>& arguments) {
  return std::ranges::any_of(arguments,
                             [](const DumpArgument& a) { return std::holds_alternative<DumpSecret>(a.value.held); });
}

/// As equality needs it, secrets included. Never shown.
std::string exact(const std::vector<DumpArgument>& arguments) {
  std::string text;
  for (const DumpArgument& argument : arguments) {
    const auto* secret = std::get_if<DumpSecret>(&argument.value.held);
    text += argument.name + "=" + (secret != nullptr ? secret->text : std::visit(ToText{}, argument.value.held)) + '\0';
  }
  return text;
}

std::string exact(const DumpBlock& block);

std::string exact(const DumpStatement& statement) {
  std::string text = statement.keyword() + (statement.present() ? ' ' : '-') + exact(statement.arguments()) + "{";
  for (const auto& entry : statement.entries()) text += exact(entry) + ";";
  const bool is_block = statement.shape() == Shape::kOne || statement.shape() == Shape::kMany;
  if (is_block && statement.present()) text += exact(statement.block());
  return text + "}";
}

std::string exact(const DumpBlock& block) {
  std::string text;
  for (const DumpStatement& statement : block.statements()) text += exact(statement);
  return text;
}

// --- the comparison

class Differ {
 public:
  /// Of two blocks that are the same thing, named `what`; empty: the file.
  void compare(const std::string& what, const DumpBlock& before, const DumpBlock& after);
  void add(Change::Kind kind, const std::string& what, std::string detail = {}) {
    changes_.push_back({kind, what, std::move(detail)});
  }
  std::vector<Change> take() { return std::move(changes_); }

 private:
  void compare(const std::string& what, const std::string& keyword, Statements before, Statements after);
  void compare_lines(const std::string& what, const std::string& keyword, const Statements& before,
                     const Statements& after);
  void compare_lists(const std::string& what, const std::string& keyword, const DumpStatement* before,
                     const DumpStatement* after);
  void compare_order(const std::string& what, const Statements& before, const Statements& after);
  void compare_blocks(const std::string& outer, Statements before, Statements after);
  void pair_up(const std::string& outer, Statements before, const Statements& after);

  std::vector<Change> changes_;
};

/// A block's statements by keyword, in the order of the keywords' first appearance.
std::vector<std::pair<std::string, Statements>> by_keyword(const DumpBlock& block) {
  std::vector<std::pair<std::string, Statements>> found;
  std::map<std::string_view, size_t> places;
  for (const DumpStatement& statement : block.statements()) {
    const auto [place, fresh] = places.try_emplace(statement.keyword(), found.size());
    if (fresh) found.emplace_back(statement.keyword(), Statements());
    if (statement.present()) found[place->second].second.push_back(&statement);
  }
  return found;
}

void Differ::compare(const std::string& what, const DumpBlock& before, const DumpBlock& after) {
  auto old = by_keyword(before);
  auto now = by_keyword(after);
  const auto told_elsewhere = [&](const auto& entry) { return what.empty() && entry.first == "virtual_server"; };
  std::erase_if(old, told_elsewhere);
  std::erase_if(now, told_elsewhere);
  for (auto& [keyword, statements] : now) {
    const auto same = std::ranges::find(old, keyword, &std::pair<std::string, Statements>::first);
    Statements formerly = same == old.end() ? Statements() : std::exchange(same->second, {});
    compare(what, keyword, std::move(formerly), std::move(statements));
  }
  for (auto& [keyword, statements] : old) compare(what, keyword, std::move(statements), {});
}

void Differ::compare(const std::string& what, const std::string& keyword, Statements before, Statements after) {
  if (before.empty() && after.empty()) return;
  const DumpStatement& any = after.empty() ? *before.front() : *after.front();
  switch (any.shape()) {
    case Shape::kOne:
    case Shape::kMany: return compare_blocks(what, std::move(before), std::move(after));
    case Shape::kList:
      if (!any.arguments().empty()) return compare_blocks(what, std::move(before), std::move(after));
      return compare_lists(what, keyword, before.empty() ? nullptr : before.front(),
                           after.empty() ? nullptr : after.front());
    default: return compare_lines(what, keyword, before, after);
  }
}

/// "weight 1 -> 3". What is not there is "unset".
void Differ::compare_lines(const std::string& what, const std::string& keyword, const Statements& before,
                           const Statements& after) {
  const auto all = [](const Statements& statements, auto&& to_text) {
    std::string text;
    for (const DumpStatement* statement : statements) text += (text.empty() ? "" : ", ") + to_text(*statement);
    return text;
  };
  const auto exactly = [](const DumpStatement& statement) { return exact(statement); };
  if (all(before, exactly) == all(after, exactly)) return;
  const auto secret = [](const DumpStatement* statement) { return has_secret(statement->arguments()); };
  if (std::ranges::any_of(before, secret) || std::ranges::any_of(after, secret)) {
    return add(Change::Kind::kChanged, what, keyword + " changed");
  }
  const auto shown = [&](const Statements& statements) {
    const auto one = [](const DumpStatement& statement) {
      return statement.shape() == Shape::kFlag ? std::string("on") : text_of(statement.arguments());
    };
    const std::string text = all(statements, one);
    const bool flag = (after.empty() ? *before.front() : *after.front()).shape() == Shape::kFlag;
    return !text.empty() ? text : flag ? "off" : "unset";
  };
  add(Change::Kind::kChanged, what, keyword + " " + shown(before) + " -> " + shown(after));
}

/// "virtual_ipaddress + 10.0.0.9/32", a change for each entry; the keyword is empty where `what` names the list.
void Differ::compare_lists(const std::string& what, const std::string& keyword, const DumpStatement* before,
                           const DumpStatement* after) {
  static const std::vector<std::vector<DumpArgument>> kNone;
  const std::string start = keyword.empty() ? "" : keyword + " ";
  const auto& old = before == nullptr ? kNone : before->entries();
  const auto& now = after == nullptr ? kNone : after->entries();
  std::multiset<std::string> gone, come;
  for (const auto& entry : old) gone.insert(exact(entry));
  for (const auto& entry : now) come.insert(exact(entry));
  const auto tell = [&](const auto& entries, std::multiset<std::string> known, const char* sign) {
    bool told = false;
    for (const auto& entry : entries) {
      if (const auto same = known.find(exact(entry)); same != known.end()) {
        known.erase(same);
        continue;
      }
      add(Change::Kind::kChanged, what, start + sign + " " + text_of(entry));
      told = true;
    }
    return told;
  };
  const bool fewer = tell(old, come, "-");
  const bool more = tell(now, gone, "+");
  const auto same_order = [](const auto& a, const auto& b) { return exact(a) == exact(b); };
  if (!fewer && !more && !std::ranges::equal(old, now, same_order)) {
    add(Change::Kind::kChanged, what, start + "in another order");
  }
}

/// "real_server 172.18.250.77 80" -> "real server 172.18.250.77:80 of virtual server tcp/172.18.250.99:80".
std::string name_of(const std::string& outer, const DumpStatement& statement) {
  const auto& arguments = statement.arguments();
  std::string name = statement.keyword();
  const bool endpoint = arguments.size() == 2 && arguments[0].name == "address" && arguments[1].name == "port";
  const auto address = endpoint ? IpAddress::parse(text_of({arguments[0]})) : fail("");
  if (name == "real_server") name = "real server";
  if (address) {
    const auto* port = std::get_if<int64_t>(&arguments[1].value.held);
    name += " " + Endpoint{*address, static_cast<uint16_t>(port == nullptr ? 0 : *port)}.to_string();
  } else if (const std::string text = text_of(arguments); !text.empty()) {
    name += " " + text;
  }
  return outer.empty() ? name : name + " of " + outer;
}

/// Real servers are tried in the order of the file.
void Differ::compare_order(const std::string& what, const Statements& before, const Statements& after) {
  const auto keys_of = [](const Statements& statements) {
    std::vector<std::string> keys;
    for (const DumpStatement* statement : statements) {
      if (statement->keyword() == "real_server") keys.push_back(exact(statement->arguments()));
    }
    return keys;
  };
  auto old = keys_of(before), now = keys_of(after);
  const std::set<std::string> known(old.begin(), old.end()), wanted(now.begin(), now.end());
  std::erase_if(old, [&](const std::string& key) { return !wanted.contains(key); });
  std::erase_if(now, [&](const std::string& key) { return !known.contains(key); });
  if (old != now) add(Change::Kind::kChanged, what, "real_server in another order");
}

void Differ::compare_blocks(const std::string& outer, Statements before, Statements after) {
  compare_order(outer, before, after);
  // What is the same on both sides goes first: of two checkers of a type, the one that has not changed is not paired
  // with the one that has.
  std::multimap<std::string, size_t> known;
  for (size_t i = 0; i < before.size(); ++i) known.emplace(exact(*before[i]), i);
  for (const DumpStatement*& statement : after) {
    const auto same = known.find(exact(*statement));
    if (same == known.end()) continue;
    before[same->second] = nullptr;
    statement = nullptr;
    known.erase(same);
  }
  std::erase(before, nullptr);
  std::erase(after, nullptr);
  pair_up(outer, std::move(before), after);
}

/// Of what is left, the first of the same arguments is the same thing with other contents.
void Differ::pair_up(const std::string& outer, Statements before, const Statements& after) {
  Statements added;
  for (const DumpStatement* now : after) {
    const auto old = std::ranges::find_if(
        before, [&](const DumpStatement* other) { return exact(other->arguments()) == exact(now->arguments()); });
    if (old == before.end()) {
      added.push_back(now);
      continue;
    }
    const std::string name = name_of(outer, *now);
    if (now->shape() == Shape::kList) {
      compare_lists(name, {}, *old, now);
    } else {
      compare(name, (*old)->block(), now->block());
    }
    before.erase(old);
  }
  for (const DumpStatement* old : before) add(Change::Kind::kRemoved, name_of(outer, *old));
  for (const DumpStatement* now : added) add(Change::Kind::kAdded, name_of(outer, *now));
}

// --- virtual servers

/// What makes a virtual server the same one.
std::string name_of(const VirtualServer& server) {
  if (!server.group.empty()) {
    return "virtual server group " + server.group + " " + std::string(to_string(server.services.front().key.protocol));
  }
  const Service& service = server.services.front();
  if (service.fwmark != 0) {
    const bool v4 = service.key.endpoint.address.is_v4();
    return "virtual server fwmark " + std::to_string(service.fwmark) + (v4 ? "" : " inet6");
  }
  return "virtual server " + service.key.to_string();
}

/// A virtual server's own part of the document, for one at a time: the document of 2,000 with 20 real servers each
/// would be hundreds of megabytes.
DumpBlock describe_alone(const VirtualServer& server) {
  Model alone;
  alone.virtual_servers.push_back(server);
  DumpBlock file;
  describe_services(alone, file);
  return file;
}

const DumpBlock& inside(const DumpBlock& file) {
  static const DumpBlock kEmpty;
  for (const DumpStatement& statement : file.statements()) {
    if (statement.keyword() == "virtual_server" && statement.present()) return statement.block();
  }
  return kEmpty;
}

void compare_virtual_servers(const Model& before, const Model& after, Differ& differ) {
  std::map<std::string, const VirtualServer*> known;
  for (const VirtualServer& server : before.virtual_servers) known.emplace(name_of(server), &server);
  std::vector<std::string> added;
  for (const VirtualServer& server : after.virtual_servers) {
    std::string name = name_of(server);
    const auto old = known.find(name);
    if (old == known.end()) {
      added.push_back(std::move(name));
      continue;
    }
    if (*old->second != server)
      differ.compare(name, inside(describe_alone(*old->second)), inside(describe_alone(server)));
    known.erase(old);
  }
  for (const VirtualServer& server : before.virtual_servers) {
    if (const std::string name = name_of(server); known.contains(name)) differ.add(Change::Kind::kRemoved, name);
  }
  for (const std::string& name : added) differ.add(Change::Kind::kAdded, name);
}

/// All of the document but the virtual servers. Groups and firewall marks are told by those that use them.
DumpBlock describe_rest(const Model& model) {
  Model rest = model;
  std::erase_if(rest.virtual_servers, [](const VirtualServer& server) {
    return server.group.empty() && server.services.front().fwmark == 0;
  });
  for (VirtualServer& server : rest.virtual_servers) server.real_servers.clear();
  return describe(rest);
}

}  // namespace

std::string_view to_string(Change::Kind kind) {
  switch (kind) {
    case Change::Kind::kAdded: return "added";
    case Change::Kind::kChanged: return "changed";
    case Change::Kind::kRemoved: return "removed";
  }
  return "?";
}

std::string Change::to_string() const {
  std::string text = std::string(config::to_string(kind)) + ": " + what;
  return detail.empty() ? text : text + ": " + detail;
}

std::vector<Change> diff(const Model& before, const Model& after) {
  if (before == after) return {};
  Differ differ;
  differ.compare({}, describe_rest(before), describe_rest(after));
  compare_virtual_servers(before, after, differ);
  return differ.take();
}

}  // namespace lbdp::config
