// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

namespace lbdp::packet_tests {

/// The Internet checksum (RFC 1071), host order; 0 over data that has its right checksum in it.
[[nodiscard]] uint16_t checksum(const uint8_t* data, size_t length, uint32_t initial = 0);
/// SCTP's CRC32c (RFC 9260, appendix A), to be stored with its lowest byte first.
[[nodiscard]] uint32_t crc32c(const uint8_t* data, size_t length);

}  // namespace lbdp::packet_tests
