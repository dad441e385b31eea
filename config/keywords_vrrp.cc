// SPDX-License-Identifier: BSD-2-Clause
#include "config/keywords.h"
#include "config/setters.h"

namespace lbdp::config {
namespace {

constexpr int64_t kSecond = 1'000'000;

Result<VrrpInstance::State> state(std::string_view text) {
  if (text == "MASTER") return VrrpInstance::State::kMaster;
  if (text == "BACKUP") return VrrpInstance::State::kBackup;
  return fail("wanted MASTER or BACKUP");
}

Result<AuthType> auth_type(std::string_view text) {
  if (text == "PASS") return AuthType::kPass;
  if (text == "AH") return fail("wanted PASS: AH is not supported");
  return fail("wanted PASS");
}

void take_virtual_address(void* scope, const Statement& entry, Context& context) {
  auto& instance = *static_cast<VrrpInstanceSpec*>(scope);
  instance.names_address = true;
  const auto words = entry.words();
  const auto parsed = prefix(words[0].text);
  if (!parsed) {
    context.diagnostics.error(words[0].place,
                              "virtual_ipaddress: found " + in_quotes(words[0].text) + ", " + parsed.error().message);
    return;
  }
  if (words.size() > 1) {
    context.diagnostics.error(
        words[1].place, "virtual_ipaddress: " + in_quotes(words[1].text) + " after the address is not supported yet");
    return;
  }
  instance.virtual_ipaddress.push_back({*parsed, words[0].place});
}

/// auth_pass PASSWORD; the messages do not repeat it.
void* take_auth_pass(void* scope, const Statement& statement, Context& context) {
  const auto arguments = statement.arguments();
  std::optional<std::string> value;
  if (arguments.size() == 1 && !arguments[0].text.empty()) {
    value = std::string(arguments[0].text);
  } else {
    context.diagnostics.error(statement.place(),
                              "'auth_pass' takes one password that is not empty; put one with blanks "
                              "in quotes");
  }
  assign(static_cast<VrrpInstanceSpec*>(scope)->auth_pass, value, statement, context);
  return nullptr;
}

using V = VrrpInstanceSpec;
constexpr Block kVirtualAddressBlock{"virtual_ipaddress", {}, take_virtual_address};

constexpr Keyword kAuthenticationKeywords[] = {
    {"auth_type", "PASS", "", "The kind of authentication: a password in clear text, as in RFC 2338. AH is refused.",
     one<V, &V::auth_type, auth_type>},
    {"auth_pass", "PASSWORD", "",
     "The password. Only its first eight characters count; it protects against mistakes, not against attackers.",
     take_auth_pass},
};
constexpr Block kAuthenticationBlock{"authentication", {kAuthenticationKeywords}};

constexpr Keyword kKeywords[] = {
    {"state", "MASTER|BACKUP", "BACKUP",
     "The state to expect at start: a hint, the priority decides. MASTER clears nopreempt and preempt_delay, and "
     "without a "
     "priority sets it to 255.",
     one<V, &V::state, state>},
    {"interface", "NAME", "required", "The interface that advertisements and virtual addresses belong to.",
     one<V, &V::interface, interface_name>},
    {"virtual_router_id", "1..255", "required", "The VRID; unique on its interface.",
     one<V, &V::virtual_router_id, number<uint8_t, 1, 255>>},
    {"priority", "1..255", "100", "The highest priority becomes MASTER. 255 is the owner of the addresses.",
     one<V, &V::priority, number<uint8_t, 1, 255>>},
    {"advert_int", "SECONDS", "1",
     "The interval of advertisements, 1 to 255 s. VRRP version 2 knows whole seconds only; others are rounded.",
     one<V, &V::advert_int, seconds<1, 255 * kSecond>>},
    {"authentication", "{ ... }", "none", "A password in every advertisement.", same_scope, &kAuthenticationBlock},
    {"virtual_ipaddress", "{ ADDRESS[/LENGTH] ... }", "required",
     "The virtual addresses, one a line; without a length /32. They are advertised, and on the interface while MASTER.",
     same_scope, &kVirtualAddressBlock},
    {"nopreempt", "", "preempt",
     "Leave a MASTER of lower priority alone. Needs state BACKUP; the owner (priority 255) always preempts.",
     constant<V, &V::preempt, false>},
    {"preempt", "", "preempt", "The default: take over from a MASTER of lower priority.",
     constant<V, &V::preempt, true>},
    {"preempt_delay", "SECONDS", "0",
     "How long to leave a MASTER of lower priority alone after the start, 0 to 1000 s. Needs state BACKUP and preempt.",
     one<V, &V::preempt_delay, seconds<0, 1000 * kSecond>>},
    {"smtp_alert", "[BOOL]", "smtp_alert_vrrp, then smtp_alert of global_defs, then off",
     "Whether transitions of this instance are mailed.", flag<V, &V::smtp_alert>},
};

}  // namespace

constinit const Block kVrrpInstanceBlock{"vrrp_instance", {kKeywords}};

}  // namespace lbdp::config
