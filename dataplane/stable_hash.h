// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "config/types/endpoint.h"
#include "dataplane/wide_address.h"

// Hashes without a seed: two directors with the same configuration, and one director before and after a restart, must
// send the same client to the same server.
namespace lbdp::dataplane {

/// Spreads all bits of `x` over all bits of the result; one to one (the finalizer of MurmurHash3).
constexpr uint64_t mix64(uint64_t x) noexcept {
  x = (x ^ x >> 33) * 0xff51afd7ed558ccdU;
  x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53U;
  return x ^ x >> 33;
}

/// `salt` tells uses apart: a port, a number of the use.
inline uint64_t stable_hash(const WideAddress& address, uint64_t salt) noexcept {
  return mix64(address.second ^ mix64(address.first + 0x9e3779b97f4a7c15U * (salt + 1)));
}

/// What a real server is told apart by in Maglev tables.
inline uint64_t stable_hash(const Endpoint& endpoint) noexcept {
  return stable_hash(WideAddress::of(endpoint.address), endpoint.port);
}

/// A place below `size` for a hash whose upper bits are good, without division.
constexpr uint32_t place_of(uint32_t hash, uint64_t size) noexcept {
  return static_cast<uint32_t>(uint64_t{hash} * size >> 32);
}

}  // namespace lbdp::dataplane
