// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The reference model's parser: the rules for frames once more, for reading and not for speed.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lbdp::model {

using Bytes = std::vector<uint8_t>;
/// Four or sixteen bytes in network order.
using Address = std::string;

/// A frame as a port hands it over.
struct Arrival {
  Bytes bytes;
  size_t first_segment = 0;              // so many bytes lie in the first segment of the buffer
  std::optional<uint16_t> stripped_tci;  // the VLAN tag that the driver took out
  bool no_headroom = false;
};

/// What a frame is, and what the rules need to know of it.
struct Reading {
  enum class Kind { kDrop, kPunt, kFlow, kFragment, kIcmpError };
  Kind kind = Kind::kDrop;
  std::string word;  // of kDrop the reason, of kPunt the class
  bool to_our_mac = false;
  bool is_ip = false;  // all below holds if it is
  bool v6 = false;
  Address source, destination;
  unsigned protocol = 0;
  unsigned source_port = 0, destination_port = 0;  // of kFlow
  std::string event;                               // of kFlow: "syn", "fin", ... of TCP, "INIT", ... of SCTP
  bool opens = false;                              // of kFlow: may it begin a connection?
  size_t l3 = 0, l4 = 0;                           // offsets
  size_t ip_length = 0;
  bool first_fragment = false;
  uint32_t fragment_id = 0;
  bool dont_fragment = false;
};

[[nodiscard]] Reading read_frame(const Arrival& arrival, const std::string& our_mac);

/// The class of TCP, UDP or SCTP for the kernel.
[[nodiscard]] std::string punt_class_of_ports(unsigned protocol, unsigned source, unsigned destination);

/// The connection that an ICMP error is about.
struct Quote {
  unsigned protocol = 0;
  Address client, virtual_address;
  unsigned client_port = 0, virtual_port = 0;
};
/// None: the error is about no TCP, UDP or SCTP packet of its destination.
[[nodiscard]] std::optional<Quote> read_quote(const Bytes& frame, const Reading& reading);
[[nodiscard]] bool icmp_checksum_good(const Bytes& frame, const Reading& reading);

/// RFC 1071, over bytes that may be preceded by others of which the sum is known.
[[nodiscard]] unsigned internet_checksum(const Bytes& bytes);

}  // namespace lbdp::model
