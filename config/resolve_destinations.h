// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/diagnostics.h"
#include "config/model.h"
#include "config/spec.h"

namespace lbdp::config {

/// Finds the services that the heads of virtual servers name: addresses, groups, and what the dataplane block says
/// about firewall marks. One for a whole file, since no two virtual servers may serve the same.
class DestinationResolver {
 public:
  DestinationResolver(const FileSpec& spec, Diagnostics& diagnostics);

  /// In the order of the lines; empty: something is wrong, and reported.
  std::vector<Service> resolve(const VirtualServerSpec& spec);
  /// Warns about groups and marks that no virtual server has asked for.
  void report_unused();

 private:
  void check_group(const VirtualServerGroupSpec& group);
  std::vector<Service> of_group(const VirtualServerSpec& spec);
  std::optional<Service> of_mark(uint32_t mark, std::optional<Family> family, Place place,
                                 const VirtualServerSpec& spec);
  std::vector<ServiceKey> mark_keys(const FwmarkSpec& mark, Family family);
  /// The keys of a range that no virtual server has yet.
  std::vector<ServiceKey> claim(const AddressRange& range, Protocol protocol, uint16_t port, Place place, size_t owner);
  bool expand(const AddressRange& range, Place place);

  struct Claim {
    Place place;
    size_t owner;
  };

  Diagnostics& diagnostics_;
  std::map<std::string, const VirtualServerGroupSpec*, std::less<>> groups_;
  std::map<uint32_t, const FwmarkSpec*> marks_;
  std::set<std::string> used_groups_;
  std::set<uint32_t> used_marks_;
  std::map<ServiceKey, Claim> claimed_;
  std::map<std::pair<uint32_t, Family>, Place> claimed_marks_;
  size_t expanded_ = 0;  // addresses, so far
  size_t owner_ = 0;     // a number for the virtual server at hand
};

/// "IPv4" or "IPv6".
[[nodiscard]] std::string_view family_name(Family family);

/// "192.0.2.1:80", "192.0.2.1", "fwmark 7", "group G"; empty if the head was wrong.
[[nodiscard]] std::string to_string(const VirtualServerHead& head);

}  // namespace lbdp::config
