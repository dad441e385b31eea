// SPDX-License-Identifier: BSD-2-Clause
#include "control/mail_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace lbdp::control {
namespace {

constexpr size_t kMaxLine = 998;   // octets without CRLF, RFC 5322 section 2.1.1
constexpr size_t kFoldAfter = 78;  // the same section's wish

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// One line whatever was in it.
std::string header_value(std::string_view text) {
  std::string value(text.substr(0, kMaxLine - 20));
  std::replace_if(value.begin(), value.end(), is_control, ' ');
  return value;
}

std::string recipients(const std::vector<std::string>& to) {
  std::string field;
  size_t column = 4;
  for (const auto& address : to) {
    const auto value = header_value(address);
    if (!field.empty()) {
      const bool fold = column + value.size() > kFoldAfter;
      field += fold ? ",\r\n " : ", ";
      column = fold ? 1 : column + 2;
    }
    field += value;
    column += value.size();
  }
  return field;
}

/// RFC 5322 section 3.3, in UTC and whatever the locale is.
std::string date(std::time_t now) {
  static constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm t{};
  gmtime_r(&now, &t);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000", kDays[static_cast<size_t>(t.tm_wday)], t.tm_mday,
                     kMonths[static_cast<size_t>(t.tm_mon)], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

void append_body_line(std::string& data, std::string_view line) {
  do {
    const auto part = line.substr(0, kMaxLine - 1);  // one octet for a stuffed dot
    line.remove_prefix(part.size());
    if (part.starts_with('.')) {
      data += '.';
    }
    for (const char c : part) {
      data += is_control(c) && c != '\t' ? ' ' : c;
    }
    data += "\r\n";
  } while (!line.empty());
}

void append_body(std::string& data, std::string_view body) {
  while (!body.empty()) {
    const auto end = std::min(body.find('\n'), body.size());
    auto line = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    append_body_line(data, line);
  }
}

std::string_view real_server_event(bool up, std::string_view checker) {
  if (checker == "TCP_CHECK") {
    return up ? "=> TCP CHECK succeed on service <=" : "=> TCP CHECK failed on service <=";
  }
  return up ? "=> CHECK succeed on service <=" : "=> CHECK failed on service : HTTP request failed <=";
}

}  // namespace

MailText real_server_mail(std::string_view router_id, const RealServerKey& key, bool up, std::string_view checker,
                          std::string_view reason) {
  MailText text;
  text.subject = fmt::format("[{}] Realserver {} of virtual server {} - {}", router_id,
                             keepalived_name(key.service.protocol, key.real),
                             keepalived_name(key.service.protocol, key.service.endpoint), up ? "UP" : "DOWN");
  text.body = fmt::format("{}\n", real_server_event(up, checker));
  if (!reason.empty()) {
    text.body += fmt::format("{}\n", reason);
  }
  return text;
}

MailText vrrp_mail(std::string_view router_id, std::string_view instance, std::string_view state) {
  const std::string_view event = state == "MASTER" ? "=> VRRP Instance is now owning VRRP VIPs <="
                                                   : "=> VRRP Instance is no longer owning VRRP VIPs <=";
  return {.subject = fmt::format("[{}] VRRP Instance {} - Entering {} state", router_id, instance, state),
          .body = fmt::format("{}\n", event)};
}

std::string envelope_address(std::string_view text) {
  if (const auto open = text.find('<'); open != std::string_view::npos && text.ends_with('>')) {
    text = text.substr(open + 1, text.size() - open - 2);
  }
  const bool bad =
      std::any_of(text.begin(), text.end(), [](char c) { return is_control(c) || c == ' ' || c == '<' || c == '>'; });
  return bad ? std::string() : std::string(text);
}

std::string smtp_data(std::string_view from, const std::vector<std::string>& to, const MailText& text,
                      std::time_t now) {
  std::string data = fmt::format("Date: {}\r\nFrom: {}\r\nTo: {}\r\nSubject: {}\r\nX-Mailer: lbdp\r\n\r\n", date(now),
                                 header_value(from), recipients(to), header_value(text.subject));
  append_body(data, text.body);
  return data + ".\r\n";
}

}  // namespace lbdp::control
