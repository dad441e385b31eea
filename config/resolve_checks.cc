// SPDX-License-Identifier: BSD-2-Clause
#include "config/resolve_checks.h"

#include <algorithm>

#include "config/regex.h"
#include "config/resolve.h"

namespace lbdp::config {
namespace {

/// What holds for a type of checker when neither it nor what is around it says otherwise.
struct Defaults {
  unsigned retry = 1;
  std::optional<Duration> delay_before_retry = std::chrono::seconds(1);  // none: delay_loop
};

/// Resolves the checkers of one real server.
class ServerChecks {
 public:
  ServerChecks(CheckResolver& file, const VirtualServerSpec& server, const RealServerSpec& real,
               const Endpoint& checked, Diagnostics& diagnostics)
      : file_(file), server_(server), real_(real), checked_(checked), diagnostics_(diagnostics) {}

  std::vector<Checker> resolve() {
    checkers_.reserve(real_.checkers.size());
    for (const CheckerSpec& checker : real_.checkers) {
      std::visit([&](const auto& spec) { add(spec); }, checker);
    }
    return std::move(checkers_);
  }

 private:
  void add(const TcpCheckSpec& spec) { connecting<TcpCheck>(spec); }
  void add(const HttpGetSpec& spec) { fill_http(http<HttpGet>(spec, "HTTP_GET"), spec); }
  void add(const PingCheckSpec& spec) {
    auto& check = append<PingCheck>();
    fill_timing(check, spec, {});
    check.connect = {first_of(checked_.address, spec.connect_ip), 0};
    check_target(spec, check.connect.address);
    check.source = source(spec, check.connect.address);
  }

  void add(const SslGetSpec& spec) {
    SslGet& check = http<SslGet>(spec, "SSL_GET");
    fill_http(check, spec);
    check.enable_sni = first_of(false, spec.enable_sni);
    check.sni_name = first_of(std::string(), spec.sni_name);
    check.tls_compliant = first_of(false, spec.tls_compliant);
  }

  void add(const SmtpCheckSpec& spec) {
    if (spec.hosts.empty()) connecting<SmtpCheck>(spec);
    const size_t first = checkers_.size() - (spec.hosts.empty() ? 1 : 0);
    for (const ConnectCheckSpec& host : spec.hosts) connecting<SmtpCheck>(merged(host, spec));
    for (size_t i = first; i < checkers_.size(); ++i) {
      auto& check = std::get<SmtpCheck>(checkers_[i]);
      check.helo_name = first_of(check.helo_name, spec.helo_name);
    }
  }

  void add(const DnsCheckSpec& spec) {
    auto& check = connecting<DnsCheck>(spec, {.retry = 3, .delay_before_retry = std::nullopt});
    check.type = first_of(check.type, spec.type);
    check.name = first_of(check.name, spec.name);
  }

  void add(const UdpCheckSpec& spec) {
    auto& check = connecting<UdpCheck>(spec);
    if (spec.payload) {
      for (const auto& byte : *spec.payload) check.payload.push_back(byte.value);
    }
    check.require_reply = spec.require_reply.seen;
    if (spec.require_reply) check.reply = *spec.require_reply;
    check.min_reply_length = first_of(check.min_reply_length, spec.min_reply_length);
    check.max_reply_length = first_of(check.max_reply_length, spec.max_reply_length);
    if (check.min_reply_length > check.max_reply_length) {
      diagnostics_.error(spec.min_reply_length ? spec.min_reply_length.place : spec.max_reply_length.place,
                         "min_reply_length " + std::to_string(check.min_reply_length) + " is above max_reply_length " +
                             std::to_string(check.max_reply_length) + ": the check could not succeed");
    }
  }

  void add(const MiscCheckSpec& spec) {
    if (!spec.misc_path.seen) diagnostics_.error(spec.place, "MISC_CHECK: 'misc_path' is missing");
    auto& check = append<MiscCheck>();
    fill_timing(check, spec, {.retry = 0});
    check.command = first_of(Command{}, spec.misc_path);
    check.misc_timeout = first_of(Duration(0), spec.misc_timeout);
    check.timing.connect_timeout = CheckTiming{}.connect_timeout;  // it does not connect
    check.dynamic = first_of(false, spec.misc_dynamic);
    check.user = first_of(std::string(), spec.user);
    check.group = first_of(std::string(), spec.group);
  }

  void add(const FileCheckSpec& spec) {
    if (!spec.track_file.seen) diagnostics_.error(spec.place, "FILE_CHECK: 'track_file' is missing");
    auto& check = append<FileCheck>();
    check.track_file = first_of(std::string(), spec.track_file);
    if (spec.weight) {
      check.weight = (*spec.weight).value;
      check.reverse = (*spec.weight).reverse;
    }
  }

  void add(const BfdCheckSpec& spec) {
    if (!spec.name.seen) diagnostics_.error(spec.place, "BFD_CHECK: 'name' is missing");
    if (spec.name) check_bfd(spec);
    auto& check = append<BfdCheck>();
    check.name = first_of(std::string(), spec.name);
    check.alpha = first_of(false, spec.alpha, real_.alpha, server_.alpha);
  }

  void check_bfd(const BfdCheckSpec& spec) {
    const bool twice = std::ranges::any_of(checkers_, [&](const Checker& checker) {
      const auto* bfd = std::get_if<BfdCheck>(&checker);
      return bfd != nullptr && bfd->name == *spec.name;
    });
    if (twice) diagnostics_.error(spec.name.place, "BFD_CHECK: the real server follows " + *spec.name + " already");
  }

  /// A host block of an SMTP_CHECK, with what the checker says for all of them.
  static ConnectCheckSpec merged(const ConnectCheckSpec& host, const ConnectCheckSpec& outer) {
    ConnectCheckSpec spec = host;
    const auto inherit = [&](auto member) {
      if (!(spec.*member).seen) spec.*member = outer.*member;
    };
    using C = ConnectCheckSpec;
    inherit(&C::delay_loop), inherit(&C::connect_timeout), inherit(&C::retry), inherit(&C::delay_before_retry);
    inherit(&C::warmup), inherit(&C::alpha), inherit(&C::log_all_failures), inherit(&C::connect_ip);
    inherit(&C::connect_port), inherit(&C::bindto), inherit(&C::bind_port), inherit(&C::bind_if);
    inherit(&C::fwmark);
    return spec;
  }

  template <class Check>
  Check& append() {
    return std::get<Check>(checkers_.emplace_back(std::in_place_type<Check>));
  }

  template <class Check>
  Check& connecting(const ConnectCheckSpec& spec, const Defaults& defaults = {}) {
    auto& check = append<Check>();
    fill_timing(check, spec, defaults);
    check.connect = target(spec);
    check.source = source(spec, check.connect.address);
    return check;
  }

  template <class Check>
  Check& http(const HttpCheckSpec& spec, const std::string& keyword) {
    if (spec.urls.empty()) diagnostics_.error(spec.place, keyword + ": 'url' is missing");
    return connecting<Check>(spec, {.delay_before_retry = std::chrono::seconds(3)});
  }

  void fill_http(HttpCheck& check, const HttpCheckSpec& spec) {
    check.http_protocol = first_of(check.http_protocol, spec.http_protocol);
    check.fast_recovery = first_of(false, spec.fast_recovery);
    check.urls.reserve(spec.urls.size());
    for (const UrlSpec& url : spec.urls) check.urls.push_back(resolve_url(url, spec));
  }

  HttpUrl resolve_url(const UrlSpec& spec, const HttpCheckSpec& check) {
    if (!spec.path.seen) diagnostics_.error(spec.place, "url: 'path' is missing");
    HttpUrl url;
    url.path = first_of(url.path, spec.path);
    url.status_code = spec.status_code;
    url.virtualhost =
        first_of(std::string(), spec.virtualhost, check.virtualhost, real_.virtualhost, server_.virtualhost);
    url.digest = first_of(std::string(), spec.digest);
    if (spec.regex.seen) {
      if (spec.regex) url.regex = resolve_regex(spec);
    } else {
      check_without_regex(spec);
    }
    return url;
  }

  HttpRegex resolve_regex(const UrlSpec& spec) {
    HttpRegex regex;
    regex.pattern = (*spec.regex).value;
    regex.options = first_of(regex.options, spec.regex_options);
    regex.no_match = first_of(false, spec.regex_no_match);
    regex.min_offset = first_of(0U, spec.regex_min_offset);
    regex.max_offset = spec.regex_max_offset.value;
    if (spec.regex_stack) {
      regex.stack_start = (*spec.regex_stack).start;
      regex.stack_max = (*spec.regex_stack).most;
    }
    file_.check_regex(*spec.regex, regex.options);
    if (regex.max_offset && *regex.max_offset < regex.min_offset) {
      diagnostics_.error(spec.regex_max_offset.place, "regex_max_offset " + std::to_string(*regex.max_offset) +
                                                          " is below regex_min_offset " +
                                                          std::to_string(regex.min_offset) + ": nothing could match");
    }
    return regex;
  }

  void check_without_regex(const UrlSpec& spec) {
    const auto ignored = [&](const auto& setting, const std::string& name) {
      if (setting) diagnostics_.warning(setting.place, name + " without regex is ignored");
    };
    ignored(spec.regex_no_match, "regex_no_match");
    ignored(spec.regex_options, "regex_options");
    ignored(spec.regex_min_offset, "regex_min_offset");
    ignored(spec.regex_max_offset, "regex_max_offset");
    ignored(spec.regex_stack, "regex_stack");
  }

  /// A setting of a checker, of its real server or of the virtual server: the innermost counts.
  template <class T>
  [[nodiscard]] T inherited(Setting<T> CheckDefaultsSpec::*member, const CheckDefaultsSpec& checker, T fallback) const {
    return first_of(std::move(fallback), checker.*member, real_.*member, server_.*member);
  }

  void fill_timing(TimedCheck& check, const TimedCheckSpec& spec, const Defaults& defaults) const {
    using D = CheckDefaultsSpec;
    CheckTiming& timing = check.timing;
    timing.delay_loop = inherited(&D::delay_loop, spec, timing.delay_loop);
    timing.connect_timeout = inherited(&D::connect_timeout, spec, timing.connect_timeout);
    timing.retry = inherited(&D::retry, spec, defaults.retry);
    timing.delay_before_retry =
        inherited(&D::delay_before_retry, spec, defaults.delay_before_retry.value_or(timing.delay_loop));
    timing.warmup = inherited(&D::warmup, spec, timing.delay_loop);
    check.alpha = inherited(&D::alpha, spec, false);
    check.log_all_failures = first_of(false, spec.log_all_failures);
  }

  Endpoint target(const ConnectCheckSpec& spec) {
    const Endpoint connect{first_of(checked_.address, spec.connect_ip), first_of(checked_.port, spec.connect_port)};
    check_target(spec, connect.address);
    if (connect.port == 0 && !spec.connect_port.seen) {
      diagnostics_.error(spec.place,
                         "'connect_port' is missing: the virtual server has no port of its own, and real_server none "
                         "either; write 'real_server " +
                             checked_.address.to_string() + " PORT'");
    }
    return connect;
  }

  void check_target(const ConnectCheckSpec& spec, const IpAddress& address) {
    if (!address.is_multicast() && !address.is_unspecified()) return;
    diagnostics_.error(spec.connect_ip.place, "connect_ip: " + address.to_string() + " cannot be checked");
  }

  CheckSource source(const ConnectCheckSpec& spec, const IpAddress& target) {
    CheckSource source;
    source.bindto = spec.bindto.value;
    source.bind_port = first_of(uint16_t{0}, spec.bind_port);
    source.bind_if = first_of(std::string(), spec.bind_if);
    source.fwmark = first_of(0U, spec.fwmark);
    if (source.bindto && source.bindto->family() != target.family()) {
      diagnostics_.error(spec.bindto.place, "bindto: " + source.bindto->to_string() +
                                                " is not of the family of the address to check, " + target.to_string());
    } else if (source.bindto && source.bindto->is_multicast()) {
      diagnostics_.error(spec.bindto.place, "bindto: " + source.bindto->to_string() + " cannot be a source address");
    }
    return source;
  }

  CheckResolver& file_;
  const VirtualServerSpec& server_;
  const RealServerSpec& real_;
  const Endpoint checked_;
  Diagnostics& diagnostics_;
  std::vector<Checker> checkers_;
};

}  // namespace

CheckResolver::CheckResolver(const FileSpec& /*spec*/, Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

std::vector<Checker> CheckResolver::resolve(const VirtualServerSpec& server, const RealServerSpec& real,
                                            const Endpoint& checked) {
  return ServerChecks(*this, server, real, checked, diagnostics_).resolve();
}

void CheckResolver::check_regex(const Item<std::string>& pattern, const std::vector<std::string>& options) {
  std::pair key(pattern.value, options);
  if (good_regexes_.contains(key)) return;
  const auto error = config::check_regex(pattern.value, options);
  if (!error) {
    good_regexes_.insert(std::move(key));
    return;
  }
  diagnostics_.error(pattern.place, "regex: found " + in_quotes(pattern.value) + ", which PCRE2 refuses at character " +
                                        std::to_string(error->offset + 1) + ": " + error->message);
}

SslFiles resolve_ssl(const SslSpec& spec) {
  return {.password = first_of(std::string(), spec.password),
          .ca = first_of(std::string(), spec.ca),
          .certificate = first_of(std::string(), spec.certificate),
          .key = first_of(std::string(), spec.key)};
}

}  // namespace lbdp::config
