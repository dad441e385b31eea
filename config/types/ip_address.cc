// SPDX-License-Identifier: BSD-2-Clause
#include "config/types/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <ranges>

namespace lbdp {

IpAddress IpAddress::v4(Be<uint32_t> address) {
  IpAddress a;
  const uint32_t raw = address.raw();
  std::memcpy(a.bytes_.data(), &raw, sizeof raw);
  return a;
}

IpAddress IpAddress::v6(std::span<const uint8_t, 16> address) {
  IpAddress a;
  a.family_ = Family::kIpv6;
  std::ranges::copy(address, a.bytes_.begin());
  return a;
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string zero_terminated(text);
  // inet_pton() would stop at a zero byte and take what stands before it.
  if (text.find('\0') != std::string_view::npos) return fail("an address with a zero byte in it");
  IpAddress a;
  if (inet_pton(AF_INET, zero_terminated.c_str(), a.bytes_.data()) == 1) return a;
  a.family_ = Family::kIpv6;
  if (inet_pton(AF_INET6, zero_terminated.c_str(), a.bytes_.data()) == 1) return a;
  return fail("'" + zero_terminated + "' is not an IPv4 or IPv6 address");
}

Be<uint32_t> IpAddress::v4() const {
  uint32_t raw = 0;
  std::memcpy(&raw, bytes_.data(), sizeof raw);
  return Be<uint32_t>::from_raw(raw);
}

bool IpAddress::is_multicast() const {
  return is_v4() ? (bytes_[0] & 0xf0) == 0xe0 : bytes_[0] == 0xff;
}

bool IpAddress::is_unspecified() const {
  return std::ranges::all_of(bytes(), [](uint8_t b) { return b == 0; });
}

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes_.data(), text.data(), text.size());
  return text.data();
}

Result<IpPrefix> IpPrefix::parse(std::string_view text) {
  const size_t slash = text.find('/');
  auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return tl::unexpected(address.error());
  const uint8_t longest = address->is_v4() ? 32 : 128;
  IpPrefix prefix{*address, longest};
  if (slash == std::string_view::npos) return prefix;
  const std::string_view digits = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (ec != std::errc{} || end != digits.data() + digits.size() || length > longest) {
    return fail("'" + std::string(digits) + "' is not a prefix length from 0 to " + std::to_string(longest));
  }
  prefix.length = static_cast<uint8_t>(length);
  return prefix;
}

std::string IpPrefix::to_string() const {
  return address.to_string() + "/" + std::to_string(length);
}

}  // namespace lbdp

size_t std::hash<lbdp::IpAddress>::operator()(const lbdp::IpAddress& a) const noexcept {
  const auto bytes = a.bytes();
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}
