// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>

#include "config/types/mac_address.h"
#include "config/types/result.h"
#include "dataplane/file_descriptor.h"

namespace lbdp::dataplane {

/// The kernel's stand-in for a DPDK port: a tap interface with the port's name, MAC address, MTU and carrier. It goes
/// when its descriptor is closed, so with the process however that ends. Control thread, but for descriptor().
class Tap {
 public:
  /// Creates the interface in the calling thread's network namespace and brings it up, without carrier yet. Errors: the
  /// name is in use or not allowed, no /dev/net/tun, no CAP_NET_ADMIN, MTU out of range.
  static Result<Tap> create(const std::string& name, const MacAddress& mac, uint16_t mtu);

  [[nodiscard]] const std::string& name() const { return name_; }
  /// The kernel's interface index, in the namespace in which it was created.
  [[nodiscard]] int index() const { return index_; }
  /// Non-blocking; one read or write is one Ethernet frame without FCS. The exception thread's.
  [[nodiscard]] int descriptor() const { return descriptor_.get(); }
  void set_carrier(bool up);

 private:
  Tap(std::string name, FileDescriptor descriptor) : name_(std::move(name)), descriptor_(std::move(descriptor)) {}
  Result<void> configure(const MacAddress& mac, uint16_t mtu);

  std::string name_;
  FileDescriptor descriptor_;
  int index_ = 0;
};

}  // namespace lbdp::dataplane
