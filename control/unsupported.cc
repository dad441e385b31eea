// SPDX-License-Identifier: BSD-2-Clause
#include "control/unsupported.h"

#include <algorithm>
#include <string>
#include <vector>

namespace lbdp::control {
namespace {

using config::VirtualAddress;
using config::VrrpInstance;

struct Rule {
  bool (*broken)(const VrrpInstance& instance);
  const char* reason;
};

/// The address is to be put where or how we cannot yet.
bool needs_more(const VirtualAddress& address, const std::string& interface) {
  const bool elsewhere = !address.dev.empty() && address.dev != interface;
  return elsewhere || address.use_vmac || address.peer || address.scope != config::kScopeGlobal;
}

constexpr Rule kRules[] = {
    {[](const VrrpInstance& i) { return i.unicast_fault_no_peer && i.unicast_peers.empty(); },
     "unicast_fault_no_peer without a peer"},
    {[](const VrrpInstance& i) { return i.use_vmac || i.use_vmac_addr; }, "virtual MAC addresses (use_vmac)"},
    {[](const VrrpInstance& i) {
       const auto more = [&](const auto& held) { return needs_more(held, i.interface); };
       return std::ranges::any_of(i.virtual_ipaddress, more) || std::ranges::any_of(i.virtual_ipaddress_excluded, more);
     },
     "a virtual address with dev of another interface, scope, peer or use_vmac"},
    {[](const VrrpInstance& i) { return !i.virtual_routes.empty(); }, "virtual_routes"},
    {[](const VrrpInstance& i) { return !i.virtual_rules.empty(); }, "virtual_rules"},
};

}  // namespace

Result<void> check_supported(const config::Model& model) {
  std::string text;
  for (const auto& instance : model.vrrp_instances) {
    for (const Rule& rule : kRules) {
      if (!rule.broken(instance)) continue;
      text += "\n" + instance.where.to_string() + ": vrrp_instance '" + instance.name + "': " + rule.reason;
    }
  }
  if (text.empty()) return {};
  return fail("the file is good, but lbdp cannot do all of it yet, and must not leave out:" + text);
}

}  // namespace lbdp::control
