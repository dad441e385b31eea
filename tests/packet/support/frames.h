// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/types/mac_address.h"

namespace lbdp::packet_tests {

using Bytes = std::vector<uint8_t>;

/// A frame in words; bytes() writes it out, with right lengths and checksums unless told otherwise.
struct Frame {
  std::string dst_mac = "02:00:00:00:00:a0";  // port 0
  std::string src_mac = "02:00:00:00:00:c1";  // the client
  std::optional<uint16_t> vlan_tci;
  uint16_t ether_type = 0x0800;
  std::string src = "10.0.0.1";
  std::string dst = "192.0.2.10";
  uint8_t protocol = 6;
  uint16_t sport = 40000;
  uint16_t dport = 80;
  uint8_t tcp_flags = 0x02;
  std::string payload;
  Bytes ip_options;  // padded to a multiple of four by the caller
  uint8_t tos = 0;
  uint8_t ttl = 64;
  uint16_t fragment_field = 0;  // flags and offset
  size_t pad_to = 60;           // Ethernet's minimum, without FCS
  uint8_t pad_byte = 0;
  std::optional<uint8_t> version_ihl;
  std::optional<uint16_t> total_length;
  bool wrong_checksums = false;
  std::optional<size_t> cut_to;  // the frame ends here

  [[nodiscard]] Bytes bytes() const;
};

inline constexpr uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10;

[[nodiscard]] Frame tcp(const std::string& client, uint16_t port, uint8_t flags);
[[nodiscard]] Frame udp(const std::string& client, uint16_t port);
/// An Ethernet frame with this EtherType and payload.
[[nodiscard]] Bytes ethernet(const std::string& dst_mac, uint16_t ether_type, const Bytes& payload);
[[nodiscard]] MacAddress mac(const std::string& text);
[[nodiscard]] uint16_t checksum(const uint8_t* data, size_t length, uint32_t initial = 0);
[[nodiscard]] std::string hex(const Bytes& bytes);

}  // namespace lbdp::packet_tests
