// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/endpoint.h"

namespace lbdp::control {

/// What an alert says. The body's lines end in '\n'.
struct MailText {
  std::string subject{};
  std::string body{};
};

/// keepalived's alert for a real server, with the check's reason as a second line. `checker` is the type of the checker
/// that decided ("HTTP_GET", "TCP_CHECK").
[[nodiscard]] MailText real_server_mail(std::string_view router_id, const RealServerKey& key, bool up,
                                        std::string_view checker, std::string_view reason);

/// keepalived's alert for a VRRP transition; `state` is "MASTER", "BACKUP" or "FAULT".
[[nodiscard]] MailText vrrp_mail(std::string_view router_id, std::string_view instance, std::string_view state);

/// The address alone, for the envelope: "a@b" from "a@b" or "Name <a@b>". Empty if it has what must not stand in an
/// SMTP command: blanks, control characters, angle brackets.
[[nodiscard]] std::string envelope_address(std::string_view text);

/// The whole message as it goes over the wire after DATA (RFC 5321 section 4.5.2, RFC 5322): CRLF line ends, dots
/// stuffed, no line over 998 octets, closed by "." on a line. Whatever the texts hold, they add no header field.
[[nodiscard]] std::string smtp_data(std::string_view from, const std::vector<std::string>& to, const MailText& text,
                                    std::time_t now);

}  // namespace lbdp::control
