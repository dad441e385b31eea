// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The part of the model that the checkers of a real server make. Everything is resolved: what a checker does not say
// comes from its real server, then from the virtual server, then from keepalived's defaults.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/model_common.h"
#include "config/quoting.h"
#include "config/types/endpoint.h"

namespace lbdp::config {

/// When a checker runs, and how many failures it takes.
struct CheckTiming {
  Duration delay_loop = std::chrono::seconds(60);
  Duration connect_timeout = std::chrono::seconds(5);  // of what connects; MISC_CHECK has its own
  unsigned retry = 1;                                  // failures after the first one before the verdict is "down"
  Duration delay_before_retry = std::chrono::seconds(1);
  Duration warmup = std::chrono::seconds(60);  // the first check comes after 1 s + random * warmup

  friend bool operator==(const CheckTiming&, const CheckTiming&) = default;
};

/// What every checker has that runs by the clock.
struct TimedCheck {
  CheckTiming timing{};
  bool alpha = false;             // failed until its first success
  bool log_all_failures = false;  // each failure of a checker that is up is logged, not only the one that counts

  friend bool operator==(const TimedCheck&, const TimedCheck&) = default;
};

/// The near end of a check's connection; by default the kernel chooses all of it.
struct CheckSource {
  std::optional<IpAddress> bindto;
  uint16_t bind_port = 0;
  std::string bind_if;
  uint32_t fwmark = 0;  // SO_MARK

  friend bool operator==(const CheckSource&, const CheckSource&) = default;
};

/// What every checker has that sends something to a server.
struct ConnectCheck : TimedCheck {
  Endpoint connect{};  // connect_ip and connect_port, by default the real server's; a PING_CHECK has port 0
  CheckSource source{};

  friend bool operator==(const ConnectCheck&, const ConnectCheck&) = default;
};

struct TcpCheck : ConnectCheck {
  friend bool operator==(const TcpCheck&, const TcpCheck&) = default;
};

/// What an answer's body must match, or with `no_match` must not.
struct HttpRegex {
  std::string pattern{};
  std::vector<std::string> options{};  // PCRE2's compile options by keepalived's names, in a fixed order, each once
  bool no_match = false;
  uint32_t min_offset = 0;  // of the match's start in the body
  std::optional<uint32_t> max_offset{};
  uint32_t stack_start = 0;  // bytes of PCRE2's JIT stack; 0: PCRE2's own
  uint32_t stack_max = 0;

  friend bool operator==(const HttpRegex&, const HttpRegex&) = default;
};

struct HttpUrl {
  struct StatusRange {
    uint16_t first = 200;
    uint16_t last = 299;
    friend bool operator==(const StatusRange&, const StatusRange&) = default;
  };
  std::string path = "/";
  std::vector<StatusRange> status_code{};  // empty: 200-299
  std::string virtualhost{};  // empty: the checker's, the real server's, the virtual server's; then the address
  std::string digest{};       // MD5 of the body, 32 lower-case hexadecimal digits; empty: any body
  std::optional<HttpRegex> regex{};

  friend bool operator==(const HttpUrl&, const HttpUrl&) = default;
};

/// keepalived's http_protocol: 1.0C is 1.0 with "Connection: close".
enum class HttpProtocol : uint8_t { k1_0, k1_0C, k1_1 };

/// What HTTP_GET and SSL_GET have in common. (SslGet is no HttpGet: whoever visits checkers must say what becomes of
/// TLS.)
struct HttpCheck : ConnectCheck {
  HttpProtocol http_protocol = HttpProtocol::k1_0;
  bool fast_recovery = false;  // while down, all URLs are asked for at once, not one each delay_loop
  std::vector<HttpUrl> urls{};

  friend bool operator==(const HttpCheck&, const HttpCheck&) = default;
};

struct HttpGet : HttpCheck {
  friend bool operator==(const HttpGet&, const HttpGet&) = default;
};

struct SslGet : HttpCheck {
  bool enable_sni = false;
  std::string sni_name{};      // empty: the virtual host
  bool tls_compliant = false;  // a connection must end with TLS's close_notify

  friend bool operator==(const SslGet&, const SslGet&) = default;
};

struct SmtpCheck : ConnectCheck {
  std::string helo_name = "smtpchecker.keepalived.org";

  friend bool operator==(const SmtpCheck&, const SmtpCheck&) = default;
};

/// RFC 1035 section 3.2.2 and RFC 3596: the numbers of the types.
enum class DnsType : uint16_t { kA = 1, kNs = 2, kCname = 5, kSoa = 6, kMx = 15, kTxt = 16, kAaaa = 28 };

struct DnsCheck : ConnectCheck {
  DnsType type = DnsType::kSoa;
  std::string name = ".";  // of what is asked for

  friend bool operator==(const DnsCheck&, const DnsCheck&) = default;
};

struct UdpCheck : ConnectCheck {
  /// A byte of a reply, and which of its bits count.
  struct MaskedByte {
    uint8_t value = 0;
    uint8_t mask = 0xff;
    friend bool operator==(const MaskedByte&, const MaskedByte&) = default;
  };
  std::vector<uint8_t> payload{};   // empty: random bytes
  bool require_reply = false;       // otherwise silence is success, and only an ICMP error a failure
  std::vector<MaskedByte> reply{};  // what a reply begins with; empty: anything
  uint16_t min_reply_length = 0;    // bytes
  uint16_t max_reply_length = 255;

  friend bool operator==(const UdpCheck&, const UdpCheck&) = default;
};

struct PingCheck : ConnectCheck {
  friend bool operator==(const PingCheck&, const PingCheck&) = default;
};

/// Runs a command: exit status 0 is success. With `dynamic` a status from 2 to 255 is success too and sets the server's
/// weight to status - 2.
struct MiscCheck : TimedCheck {
  Command command{};
  Duration misc_timeout{0};  // whole seconds; 0: delay_loop
  bool dynamic = false;
  std::string user{};   // empty: script_user
  std::string group{};  // empty: the user's

  friend bool operator==(const MiscCheck&, const MiscCheck&) = default;
};

/// The number in a track_file, times `weight`, is added to the server's weight; with weight 0 a number that is not 0
/// fails the check.
struct FileCheck {
  std::string track_file;
  std::optional<int> weight;  // none: the track_file's
  bool reverse = false;       // the weight counts with the other sign

  friend bool operator==(const FileCheck&, const FileCheck&) = default;
};

/// Up while the BFD session of that name is.
struct BfdCheck {
  std::string name;
  bool alpha = false;

  friend bool operator==(const BfdCheck&, const BfdCheck&) = default;
};

using Checker =
    std::variant<TcpCheck, HttpGet, SslGet, SmtpCheck, DnsCheck, UdpCheck, PingCheck, MiscCheck, FileCheck, BfdCheck>;

/// The keyword of a checker's block: "TCP_CHECK".
[[nodiscard]] std::string_view keyword_of(const Checker& checker);
/// The checker keeps its server out until it succeeds.
[[nodiscard]] bool has_alpha(const Checker& checker);

/// The root's SSL block: what SSL_GET presents to servers, and whom it trusts. Empty: nothing.
struct SslFiles {
  std::string password;  // of the key
  std::string ca;
  std::string certificate;
  std::string key;

  friend bool operator==(const SslFiles&, const SslFiles&) = default;
};

}  // namespace lbdp::config
