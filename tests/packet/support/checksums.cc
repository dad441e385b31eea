// SPDX-License-Identifier: BSD-2-Clause
#include "tests/packet/support/checksums.h"

namespace lbdp::packet_tests {

uint16_t checksum(const uint8_t* data, size_t length, uint32_t initial) {
  uint32_t sum = initial;
  for (size_t i = 0; i < length; ++i) sum += i % 2 == 0 ? static_cast<uint32_t>(data[i]) << 8 : data[i];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

uint32_t crc32c(const uint8_t* data, size_t length) {
  constexpr uint32_t kReversedPolynomial = 0x82f63b78;
  uint32_t crc = ~uint32_t{0};
  for (size_t i = 0; i < length; ++i) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kReversedPolynomial : 0);
  }
  return ~crc;
}

}  // namespace lbdp::packet_tests
