// SPDX-License-Identifier: BSD-2-Clause
#include "config/model_checks.h"

namespace lbdp::config {
namespace {

struct KeywordOf {
  std::string_view operator()(const TcpCheck&) const { return "TCP_CHECK"; }
  std::string_view operator()(const HttpGet&) const { return "HTTP_GET"; }
  std::string_view operator()(const SslGet&) const { return "SSL_GET"; }
  std::string_view operator()(const SmtpCheck&) const { return "SMTP_CHECK"; }
  std::string_view operator()(const DnsCheck&) const { return "DNS_CHECK"; }
  std::string_view operator()(const UdpCheck&) const { return "UDP_CHECK"; }
  std::string_view operator()(const PingCheck&) const { return "PING_CHECK"; }
  std::string_view operator()(const MiscCheck&) const { return "MISC_CHECK"; }
  std::string_view operator()(const FileCheck&) const { return "FILE_CHECK"; }
  std::string_view operator()(const BfdCheck&) const { return "BFD_CHECK"; }
};

}  // namespace

std::string_view keyword_of(const Checker& checker) {
  return std::visit(KeywordOf{}, checker);
}

bool has_alpha(const Checker& checker) {
  return std::visit(
      [](const auto& check) {
        if constexpr (requires { check.alpha; }) {
          return check.alpha;
        } else {
          return false;
        }
      },
      checker);
}

}  // namespace lbdp::config
