// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What the checkers of a real server say: one struct for each type, all with the settings of ConnectCheckSpec, so that
// tables of keywords can be shared.

#include <string>
#include <variant>
#include <vector>

#include "config/model_checks.h"
#include "config/spec_common.h"

namespace lbdp::config {

/// What virtual server, real server and checker can each set, the inner before the outer.
struct CheckDefaultsSpec {
  Setting<Duration> delay_loop;
  Setting<Duration> connect_timeout;
  Setting<unsigned> retry;
  Setting<Duration> delay_before_retry;
  Setting<Duration> warmup;
  Setting<bool> alpha;
  Setting<std::string> virtualhost;
};

struct TimedCheckSpec : CheckDefaultsSpec {
  Place place;
  Setting<bool> log_all_failures;
};

struct ConnectCheckSpec : TimedCheckSpec {
  Setting<IpAddress> connect_ip;
  Setting<uint16_t> connect_port;
  Setting<IpAddress> bindto;
  Setting<uint16_t> bind_port;
  Setting<std::string> bind_if;
  Setting<uint32_t> fwmark;
};

struct TcpCheckSpec : ConnectCheckSpec {};

struct UrlSpec {
  struct RegexStack {
    uint32_t start = 0;
    uint32_t most = 0;
  };
  Place place;
  Setting<std::string> path;
  std::vector<HttpUrl::StatusRange> status_code;
  Setting<std::string> virtualhost;
  Setting<std::string> digest;
  Setting<Item<std::string>> regex;  // with the place of the pattern
  Setting<bool> regex_no_match;
  Setting<std::vector<std::string>> regex_options;
  Setting<uint32_t> regex_min_offset, regex_max_offset;
  Setting<RegexStack> regex_stack;
};

struct HttpCheckSpec : ConnectCheckSpec {
  Setting<HttpProtocol> http_protocol;
  Setting<bool> fast_recovery;
  std::vector<UrlSpec> urls;
};

struct HttpGetSpec : HttpCheckSpec {};

struct SslGetSpec : HttpCheckSpec {
  Setting<bool> enable_sni;
  Setting<std::string> sni_name;
  Setting<bool> tls_compliant;
};

struct SmtpCheckSpec : ConnectCheckSpec {
  Setting<std::string> helo_name;
  std::vector<ConnectCheckSpec> hosts;  // the deprecated host blocks
};

struct DnsCheckSpec : ConnectCheckSpec {
  Setting<DnsType> type;
  Setting<std::string> name;
};

struct UdpCheckSpec : ConnectCheckSpec {
  Setting<std::vector<UdpCheck::MaskedByte>> payload;
  Setting<std::vector<UdpCheck::MaskedByte>> require_reply;  // with no bytes: any reply
  Setting<uint16_t> min_reply_length, max_reply_length;
};

struct PingCheckSpec : ConnectCheckSpec {};

struct MiscCheckSpec : TimedCheckSpec {
  Setting<Command> misc_path;
  Setting<Duration> misc_timeout;
  Setting<bool> misc_dynamic;
  Setting<std::string> user, group;
};

struct FileCheckSpec {
  struct Weight {
    int value = 0;
    bool reverse = false;
  };
  Place place;
  Setting<std::string> track_file;
  Setting<Weight> weight;
};

struct BfdCheckSpec {
  Place place;
  Setting<std::string> name;
  Setting<bool> alpha;
};

using CheckerSpec = std::variant<TcpCheckSpec, HttpGetSpec, SslGetSpec, SmtpCheckSpec, DnsCheckSpec, UdpCheckSpec,
                                 PingCheckSpec, MiscCheckSpec, FileCheckSpec, BfdCheckSpec>;

/// The root's SSL block.
struct SslSpec {
  Setting<std::string> password, ca, certificate, key;
};

}  // namespace lbdp::config
