// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What the files of VRRP's rows share: the rows that vrrp_instance and vrrp_sync_group both have, and setters.

#include <string>

#include "config/keywords.h"
#include "config/setters.h"

namespace lbdp::config {

// Lists; each scope is what the name says.
extern const Block kVirtualAddressBlock;   // AddressListSpec
extern const Block kExcludedAddressBlock;  // AddressListSpec
extern const Block kVirtualRouteBlock;     // RouteListSpec
extern const Block kVirtualRuleBlock;      // RuleListSpec
extern const Block kUnicastPeerBlock;      // UnicastPeerListSpec

/// ±253: interfaces, scripts, BFD.
inline constexpr int kMostTrackWeight = 253;
/// ±254: files and processes, so that -254 takes an instance to FAULT whatever its priority.
inline constexpr int kMostFileWeight = 254;

/// keepalived counts some times in whole seconds; up to what 32 bits of microseconds hold.
inline constexpr uint32_t kMostWholeSeconds = 4294;
/// Of refreshes.
inline constexpr uint32_t kSecondsOfADay = 86400;
template <uint32_t kLeast, uint32_t kMost = kMostWholeSeconds>
Result<Duration> whole_seconds(std::string_view text) {
  const auto value = number<uint32_t, kLeast, kMost>(text);
  if (value) return std::chrono::seconds(*value);
  return fail("wanted whole seconds from " + std::to_string(kLeast) + " to " + std::to_string(kMost));
}

/// A whole number from -kMost to kMost, with or without a sign.
template <int kMost>
Result<int> weight_number(std::string_view text) {
  const bool plus = text.size() > 1 && text[0] == '+' && text[1] != '-';
  return number<int, -kMost, kMost>(plus ? text.substr(1) : text);
}

/// weight N [reverse|noreverse] of a definition.
void* take_weight(Setting<WeightSpec>& setting, Result<int> (*read)(std::string_view), const Statement& statement,
                  Context& context);
template <class Scope, auto kMember, int kMost>
void* weight(void* scope, const Statement& statement, Context& context) {
  return take_weight(static_cast<Scope*>(scope)->*kMember, weight_number<kMost>, statement, context);
}

/// For keywords without effect: a value that is checked and dropped.
template <auto kRead>
void* checked(void*, const Statement& statement, Context& context) {
  if (!expect_arguments(statement, 1, 1, context)) return nullptr;
  const auto read = kRead(statement.arguments()[0].text);
  if (!read) report_value(statement, statement.arguments()[0], read.error(), context);
  return nullptr;
}

/// For keywords without effect, whose arguments keepalived does not look at.
void* nothing(void* scope, const Statement& statement, Context& context);

/// A list block whose lines go into a member, which the list's entry function gets.
template <class Scope, auto kMember>
void* list_scope(void* scope, const Statement& statement, Context& context) {
  expect_arguments(statement, 0, 0, context);
  auto& list = static_cast<Scope*>(scope)->*kMember;
  if constexpr (requires { list.seen; }) {
    if (!list.seen) list.place = statement.place();
    list.seen = true;
  }
  return &list;
}

/// Says that a keyword is the old name of another.
void note_old_name(const Statement& statement, std::string_view name, Context& context);

/// use_vmac [NAME] [MAC]
void* take_use_vmac(void* scope, const Statement& statement, Context& context);

/// Where a row's effect says "not yet" and the director refuses to start with it.
inline constexpr std::string_view kNoStart = "lbdp does not start with it";

}  // namespace lbdp::config
