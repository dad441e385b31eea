// SPDX-License-Identifier: BSD-2-Clause
#include "config/dump.h"

namespace lbdp::config {
namespace {

std::string to_string(const HttpUrl::StatusRange& range) {
  const std::string first = std::to_string(range.first);
  return range.first == range.last ? first : first + "-" + std::to_string(range.last);
}

void describe_common(const CheckTiming& timing, const Endpoint& connect, DumpBlock& block) {
  block.set("connect_ip", connect.address);
  block.set("connect_port", connect.port);
  block.set("delay_loop", timing.delay_loop);
  block.set("connect_timeout", timing.connect_timeout);
  block.set("retry", timing.retry);
  block.set("delay_before_retry", timing.delay_before_retry);
  block.set("warmup", timing.warmup);
}

void describe_url(const HttpUrl& url, DumpBlock& block) {
  block.set("path", url.path);
  std::vector<DumpArgument> codes;
  for (const auto& range : url.status_code) codes.emplace_back(to_string(range));
  block.words("status_code", codes);
  block.set("virtualhost", or_nothing(url.virtualhost));
}

void describe_checker(const TcpCheck& check, DumpBlock& block) {
  describe_common(check.timing, check.connect, block.many("TCP_CHECK"));
}

void describe_checker(const HttpGet& check, DumpBlock& block) {
  DumpBlock& http = block.many("HTTP_GET");
  describe_common(check.timing, check.connect, http);
  for (const HttpUrl& url : check.urls) describe_url(url, http.many("url"));
}

}  // namespace

void describe_checks(const RealServer& server, DumpBlock& block) {
  for (const auto keyword : {"TCP_CHECK", "HTTP_GET"}) block.none_yet(keyword);
  for (const Checker& checker : server.checkers) {
    std::visit([&](const auto& check) { describe_checker(check, block); }, checker);
  }
}

}  // namespace lbdp::config
