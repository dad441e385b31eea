// SPDX-License-Identifier: BSD-2-Clause
#include "config/address_range.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

namespace lbdp::config {
namespace {

using Bytes = std::array<uint8_t, 16>;

Bytes bytes_of(const IpAddress& address) {
  Bytes bytes{};
  std::ranges::copy(address.bytes(), bytes.begin());
  return bytes;
}

IpAddress address_of(const Bytes& bytes, Family family) {
  if (family == Family::kIpv6) return IpAddress::v6(bytes);
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | bytes[i];
  return IpAddress::v4(Be<uint32_t>::from_host(value));
}

/// The address `offset` further on; the callers know that it exists.
IpAddress plus(const IpAddress& address, uint32_t offset) {
  Bytes bytes = bytes_of(address);
  uint64_t carry = offset;
  for (size_t i = address.bytes().size(); i-- > 0 && carry > 0;) {
    carry += bytes[i];
    bytes[i] = static_cast<uint8_t>(carry);
    carry >>= 8;
  }
  return address_of(bytes, address.family());
}

/// From `first` to `last`; none: not in this order, or more than AddressRange::kMost.
std::optional<uint32_t> count_between(const IpAddress& first, const IpAddress& last) {
  if (last < first) return std::nullopt;
  uint64_t difference = 0;
  for (size_t i = 0; i < first.bytes().size(); ++i) {
    if (difference > AddressRange::kMost) return std::nullopt;  // and it only grows
    difference = difference * 256 + last.bytes()[i] - first.bytes()[i];
  }
  if (difference >= AddressRange::kMost) return std::nullopt;
  return static_cast<uint32_t>(difference) + 1;
}

/// "10" of "192.0.2.1-10": `first` with another end.
std::optional<IpAddress> with_end(const IpAddress& first, std::string_view digits) {
  unsigned end = 0;
  const auto [rest, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), end, first.is_v4() ? 10 : 16);
  if (digits.empty() || ec != std::errc{} || rest != digits.data() + digits.size()) return std::nullopt;
  if (end > (first.is_v4() ? 0xffU : 0xffffU)) return std::nullopt;
  Bytes bytes = bytes_of(first);
  const size_t size = first.bytes().size();
  bytes[size - 1] = static_cast<uint8_t>(end);
  if (!first.is_v4()) bytes[size - 2] = static_cast<uint8_t>(end >> 8);
  return address_of(bytes, first.family());
}

tl::unexpected<Error> wrong_range() {
  return fail("wanted a range whose end is not before its start, of at most " + std::to_string(AddressRange::kMost) +
              " addresses");
}

Result<AddressRange> network(std::string_view text) {
  const auto prefix = IpPrefix::parse(text);
  if (!prefix) return fail("wanted ADDRESS/LENGTH, IPv4 or IPv6");
  const size_t host_bits = prefix->address.bytes().size() * 8 - prefix->length;
  if (host_bits >= 16) return wrong_range();
  const auto bytes = prefix->address.bytes();
  const unsigned end = static_cast<unsigned>(bytes[bytes.size() - 2]) << 8 | bytes.back();
  if ((end & ((1U << host_bits) - 1)) != 0) {
    return fail("wanted the first address of a network of this length, such as 192.0.2.8/29");
  }
  return AddressRange{prefix->address, uint32_t{1} << host_bits};
}

}  // namespace

std::vector<IpAddress> AddressRange::addresses() const {
  std::vector<IpAddress> all;
  all.reserve(count);
  for (uint32_t i = 0; i < count; ++i) all.push_back(plus(first, i));
  return all;
}

Result<AddressRange> address_range(std::string_view text) {
  if (text.find('/') != std::string_view::npos) return network(text);
  const size_t dash = text.find('-');
  const auto first = IpAddress::parse(text.substr(0, dash));
  if (!first) return fail("wanted a numeric IPv4 or IPv6 address, or a range such as 192.0.2.1-10");
  if (dash == std::string_view::npos) return AddressRange{*first, 1};
  const std::string_view end = text.substr(dash + 1);
  std::optional<IpAddress> last = with_end(*first, end);
  if (!last) {
    const auto whole = IpAddress::parse(end);
    if (!whole || whole->family() != first->family()) {
      return fail("wanted a range such as 192.0.2.1-10, 192.0.2.250-192.0.3.10 or 2001:db8::1-ff");
    }
    last = *whole;
  }
  const auto count = count_between(*first, *last);
  if (!count) return wrong_range();
  return AddressRange{*first, *count};
}

}  // namespace lbdp::config
