// SPDX-License-Identifier: BSD-2-Clause
// The checkers that need no body: TCP, mail, DNS, UDP, ping, and those that only look something up.
#include "config/keywords_checks.h"

#include <algorithm>

#include "config/keywords.h"
#include "config/quoting.h"

namespace lbdp::config {
namespace {

constexpr size_t kMostDatagram = 65507;  // bytes that fit into a UDP datagram over IPv4

Result<DnsType> dns_type(std::string_view text) {
  static constexpr std::pair<std::string_view, DnsType> kKnown[] = {
      {"A", DnsType::kA},   {"NS", DnsType::kNs},   {"CNAME", DnsType::kCname}, {"SOA", DnsType::kSoa},
      {"MX", DnsType::kMx}, {"TXT", DnsType::kTxt}, {"AAAA", DnsType::kAaaa}};
  const auto known = std::ranges::find_if(kKnown, [&](const auto& row) { return equal_without_case(row.first, text); });
  if (known != std::end(kKnown)) return known->second;
  return fail("wanted A, NS, CNAME, SOA, MX, TXT or AAAA");
}

/// RFC 1035 section 2.3.4: labels of at most 63 bytes, names of at most 255 as they are sent. "." is the root.
Result<std::string> dns_name(std::string_view text) {
  constexpr size_t kLongestLabel = 63;
  constexpr size_t kLongestName = 253;
  const auto wanted = [] { return fail("wanted a domain name with labels of 1 to 63 characters, 253 in all"); };
  if (text == ".") return std::string(text);
  std::string_view rest = text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
  if (rest.empty() || rest.size() > kLongestName || rest.find(' ') != std::string_view::npos) return wanted();
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('.'), rest.size());
    if (end == 0 || end > kLongestLabel || end + 1 == rest.size()) return wanted();
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return std::string(text);
}

/// The value of a hexadecimal digit, and which of its bits count: none of an X.
std::optional<UdpCheck::MaskedByte> nibble(char c, bool wildcards) {
  if (wildcards && (c == 'x' || c == 'X')) return UdpCheck::MaskedByte{0, 0};
  constexpr uint8_t kAll = 0xf;
  if (c >= '0' && c <= '9') return UdpCheck::MaskedByte{static_cast<uint8_t>(c - '0'), kAll};
  const char lower = static_cast<char>(c | 0x20);
  if (lower < 'a' || lower > 'f') return std::nullopt;
  return UdpCheck::MaskedByte{static_cast<uint8_t>(lower - 'a' + 10), kAll};
}

using Bytes = std::vector<UdpCheck::MaskedByte>;

/// keepalived's HEX_STR: digits in pairs, with blanks anywhere between; a digit without a partner is a byte of its own.
/// False: a character that is no digit.
bool read_hex(std::string_view text, bool wildcards, Bytes& bytes) {
  bool open = false;  // the last byte lacks its second digit
  for (const char c : text) {
    if (c == ' ') {
      open = false;
      continue;
    }
    const auto digit = nibble(c, wildcards);
    if (!digit) return false;
    if (open) {
      auto& byte = bytes.back();
      byte.value = static_cast<uint8_t>(byte.value << 4 | digit->value);
      byte.mask = static_cast<uint8_t>(byte.mask << 4 | digit->mask);
    } else {
      bytes.push_back({digit->value, static_cast<uint8_t>(0xf0 | digit->mask)});
    }
    open = !open;
  }
  return true;
}

/// kLeast: 1 if there must be bytes.
template <auto kMember, size_t kLeast, bool kWildcards>
void* take_hex(void* scope, const Statement& statement, Context& context) {
  std::optional<Bytes> value;
  if (expect_arguments(statement, kLeast, kMostDatagram, context)) {
    value.emplace();
    for (const Word& word : statement.arguments()) {
      if (value && !read_hex(word.text, kWildcards, *value)) {
        report_value(
            statement, word,
            Error{kWildcards ? "wanted hexadecimal digits, or X for one that may be any" : "wanted hexadecimal digits"},
            context);
        value.reset();
      }
    }
    if (value && value->size() > kMostDatagram) {
      context.diagnostics.error(statement.place(), std::string(statement.keyword()) + ": more than " +
                                                       std::to_string(kMostDatagram) + " bytes");
      value.reset();
    }
  }
  assign(static_cast<UdpCheckSpec*>(scope)->*kMember, std::move(value), statement, context);
  return nullptr;
}

void* take_host(void* scope, const Statement& statement, Context& context) {
  expect_arguments(statement, 0, 0, context);
  ConnectCheckSpec& host = static_cast<SmtpCheckSpec*>(scope)->hosts.emplace_back();
  host.place = statement.place();
  context.diagnostics.note(statement.place(), "'host' is deprecated in keepalived; write an SMTP_CHECK for each");
  return &host;
}

/// misc_path "COMMAND [ARGUMENT ...]"
void* take_misc_path(void* scope, const Statement& statement, Context& context) {
  std::optional<Command> value;
  const Word raw = statement.raw_arguments();
  if (!raw.text.empty() || expect_arguments(statement, 1, 1, context)) {
    auto read = command(raw.text);
    if (read) {
      value = std::move(*read);
    } else {
      report_value(statement, raw, read.error(), context);
    }
  }
  assign(static_cast<MiscCheckSpec*>(scope)->misc_path, std::move(value), statement, context);
  return nullptr;
}

/// Whole seconds up to keepalived's limit, 2^32 microseconds.
Result<Duration> misc_timeout(std::string_view text) {
  const auto value = number<uint32_t, 0, 4294>(text);
  if (!value) return tl::unexpected(value.error());
  return std::chrono::seconds(*value);
}

/// user USER [GROUP]
void* take_user(void* scope, const Statement& statement, Context& context) {
  auto& check = *static_cast<MiscCheckSpec*>(scope);
  std::optional<std::string> user, group;
  if (expect_arguments(statement, 1, 2, context)) {
    user = statement.arguments()[0].text;
    if (statement.arguments().size() > 1) group = statement.arguments()[1].text;
  }
  assign(check.user, std::move(user), statement, context);
  check.group = {std::move(group), statement.place(), true};
  return nullptr;
}

/// weight NUMBER [reverse|noreverse]
void* take_file_weight(void* scope, const Statement& statement, Context& context) {
  constexpr int kMost = std::numeric_limits<int>::max();
  std::optional<FileCheckSpec::Weight> value;
  if (expect_arguments(statement, 1, 2, context)) {
    const auto arguments = statement.arguments();
    const auto weight = number<int, -kMost, kMost>(arguments[0].text);
    const std::string_view sign = arguments.size() > 1 ? arguments[1].text : "noreverse";
    const bool known = sign == "reverse" || sign == "noreverse";
    if (!weight) report_value(statement, arguments[0], weight.error(), context);
    if (!known) report_value(statement, arguments[1], Error{"wanted reverse or noreverse"}, context);
    if (weight && known) value = {*weight, sign == "reverse"};
  }
  assign(static_cast<FileCheckSpec*>(scope)->weight, value, statement, context);
  return nullptr;
}

using H = ConnectCheckSpec;
constexpr Block kHostBlock{"host",
                           {kConnectKeywords<H>, kCheckTimingKeywords<H>, kRetryKeyword<H, 0>,
                            kConnectTimeoutKeyword<H>, kAlphaKeyword<H>, kLogKeyword<H>}};

using S = SmtpCheckSpec;
constexpr Keyword kSmtpKeywords[] = {
    {"helo_name", "NAME", "smtpchecker.keepalived.org", "The name that HELO gives.", one<S, &S::helo_name, text>,
     nullptr, Effect::kNotYet},
    {"host", "{ ... }", "",
     "A server to check in the place of the real server; each makes a check of its own. "
     "Deprecated.",
     take_host, &kHostBlock, Effect::kNotYet},
};

using D = DnsCheckSpec;
constexpr Keyword kDnsKeywords[] = {
    {"type", "A|NS|CNAME|SOA|MX|TXT|AAAA", "SOA", "The type of record to ask for.", one<D, &D::type, dns_type>, nullptr,
     Effect::kNotYet},
    {"name", "NAME", ".", "The domain name to ask for.", one<D, &D::name, dns_name>, nullptr, Effect::kNotYet},
};

using U = UdpCheckSpec;
constexpr Keyword kUdpKeywords[] = {
    {"payload", "HEX", "random bytes", "What to send, in hexadecimal digits; blanks may part the bytes.",
     take_hex<&U::payload, 1, false>, nullptr, Effect::kNotYet},
    {"require_reply", "[HEX]", "off",
     "Without a reply the check fails. HEX is what the reply must begin with; X stands for a digit that may be any.",
     take_hex<&U::require_reply, 0, true>, nullptr, Effect::kNotYet},
    {"min_reply_length", "0..65535", "0", "The fewest bytes that a required reply has.",
     one<U, &U::min_reply_length, number<uint16_t>>, nullptr, Effect::kNotYet},
    {"max_reply_length", "0..65535", "255", "The most bytes that a required reply has.",
     one<U, &U::max_reply_length, number<uint16_t>>, nullptr, Effect::kNotYet},
};

using M = MiscCheckSpec;
constexpr Keyword kMiscKeywords[] = {
    {"misc_path", "COMMAND", "required", "The command to run, by its absolute path.", take_misc_path, nullptr,
     Effect::kNotYet},
    {"misc_timeout", "0..4294", "0",
     "For how many seconds it may run before it is ended, and the check has failed. 0: delay_loop.",
     one<M, &M::misc_timeout, misc_timeout>, nullptr, Effect::kNotYet},
    {"misc_dynamic", "[BOOL]", "off",
     "An exit status from 2 to 255 is success, too, and sets the server's weight to that status less 2.",
     flag<M, &M::misc_dynamic>, nullptr, Effect::kNotYet},
    {"user", "USER [GROUP]", "script_user of global_defs", "The account that it runs under.", take_user, nullptr,
     Effect::kNotYet},
};

using F = FileCheckSpec;
constexpr Keyword kFileKeywords[] = {
    {"track_file", "NAME", "required", "The track_file whose number counts.", one<F, &F::track_file, name>, nullptr,
     Effect::kNotYet},
    {"weight", "-2147483647..2147483647 [reverse|noreverse]", "the track_file's",
     "What the number is multiplied with before it is added to the server's weight. 0: a number that is not 0 fails "
     "the check.",
     take_file_weight, nullptr, Effect::kNotYet},
};

using B = BfdCheckSpec;
constexpr Keyword kBfdKeywords[] = {
    {"name", "NAME", "required", "The bfd_instance to follow.", one<B, &B::name, name>, nullptr, Effect::kNotYet},
    {"alpha", "[BOOL]", "the real server's", "Leave the server out until the session is up.", flag<B, &B::alpha>,
     nullptr, Effect::kNotYet},
};

using T = TcpCheckSpec;
using P = PingCheckSpec;

}  // namespace

constinit const Block kTcpCheckBlock{"TCP_CHECK",
                                     {kConnectKeywords<T>, kCheckTimingKeywords<T>, kRetryKeyword<T, 0>,
                                      kConnectTimeoutKeyword<T>, kAlphaKeyword<T>, kLogKeyword<T>}};
constinit const Block kSmtpCheckBlock{"SMTP_CHECK",
                                      {kSmtpKeywords, kConnectKeywords<S>, kCheckTimingKeywords<S>, kRetryKeyword<S, 0>,
                                       kConnectTimeoutKeyword<S>, kAlphaKeyword<S>, kLogKeyword<S>}};
constinit const Block kDnsCheckBlock{"DNS_CHECK",
                                     {kDnsKeywords, kConnectKeywords<D>, kCheckTimingKeywords<D>, kRetryKeyword<D, 0>,
                                      kConnectTimeoutKeyword<D>, kAlphaKeyword<D>, kLogKeyword<D>}};
constinit const Block kUdpCheckBlock{"UDP_CHECK",
                                     {kUdpKeywords, kConnectKeywords<U>, kCheckTimingKeywords<U>, kRetryKeyword<U, 0>,
                                      kConnectTimeoutKeyword<U>, kAlphaKeyword<U>, kLogKeyword<U>}};
constinit const Block kPingCheckBlock{"PING_CHECK",
                                      {kConnectKeywords<P>, kCheckTimingKeywords<P>, kRetryKeyword<P, 0>,
                                       kConnectTimeoutKeyword<P>, kAlphaKeyword<P>, kLogKeyword<P>}};
constinit const Block kMiscCheckBlock{
    "MISC_CHECK", {kMiscKeywords, kCheckTimingKeywords<M>, kRetryKeyword<M, 0>, kAlphaKeyword<M>, kLogKeyword<M>}};
constinit const Block kFileCheckBlock{"FILE_CHECK", {kFileKeywords}};
constinit const Block kBfdCheckBlock{"BFD_CHECK", {kBfdKeywords}};

}  // namespace lbdp::config
