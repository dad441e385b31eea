// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// Readers of single values: a word in, a value or "wanted ..." out. The caller adds the place, the keyword and what it
// found.

#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "config/model.h"
#include "config/types/endpoint.h"
#include "config/types/ip_address.h"
#include "config/types/result.h"

namespace lbdp::config {

/// A whole decimal number from kLeast to kMost.
template <class T, T kLeast = std::numeric_limits<T>::min(), T kMost = std::numeric_limits<T>::max()>
Result<T> number(std::string_view text) {
  T value{};
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size() || value < kLeast || value > kMost) {
    return fail("wanted a whole number from " + std::to_string(kLeast) + " to " + std::to_string(kMost));
  }
  return value;
}

/// keepalived's TIMER, "2.5": decimal seconds; decimals beyond the microsecond are cut off. False if it is none.
bool parse_seconds(std::string_view text, Duration& value);
/// "6", "0.5": for the range in a message.
[[nodiscard]] std::string seconds_text(Duration value);

/// A TIMER from kLeastUs to kMostUs microseconds.
template <int64_t kLeastUs, int64_t kMostUs>
Result<Duration> seconds(std::string_view text) {
  Duration value{};
  if (!parse_seconds(text, value) || value.count() < kLeastUs || value.count() > kMostUs) {
    return fail("wanted seconds from " + seconds_text(Duration(kLeastUs)) + " to " + seconds_text(Duration(kMostUs)));
  }
  return value;
}

/// "50us", "1ms", "0.1s"; without a unit: seconds. At most one second.
Result<Duration> short_interval(std::string_view text);
/// ASCII letters only.
[[nodiscard]] bool equal_without_case(std::string_view a, std::string_view b);
/// on off true false yes no
Result<bool> boolean(std::string_view text);
/// Any text that is not empty.
Result<std::string> text(std::string_view text);
/// A name without blanks or control characters.
Result<std::string> name(std::string_view text);
/// A kernel interface name: 1 to 15 characters, none of them '/', ':' or a blank.
Result<std::string> interface_name(std::string_view text);
/// An absolute path of a URL: from '/' on, no blanks or control characters.
Result<std::string> url_path(std::string_view text);
/// A host name or address for a Host header, with or without ":port".
Result<std::string> host_header(std::string_view text);
Result<IpAddress> address(std::string_view text);
Result<IpAddress> ipv4_multicast(std::string_view text);
Result<IpPrefix> prefix(std::string_view text);
/// TCP, UDP or SCTP, in upper or lower case.
Result<Protocol> protocol(std::string_view text);
/// A firewall mark; 0 is none.
Result<uint32_t> fwmark(std::string_view text);
/// The bits of a contiguous netmask such as "255.255.255.0"; at least one.
Result<uint8_t> netmask_length(std::string_view text);
/// "200" or "200-299"; 100 to 599.
Result<HttpUrl::StatusRange> status_range(std::string_view text);

}  // namespace lbdp::config
