// SPDX-License-Identifier: BSD-2-Clause
#include "config/values.h"

#include <net/if.h>

#include <algorithm>
#include <bit>

namespace lbdp::config {
namespace {

constexpr size_t kLongestText = 1024;
constexpr size_t kMicrosecondDigits = 6;
constexpr size_t kMostSecondsDigits = 12;  // far above any limit, far below overflow

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_blank_or_control(char c) {
  return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
}

}  // namespace

bool parse_seconds(std::string_view text, Duration& value) {
  const size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = point < text.size() ? text.substr(point + 1) : std::string_view();
  if (whole.empty() && fraction.empty()) return false;
  if (whole.size() > kMostSecondsDigits) return false;
  if (!std::ranges::all_of(whole, is_digit) || !std::ranges::all_of(fraction, is_digit)) return false;
  int64_t microseconds = 0;
  for (const char c : whole) microseconds = microseconds * 10 + (c - '0');
  for (size_t i = 0; i < kMicrosecondDigits; ++i) {
    microseconds = microseconds * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  }
  value = Duration(microseconds);
  return true;
}

std::string seconds_text(Duration value) {
  std::string text = std::to_string(value.count() / 1'000'000);
  std::string fraction = std::to_string(value.count() % 1'000'000);
  if (fraction == "0") return text;
  fraction.insert(0, kMicrosecondDigits - fraction.size(), '0');
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return text + "." + fraction;
}

Result<Duration> short_interval(std::string_view text) {
  std::string_view digits = text;
  int64_t divisor = 1;
  if (digits.ends_with("us")) {
    divisor = 1'000'000;
  } else if (digits.ends_with("ms")) {
    divisor = 1'000;
  }
  if (divisor > 1) {
    digits.remove_suffix(2);
  } else if (digits.ends_with('s')) {
    digits.remove_suffix(1);
  }
  Duration value{};
  if (parse_seconds(digits, value) && value / divisor <= std::chrono::seconds(1)) return value / divisor;
  return fail("wanted a time from 0 to 1s, such as '50us', '1ms', '0.1s' or '0.001'");
}

Result<bool> boolean(std::string_view text) {
  if (text == "on" || text == "true" || text == "yes") return true;
  if (text == "off" || text == "false" || text == "no") return false;
  return fail("wanted on, off, true, false, yes or no");
}

Result<std::string> text(std::string_view text) {
  if (text.empty()) return fail("wanted a text that is not empty");
  if (text.size() > kLongestText) return fail("wanted at most " + std::to_string(kLongestText) + " characters");
  return std::string(text);
}

Result<std::string> name(std::string_view text) {
  if (text.empty() || text.size() > kLongestText || std::ranges::any_of(text, is_blank_or_control)) {
    return fail("wanted one name without blanks, of at most " + std::to_string(kLongestText) + " characters");
  }
  return std::string(text);
}

Result<std::string> interface_name(std::string_view text) {
  // The kernel's rule, dev_valid_name().
  const bool valid = !text.empty() && text.size() < IFNAMSIZ && text != "." && text != ".." &&
                     std::ranges::none_of(text, [](char c) { return is_blank_or_control(c) || c == '/' || c == ':'; });
  if (!valid) {
    return fail("wanted an interface name of 1 to " + std::to_string(IFNAMSIZ - 1) +
                " characters without blanks, '/' and ':'");
  }
  return std::string(text);
}

Result<std::string> url_path(std::string_view text) {
  if (!text.starts_with('/') || text.size() > kLongestText || std::ranges::any_of(text, is_blank_or_control)) {
    return fail("wanted a path that starts with '/', without blanks, of at most " + std::to_string(kLongestText) +
                " characters");
  }
  return std::string(text);
}

Result<std::string> host_header(std::string_view text) {
  constexpr size_t kLongestHost = 261;  // RFC 1035 section 2.3.4: 255 octets; and ":65535"
  if (text.empty() || text.size() > kLongestHost || std::ranges::any_of(text, is_blank_or_control)) {
    return fail("wanted a host name, as it is to stand in the request's Host header");
  }
  return std::string(text);
}

Result<IpAddress> address(std::string_view text) {
  auto parsed = IpAddress::parse(text);
  if (!parsed) return fail("wanted a numeric IPv4 or IPv6 address");
  return parsed;
}

Result<IpAddress> ipv4_multicast(std::string_view text) {
  auto parsed = IpAddress::parse(text);
  if (!parsed || !parsed->is_v4() || !parsed->is_multicast()) {
    return fail("wanted an IPv4 multicast address (224.0.0.0 to 239.255.255.255)");
  }
  return parsed;
}

Result<IpPrefix> prefix(std::string_view text) {
  auto parsed = IpPrefix::parse(text);
  if (!parsed) return fail("wanted ADDRESS or ADDRESS/LENGTH, IPv4 or IPv6");
  return parsed;
}

bool equal_without_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

Result<Protocol> protocol(std::string_view text) {
  for (const Protocol protocol : {Protocol::kTcp, Protocol::kUdp, Protocol::kSctp}) {
    if (equal_without_case(text, to_string(protocol))) return protocol;
  }
  return fail("wanted TCP, UDP or SCTP");
}

Result<uint32_t> fwmark(std::string_view text) {
  return number<uint32_t, 1>(text);
}

Result<uint8_t> netmask_length(std::string_view text) {
  const auto mask = IpAddress::parse(text);
  const uint32_t bits = mask && mask->is_v4() ? mask->v4().host() : 0;
  if (bits == 0 || std::countl_one(bits) != std::popcount(bits)) {
    return fail("wanted a netmask from 128.0.0.0 to 255.255.255.255 whose ones are all on the left");
  }
  return static_cast<uint8_t>(std::popcount(bits));
}

Result<HttpUrl::StatusRange> status_range(std::string_view text) {
  const size_t dash = text.find('-');
  const auto first = number<uint16_t, 100, 599>(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : number<uint16_t, 100, 599>(text.substr(dash + 1));
  if (!first || !last || *first > *last) return fail("wanted a status code from 100 to 599 or a range such as 200-299");
  return HttpUrl::StatusRange{*first, *last};
}

}  // namespace lbdp::config
