// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>

#include "config/dump.h"

namespace lbdp::config {
namespace {

std::string to_string(const HttpUrl::StatusRange& range) {
  const std::string first = std::to_string(range.first);
  return range.first == range.last ? first : first + "-" + std::to_string(range.last);
}

std::string_view to_string(HttpProtocol protocol) {
  switch (protocol) {
    case HttpProtocol::k1_0: return "1.0";
    case HttpProtocol::k1_0C: return "1.0C";
    case HttpProtocol::k1_1: return "1.1";
  }
  return "?";
}

std::string_view to_string(DnsType type) {
  switch (type) {
    case DnsType::kA: return "A";
    case DnsType::kNs: return "NS";
    case DnsType::kCname: return "CNAME";
    case DnsType::kSoa: return "SOA";
    case DnsType::kMx: return "MX";
    case DnsType::kTxt: return "TXT";
    case DnsType::kAaaa: return "AAAA";
  }
  return "?";
}

char hex_digit(unsigned value) {
  return "0123456789abcdef"[value & 0xf];
}

/// "ab0X": two digits a byte, X where no bit counts.
std::string to_hex(const std::vector<UdpCheck::MaskedByte>& bytes) {
  std::string text;
  for (const auto& [value, mask] : bytes) {
    text += (mask & 0xf0) == 0 ? 'X' : hex_digit(value >> 4U);
    text += (mask & 0x0f) == 0 ? 'X' : hex_digit(value);
  }
  return text;
}

std::string to_hex(const std::vector<uint8_t>& bytes) {
  std::vector<UdpCheck::MaskedByte> masked;
  masked.reserve(bytes.size());
  for (const uint8_t byte : bytes) masked.push_back({.value = byte});
  return to_hex(masked);
}

void describe_timed(const TimedCheck& check, DumpBlock& block) {
  block.set("delay_loop", check.timing.delay_loop);
  block.set("retry", check.timing.retry);
  block.set("delay_before_retry", check.timing.delay_before_retry);
  block.set("warmup", check.timing.warmup);
  block.set("alpha", check.alpha);
  block.set("log_all_failures", check.log_all_failures);
}

void describe_connecting(const ConnectCheck& check, DumpBlock& block) {
  block.set("connect_ip", check.connect.address);
  if (check.connect.port != 0) block.set("connect_port", check.connect.port);  // a PING_CHECK has none
  block.set("bindto", check.source.bindto);
  block.set("bind_port", check.source.bind_port == 0 ? DumpValue() : DumpValue(check.source.bind_port));
  block.set("bind_if", or_nothing(check.source.bind_if));
  block.set("fwmark", check.source.fwmark);
  block.set("connect_timeout", check.timing.connect_timeout);
  describe_timed(check, block);
}

void describe_regex(const HttpRegex& regex, DumpBlock& block) {
  block.set("regex", in_shell_quotes(regex.pattern));
  std::vector<DumpArgument> options;
  for (const std::string& option : regex.options) options.emplace_back(option);
  block.words("regex_options", options);
  block.flag("regex_no_match", regex.no_match);
  block.set("regex_min_offset", regex.min_offset);
  block.set("regex_max_offset", regex.max_offset);
  if (regex.stack_max != 0) block.line("regex_stack", {{"start", regex.stack_start}, {"max", regex.stack_max}});
}

void describe_url(const HttpUrl& url, DumpBlock& block) {
  block.set("path", url.path);
  std::vector<DumpArgument> codes;
  for (const auto& range : url.status_code) codes.emplace_back(to_string(range));
  block.words("status_code", codes);
  block.set("virtualhost", or_nothing(url.virtualhost));
  block.set("digest", or_nothing(url.digest));
  if (url.regex) {
    describe_regex(*url.regex, block);
  } else {
    block.set("regex", std::nullopt);
  }
}

void describe_http(const HttpCheck& check, DumpBlock& block) {
  describe_connecting(check, block);
  block.set("http_protocol", to_string(check.http_protocol));
  block.set("fast_recovery", check.fast_recovery);
  for (const HttpUrl& url : check.urls) describe_url(url, block.many("url"));
}

/// Adds a checker's own settings to its block.
struct DescribeChecker {
  DumpBlock& block;

  void operator()(const TcpCheck& check) const { describe_connecting(check, block); }
  void operator()(const HttpGet& check) const { describe_http(check, block); }
  void operator()(const SslGet& check) const {
    describe_http(check, block);
    block.set("enable_sni", check.enable_sni);
    block.set("sni_name", or_nothing(check.sni_name)).hidden();  // not in every keepalived
    block.flag("tls_compliant", check.tls_compliant).hidden();
  }
  void operator()(const SmtpCheck& check) const {
    describe_connecting(check, block);
    block.set("helo_name", check.helo_name);
  }
  void operator()(const DnsCheck& check) const {
    describe_connecting(check, block);
    block.set("type", to_string(check.type));
    block.set("name", check.name);
  }
  void operator()(const UdpCheck& check) const {
    describe_connecting(check, block);
    block.set("payload", or_nothing(to_hex(check.payload)));
    if (!check.require_reply || check.reply.empty()) {
      block.flag("require_reply", check.require_reply);
    } else {
      block.set("require_reply", to_hex(check.reply));
    }
    block.set("min_reply_length", check.min_reply_length);
    block.set("max_reply_length", check.max_reply_length);
  }
  void operator()(const PingCheck& check) const { describe_connecting(check, block); }
  void operator()(const MiscCheck& check) const {
    block.set("misc_path", in_shell_quotes(check.command.text));
    block.set("misc_timeout", check.misc_timeout);
    block.flag("misc_dynamic", check.dynamic);
    if (check.user.empty()) {
      block.set("user", std::nullopt);
    } else {
      block.line("user", {{"user", check.user}, {"group", or_nothing(check.group)}});
    }
    describe_timed(check, block);
  }
  void operator()(const FileCheck& check) const {
    block.set("track_file", check.track_file);
    if (check.weight) block.line("weight", {{"weight", *check.weight}, named("reverse", check.reverse)});
  }
  void operator()(const BfdCheck& check) const {
    block.set("name", check.name);
    block.set("alpha", check.alpha);
  }
};

}  // namespace

void describe_checks(const RealServer& server, DumpBlock& block) {
  for (const auto keyword : {"TCP_CHECK", "HTTP_GET"}) block.none_yet(keyword);
  for (const Checker& checker : server.checkers) {
    std::visit(DescribeChecker{block.many(std::string(keyword_of(checker)))}, checker);
  }
}

void describe_ssl(const Model& model, DumpBlock& file) {
  if (model.ssl == SslFiles{}) return;
  DumpBlock& block = file.one("SSL");
  block.secret("password", model.ssl.password.empty() ? std::nullopt : std::optional(model.ssl.password));
  block.set("ca", or_nothing(model.ssl.ca));
  block.set("certificate", or_nothing(model.ssl.certificate));
  block.set("key", or_nothing(model.ssl.key));
}

}  // namespace lbdp::config
