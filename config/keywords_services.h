// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What the tables of virtual server and real server share.

#include "config/setters.h"

namespace lbdp::config {

inline constexpr int kMostWeight = std::numeric_limits<int>::max();

/// The first argument as a forwarding method. NAT and TUN are refused, whatever options follow them.
std::optional<LbKind> read_lb_kind(const Statement& statement, Context& context);

template <class Scope, auto kMember>
void* take_lb_kind(void* scope, const Statement& statement, Context& context) {
  assign(static_cast<Scope*>(scope)->*kMember, read_lb_kind(statement, context), statement, context);
  return nullptr;
}

/// ADDRESS [PORT], port 0 if there is none. None: something is wrong, and reported.
std::optional<Endpoint> read_endpoint(const Statement& statement, Context& context);

/// A command that runs at a transition, and the account that it runs under.
std::optional<CommandLine> read_notify(const Statement& statement, Context& context);

template <class Scope, auto kMember>
void* take_notify(void* scope, const Statement& statement, Context& context) {
  assign_first(static_cast<Scope*>(scope)->*kMember, read_notify(statement, context), statement, context);
  return nullptr;
}

}  // namespace lbdp::config
