// SPDX-License-Identifier: BSD-2-Clause
// The checkers of real servers: what a file means, and the exact findings of a bad one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"

namespace lbdp::config {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;

/// What is said of a file, without notes; what is only said to do nothing yet counts if `not_yet`.
std::vector<std::string> findings(const LoadResult& result, bool not_yet = true) {
  std::vector<std::string> texts;
  for (const Diagnostic& diagnostic : result.diagnostics) {
    if (diagnostic.severity == Severity::kNote) continue;
    if (!not_yet && diagnostic.message.find("does nothing yet") != std::string::npos) continue;
    texts.push_back(diagnostic.to_string());
  }
  return texts;
}

/// `lines` start on line 5.
std::string in_real(const std::string& lines, const std::string& server_lines = "lb_algo rr") {
  return "virtual_server 192.0.2.1 80 {\nprotocol TCP\n" + server_lines + "\nreal_server 192.0.2.7 80 {\n" + lines +
         "\n}\n}\n";
}
/// `lines` start on line 7.
std::string in_url(const std::string& lines) {
  return in_real("HTTP_GET {\nurl {\npath /\n" + lines + "\n}\n}");
}

std::vector<Checker> checkers_of(const std::string& text) {
  const LoadResult result = load_text(text, "f");
  EXPECT_THAT(findings(result, false), IsEmpty()) << text;
  return result.ok() ? result.model->virtual_servers.at(0).real_servers.at(0).checkers : std::vector<Checker>{};
}

template <class Check>
Check check_of(const std::string& text) {
  const auto checkers = checkers_of(text);
  EXPECT_EQ(checkers.size(), 1U) << text;
  return checkers.size() == 1 ? std::get<Check>(checkers.front()) : Check{};
}

Endpoint endpoint(const char* text) {
  return Endpoint::parse(text).value();
}

/// The one line about a keyword that does nothing yet.
std::string not_yet(const std::string& place, const std::string& keyword) {
  return "f:" + place + ": warning: '" + keyword + "' is checked, but does nothing yet";
}

TEST(CheckDefaults, EveryTypeHasItsOwn) {
  const auto timing = [](const std::string& block) {
    return std::visit(
        [](const auto& check) {
          if constexpr (requires { check.timing; }) {
            EXPECT_FALSE(check.alpha);
            EXPECT_FALSE(check.log_all_failures);
            return check.timing;
          } else {
            return CheckTiming{};
          }
        },
        checkers_of(in_real(block)).at(0));
  };
  const auto with = [](unsigned retry, Duration delay) {
    return CheckTiming{seconds(60), seconds(5), retry, delay, seconds(60)};
  };
  EXPECT_EQ(timing("TCP_CHECK { }"), with(1, seconds(1)));
  EXPECT_EQ(timing("HTTP_GET { url { path / } }"), with(1, seconds(3)));
  EXPECT_EQ(timing("SSL_GET { url { path / } }"), with(1, seconds(3)));
  EXPECT_EQ(timing("SMTP_CHECK { }"), with(1, seconds(1)));
  EXPECT_EQ(timing("DNS_CHECK { }"), with(3, seconds(60)));
  EXPECT_EQ(timing("UDP_CHECK { }"), with(1, seconds(1)));
  EXPECT_EQ(timing("PING_CHECK { }"), with(1, seconds(1)));
  EXPECT_EQ(timing("MISC_CHECK { misc_path /bin/true }"), with(0, seconds(1)));
}

TEST(CheckDefaults, OfADnsCheckFollowDelayLoop) {
  EXPECT_EQ(check_of<DnsCheck>(in_real("DNS_CHECK { delay_loop 7 }")).timing.delay_before_retry, seconds(7));
  EXPECT_EQ(check_of<DnsCheck>(in_real("DNS_CHECK { delay_loop 7 }", "delay_before_retry 2")).timing.delay_before_retry,
            seconds(2));
}

TEST(CheckDefaults, OfWhatIsConnected) {
  const TcpCheck check = check_of<TcpCheck>(in_real("TCP_CHECK { }"));
  EXPECT_EQ(check.connect, endpoint("192.0.2.7:80"));
  EXPECT_EQ(check.source, CheckSource{});
}

TEST(CommonSettings, AreOfEveryCheckerThatConnects) {
  const std::string lines =
      "connect_ip 192.0.2.8\nconnect_port 65535\nbindto 192.0.2.9\nbind_port 1\nbind_if eth0.5\nfwmark 4294967295\n"
      "delay_loop 2678400\nconnect_timeout 4294.967295\nretry 1000000\ndelay_before_retry 2678400\nwarmup 2678400\n"
      "alpha\nlog_all_failures on\n";
  for (const char* block : {"TCP_CHECK {\n", "HTTP_GET { url { path / }\n", "SSL_GET { url { path / }\n",
                            "SMTP_CHECK {\n", "DNS_CHECK {\n", "UDP_CHECK {\n", "PING_CHECK {\n"}) {
    const auto checkers = checkers_of(in_real(block + lines + "}"));
    ASSERT_EQ(checkers.size(), 1U);
    EXPECT_TRUE(std::string_view(block).starts_with(keyword_of(checkers[0])));
    std::visit(
        [&](const auto& check) {
          if constexpr (requires { check.source; }) {
            EXPECT_EQ(check.connect.address, endpoint("192.0.2.8:1").address);
            EXPECT_EQ(check.connect.port, std::holds_alternative<PingCheck>(checkers[0]) ? 0 : 65535);
            EXPECT_EQ(check.source, (CheckSource{endpoint("192.0.2.9:1").address, 1, "eth0.5", 4294967295U}));
            EXPECT_EQ(check.timing, (CheckTiming{seconds(2678400), microseconds(4294967295), 1000000, seconds(2678400),
                                                 seconds(2678400)}));
            EXPECT_TRUE(check.alpha);
            EXPECT_TRUE(check.log_all_failures);
          } else {
            ADD_FAILURE() << block;
          }
        },
        checkers[0]);
  }
}

TEST(CommonSettings, SmallestValues) {
  const TcpCheck check = check_of<TcpCheck>(in_real(
      "TCP_CHECK { connect_port 1\nbind_port 65535\nfwmark 0\ndelay_loop 0.001\nconnect_timeout 0.001\nretry 0\n"
      "delay_before_retry 0\nwarmup 0\nalpha off\nlog_all_failures no }"));
  EXPECT_EQ(check.timing, (CheckTiming{milliseconds(1), milliseconds(1), 0, seconds(0), seconds(0)}));
  EXPECT_EQ(check.connect.port, 1);
  EXPECT_EQ(check.source.bind_port, 65535);
  EXPECT_FALSE(check.alpha);
  EXPECT_FALSE(check.log_all_failures);
}

TEST(CommonSettings, SeveralCheckersOfAServerStayInOrder) {
  const auto checkers =
      checkers_of(in_real("PING_CHECK { }\nTCP_CHECK { connect_port 1 }\nTCP_CHECK { connect_port 2 }\nUDP_CHECK { }"));
  std::vector<std::string_view> keywords;
  for (const Checker& checker : checkers) keywords.push_back(keyword_of(checker));
  EXPECT_THAT(keywords, ElementsAre("PING_CHECK", "TCP_CHECK", "TCP_CHECK", "UDP_CHECK"));
  EXPECT_EQ(std::get<TcpCheck>(checkers.at(2)).connect.port, 2);
}

TEST(Http, Settings) {
  const HttpGet plain = check_of<HttpGet>(in_real("HTTP_GET { url { path / } }"));
  EXPECT_EQ(plain.http_protocol, HttpProtocol::k1_0);
  EXPECT_FALSE(plain.fast_recovery);
  for (const auto& [name, protocol] : {std::pair("1.0", HttpProtocol::k1_0), std::pair("1.0C", HttpProtocol::k1_0C),
                                       std::pair("1.0c", HttpProtocol::k1_0C), std::pair("1.1", HttpProtocol::k1_1)}) {
    const std::string lines = "http_protocol " + std::string(name) + "\nfast_recovery\nurl { path / } }";
    EXPECT_EQ(check_of<HttpGet>(in_real("HTTP_GET { " + lines)).http_protocol, protocol);
    const SslGet tls = check_of<SslGet>(in_real("SSL_GET { " + lines));
    EXPECT_EQ(tls.http_protocol, protocol);
    EXPECT_TRUE(tls.fast_recovery);
  }
}

TEST(Http, TlsSettings) {
  const SslGet plain = check_of<SslGet>(in_real("SSL_GET { url { path / } }"));
  EXPECT_FALSE(plain.enable_sni);
  EXPECT_EQ(plain.sni_name, "");
  EXPECT_FALSE(plain.tls_compliant);
  const SslGet all =
      check_of<SslGet>(in_real("SSL_GET { enable_sni\nsni_name a.example\ntls_compliant\nurl { path / } }"));
  EXPECT_TRUE(all.enable_sni);
  EXPECT_EQ(all.sni_name, "a.example");
  EXPECT_TRUE(all.tls_compliant);
  EXPECT_FALSE(check_of<SslGet>(in_real("SSL_GET { enable_sni off\nurl { path / } }")).enable_sni);
}

TEST(Http, VirtualHostIsInheritedBySslGetToo) {
  const std::string text = in_real("virtualhost real\nSSL_GET { url { path / }\nurl { path /b\nvirtualhost url } }");
  const SslGet check = check_of<SslGet>(text);
  EXPECT_EQ(check.urls.at(0).virtualhost, "real");
  EXPECT_EQ(check.urls.at(1).virtualhost, "url");
}

HttpUrl url_of(const std::string& lines) {
  const auto check = check_of<HttpGet>(in_url(lines));
  return check.urls.empty() ? HttpUrl{} : check.urls.front();
}

TEST(Url, StatusCodes) {
  EXPECT_THAT(url_of("").status_code, IsEmpty());
  EXPECT_THAT(url_of("status_code 100 599-599 200-299").status_code,
              ElementsAre(HttpUrl::StatusRange{100, 100}, HttpUrl::StatusRange{599, 599}, HttpUrl::StatusRange{}));
}

TEST(Url, Digest) {
  EXPECT_EQ(url_of("").digest, "");
  EXPECT_EQ(url_of("digest 9B3a0c85a887a256d6939da88aabd8CD").digest, "9b3a0c85a887a256d6939da88aabd8cd");
}

TEST(Url, Regex) {
  EXPECT_EQ(url_of("").regex, std::nullopt);
  EXPECT_EQ(url_of("regex abc").regex, (HttpRegex{.pattern = "abc"}));
  EXPECT_EQ(url_of("regex \"a b{2}\\x41\\nc\"").regex->pattern, "a b{2}A\nc");
  const auto all = url_of(
      "regex \"^OK\"\nregex_no_match\nregex_options multiline caseless multiline\nregex_min_offset 5\n"
      "regex_max_offset 5\nregex_stack 1 16777216");
  EXPECT_EQ(all.regex, (HttpRegex{"^OK", {"caseless", "multiline"}, true, 5, 5, 1, 16777216}));
  const auto edges = url_of("regex a\nregex_no_match off\nregex_min_offset 0\nregex_max_offset 4294967295");
  EXPECT_EQ(edges.regex, (HttpRegex{.pattern = "a", .max_offset = 4294967295U}));
  EXPECT_EQ(url_of("regex a\nregex_max_offset 0").regex->max_offset, 0U);
}

TEST(Url, EveryOptionOfARegex) {
  const std::string all =
      "allow_empty_class alt_bsux auto_callout caseless dollar_endonly dotall dupnames extended firstline "
      "match_unset_backref multiline never_ucp never_utf no_auto_capture no_auto_possess no_dotstar_anchor "
      "no_start_optimize ungreedy never_backslash_c alt_circumflex alt_verbnames use_offset_limit";
  EXPECT_EQ(url_of("regex a\nregex_options " + all).regex->options.size(), 22U);
  EXPECT_EQ(url_of("regex a\nregex_options utf ucp").regex->options, (std::vector<std::string>{"ucp", "utf"}))
      << "these do not go with never_utf and never_ucp";
}

TEST(Smtp, Settings) {
  EXPECT_EQ(check_of<SmtpCheck>(in_real("SMTP_CHECK { }")).helo_name, "smtpchecker.keepalived.org");
  EXPECT_EQ(check_of<SmtpCheck>(in_real("SMTP_CHECK { helo_name lb.example }")).helo_name, "lb.example");
}

TEST(Smtp, EachHostIsACheckOfItsOwn) {
  const auto checkers =
      checkers_of(in_real("SMTP_CHECK { retry 4\nhelo_name x\nhost { connect_ip 192.0.2.8\nconnect_port 25\n}\n"
                          "host { retry 2\nbindto 192.0.2.99\n}\n}",
                          "retry 9\nalpha"));
  ASSERT_EQ(checkers.size(), 2U);
  const auto& first = std::get<SmtpCheck>(checkers[0]);
  const auto& second = std::get<SmtpCheck>(checkers[1]);
  EXPECT_EQ(first.connect, endpoint("192.0.2.8:25"));
  EXPECT_EQ(first.timing.retry, 4U);
  EXPECT_EQ(first.helo_name, "x");
  EXPECT_TRUE(first.alpha);
  EXPECT_EQ(second.connect, endpoint("192.0.2.7:80"));
  EXPECT_EQ(second.timing.retry, 2U);
  EXPECT_EQ(second.source.bindto, endpoint("192.0.2.99:1").address);
  EXPECT_EQ(second.helo_name, "x");
}

TEST(Dns, Settings) {
  const DnsCheck plain = check_of<DnsCheck>(in_real("DNS_CHECK { }"));
  EXPECT_EQ(plain.type, DnsType::kSoa);
  EXPECT_EQ(plain.name, ".");
  for (const auto& [name, type] :
       {std::pair("A", DnsType::kA), std::pair("NS", DnsType::kNs), std::pair("CNAME", DnsType::kCname),
        std::pair("SOA", DnsType::kSoa), std::pair("MX", DnsType::kMx), std::pair("TXT", DnsType::kTxt),
        std::pair("AAAA", DnsType::kAaaa), std::pair("aaaa", DnsType::kAaaa)}) {
    EXPECT_EQ(check_of<DnsCheck>(in_real("DNS_CHECK { type " + std::string(name) + " }")).type, type) << name;
  }
  const std::string label(63, 'a');
  for (const std::string& name :
       {std::string("."), std::string("a"), std::string("www.example.org."), label + "." + label,
        label + "." + label + "." + label + "." + std::string(61, 'a')}) {
    EXPECT_EQ(check_of<DnsCheck>(in_real("DNS_CHECK { name " + name + " }")).name, name);
  }
}

TEST(Udp, Settings) {
  const UdpCheck plain = check_of<UdpCheck>(in_real("UDP_CHECK { }"));
  EXPECT_THAT(plain.payload, IsEmpty());
  EXPECT_FALSE(plain.require_reply);
  EXPECT_THAT(plain.reply, IsEmpty());
  EXPECT_EQ(plain.min_reply_length, 0);
  EXPECT_EQ(plain.max_reply_length, 255);
  const UdpCheck any =
      check_of<UdpCheck>(in_real("UDP_CHECK { require_reply\nmin_reply_length 65535\nmax_reply_length "
                                 "65535 }"));
  EXPECT_TRUE(any.require_reply);
  EXPECT_THAT(any.reply, IsEmpty());
  EXPECT_EQ(any.min_reply_length, 65535);
}

/// The manual page's example of a HEX_STR.
TEST(Udp, HexadecimalDigits) {
  EXPECT_THAT(check_of<UdpCheck>(in_real("UDP_CHECK { payload Ab12f 3 456 546443123 }")).payload,
              ElementsAre(0xab, 0x12, 0x0f, 0x03, 0x45, 0x06, 0x54, 0x64, 0x43, 0x12, 0x03));
  using Byte = UdpCheck::MaskedByte;
  EXPECT_THAT(check_of<UdpCheck>(in_real("UDP_CHECK { require_reply \"aX xb\" XX X }")).reply,
              ElementsAre(Byte{0xa0, 0xf0}, Byte{0x0b, 0x0f}, Byte{0, 0}, Byte{0, 0xf0}));
}

TEST(Misc, Settings) {
  const MiscCheck plain = check_of<MiscCheck>(in_real("MISC_CHECK { misc_path /bin/true }", "delay_loop 8"));
  EXPECT_THAT(plain.command.arguments, ElementsAre("/bin/true"));
  EXPECT_EQ(plain.misc_timeout, seconds(0)) << "delay_loop";
  EXPECT_FALSE(plain.dynamic);
  EXPECT_EQ(plain.user, "");
  EXPECT_EQ(plain.group, "");
  const MiscCheck all = check_of<MiscCheck>(
      in_real("MISC_CHECK { misc_path \"/bin/sh -c 'exit 1' \\\"x y\\\"\"\nmisc_timeout 4294\nmisc_dynamic\n"
              "user nobody nogroup\nretry 2\nalpha\nlog_all_failures\nwarmup 0\ndelay_loop 3\ndelay_before_retry 4 }"));
  EXPECT_THAT(all.command.arguments, ElementsAre("/bin/sh", "-c", "exit 1", "x y"));
  EXPECT_EQ(all.misc_timeout, seconds(4294));
  EXPECT_TRUE(all.dynamic);
  EXPECT_EQ(all.user, "nobody");
  EXPECT_EQ(all.group, "nogroup");
  EXPECT_EQ(all.timing, (CheckTiming{seconds(3), seconds(5), 2, seconds(4), seconds(0)}));
  EXPECT_TRUE(all.alpha);
  EXPECT_TRUE(all.log_all_failures);
}

struct Case {
  const char* name;
  std::string text;
  std::vector<std::string> findings;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

class BadCheck : public testing::TestWithParam<Case> {};

TEST_P(BadCheck, GivesExactlyTheseFindings) {
  const LoadResult result = load_text(GetParam().text, "f");
  EXPECT_THAT(findings(result), ElementsAreArray(GetParam().findings)) << GetParam().text;
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

const Case kNotYet[] = {
    {"Settings",
     in_real("TCP_CHECK {\nbindto 192.0.2.9\nbind_port 1\nbind_if eth0\nfwmark 1\nlog_all_failures\n}"),
     {not_yet("6:1", "bindto"), not_yet("7:1", "bind_port"), not_yet("8:1", "bind_if"), not_yet("9:1", "fwmark"),
      not_yet("10:1", "log_all_failures")}},
    {"OnceForABlock",
     in_real("SSL_GET {\nenable_sni\nurl {\npath /\nregex x\n}\n}\nDNS_CHECK {\ntype A\n}\nUDP_CHECK { }\n"
             "SMTP_CHECK { }\nPING_CHECK { }\nMISC_CHECK { misc_path /bin/true }"),
     {not_yet("5:1", "SSL_GET"), not_yet("12:1", "DNS_CHECK"), not_yet("15:1", "UDP_CHECK"),
      not_yet("16:1", "SMTP_CHECK"), not_yet("17:1", "PING_CHECK"), not_yet("18:1", "MISC_CHECK")}},
    {"OfHttp",
     in_real("HTTP_GET {\nhttp_protocol 1.1\nfast_recovery\nurl {\npath /\ndigest 9b3a0c85a887a256d6939da88aabd8cd\n"
             "regex x\nregex_no_match\n}\n}"),
     {not_yet("6:1", "http_protocol"), not_yet("7:1", "fast_recovery"), not_yet("10:1", "digest"),
      not_yet("11:1", "regex"), not_yet("12:1", "regex_no_match")}},
    {"SniWithoutTls",
     in_real("HTTP_GET { url { path / }\nenable_sni }"),
     {"f:6:1: no effect: 'enable_sni' has no effect here: HTTP_GET does not use TLS"}},
};
INSTANTIATE_TEST_SUITE_P(NotYet, BadCheck, testing::ValuesIn(kNotYet), name_of);

/// A checker of a type that does nothing yet, on line 5: that is said first.
std::vector<std::string> behind(const std::string& keyword, std::vector<std::string> more) {
  more.insert(more.begin(), not_yet("5:1", keyword));
  return more;
}

const Case kCommon[] = {
    {"ConnectPortZero",
     in_real("TCP_CHECK { connect_port 0 }"),
     {"f:5:26: error: connect_port: found '0', wanted a whole number from 1 to 65535"}},
    {"Bind",
     in_real("TCP_CHECK {\nbindto host\nbind_port 0\nbind_port 65536\nbind_if a/b\n}"),
     {not_yet("6:1", "bindto"), "f:6:8: error: bindto: found 'host', wanted a numeric IPv4 or IPv6 address",
      not_yet("7:1", "bind_port"), "f:7:11: error: bind_port: found '0', wanted a whole number from 1 to 65535",
      "f:8:1: warning: 'bind_port' is set again, after line 7; this one, the last, counts",
      "f:8:11: error: bind_port: found '65536', wanted a whole number from 1 to 65535", not_yet("9:1", "bind_if"),
      "f:9:9: error: bind_if: found 'a/b', wanted an interface name of 1 to 15 characters without blanks, '/' and "
      "':'"}},
    {"BindFamily",
     in_real("TCP_CHECK {\nbindto 2001:db8::9\n}"),
     {not_yet("6:1", "bindto"),
      "f:6:1: error: bindto: 2001:db8::9 is not of the family of the address to check, 192.0.2.7"}},
    {"BindMulticast",
     in_real("TCP_CHECK {\nbindto 224.0.0.1\n}"),
     {not_yet("6:1", "bindto"), "f:6:1: error: bindto: 224.0.0.1 cannot be a source address"}},
    {"Fwmark",
     in_real("TCP_CHECK {\nfwmark 4294967296\n}"),
     {not_yet("6:1", "fwmark"),
      "f:6:8: error: fwmark: found '4294967296', wanted a whole number from 0 to 4294967295"}},
    {"Timers",
     in_real("TCP_CHECK {\ndelay_loop 0\nconnect_timeout 4294.967296\ndelay_before_retry -1\nwarmup x\n}"),
     {"f:6:12: error: delay_loop: found '0', wanted seconds from 0.001 to 2678400",
      "f:7:17: error: connect_timeout: found '4294.967296', wanted seconds from 0.001 to 4294.967295",
      "f:8:20: error: delay_before_retry: found '-1', wanted seconds from 0 to 2678400",
      "f:9:8: error: warmup: found 'x', wanted seconds from 0 to 2678400"}},
    {"Retry",
     in_real("TCP_CHECK { retry 1000001 }"),
     {"f:5:19: error: retry: found '1000001', wanted a whole number from 0 to 1000000"}},
    {"RetryOutsideAChecker",
     in_real("retry 0", "retry 0"),
     {"f:3:7: error: retry: found '0', wanted a whole number from 1 to 1000000",
      "f:5:7: error: retry: found '0', wanted a whole number from 1 to 1000000"}},
    {"Flags",
     in_real("TCP_CHECK {\nalpha 1\nlog_all_failures maybe\n}"),
     {"f:6:7: error: alpha: found '1', wanted on, off, true, false, yes or no", not_yet("7:1", "log_all_failures"),
      "f:7:18: error: log_all_failures: found 'maybe', wanted on, off, true, false, yes or no"}},
    {"VirtualHostIsOfHttp",
     in_real("TCP_CHECK { virtualhost x }"),
     {"f:5:13: error: unknown keyword 'virtualhost' in TCP_CHECK (it belongs in virtual_server)"}},
    {"ConnectTimeoutIsNotOfMisc", in_real("MISC_CHECK { misc_path /bin/true\nconnect_timeout 1 }"),
     behind("MISC_CHECK",
            {"f:6:1: error: unknown keyword 'connect_timeout' in MISC_CHECK (it belongs in virtual_server)"})},
};
INSTANTIATE_TEST_SUITE_P(Common, BadCheck, testing::ValuesIn(kCommon), name_of);

const Case kHttp[] = {
    {"NoUrlOverTls", in_real("SSL_GET { }"), behind("SSL_GET", {"f:5:1: error: SSL_GET: 'url' is missing"})},
    {"Protocol",
     in_real("HTTP_GET { url { path / }\nhttp_protocol 2 }"),
     {not_yet("6:1", "http_protocol"), "f:6:15: error: http_protocol: found '2', wanted 1.0, 1.0C or 1.1"}},
    {"StatusEdges",
     in_url("status_code 99 600 100-600"),
     {"f:8:13: error: status_code: found '99', wanted a status code from 100 to 599 or a range such as 200-299",
      "f:8:16: error: status_code: found '600', wanted a status code from 100 to 599 or a range such as 200-299",
      "f:8:20: error: status_code: found '100-600', wanted a status code from 100 to 599 or a range such as 200-299"}},
    {"DigestShort",
     in_url("digest 9b3a0c85a887a256d6939da88aabd8c"),
     {not_yet("8:1", "digest"),
      "f:8:8: error: digest: found '9b3a0c85a887a256d6939da88aabd8c', wanted the MD5 digest of the page: 32 "
      "hexadecimal digits"}},
    {"DigestText",
     in_url("digest 9b3a0c85a887a256d6939da88aabd8cg"),
     {not_yet("8:1", "digest"),
      "f:8:8: error: digest: found '9b3a0c85a887a256d6939da88aabd8cg', wanted the MD5 digest of the page: 32 "
      "hexadecimal digits"}},
    {"RegexSyntax",
     in_url("regex \"ab(c\""),
     {not_yet("8:1", "regex"),
      "f:8:7: error: regex: found 'ab(c', which PCRE2 refuses at character 5: missing closing parenthesis"}},
    {"RegexOptionsThatDoNotGo",
     in_url("regex a\nregex_options utf never_utf"),
     {not_yet("8:1", "regex"),
      "f:8:7: error: regex: found 'a', which PCRE2 refuses at character 1: using UTF is "
      "disabled by the application",
      not_yet("9:1", "regex_options")}},
    {"RegexWords",
     in_url("regex a b"),
     {not_yet("8:1", "regex"), "f:8:7: error: regex: found 'a b', wanted one text; put it in quotes if it has blanks"}},
    {"RegexEmpty",
     in_url("regex \"\"\nregex"),
     {not_yet("8:1", "regex"), "f:8:7: error: regex: found '\"\"', wanted a regular expression that is not empty",
      "f:9:1: error: 'regex' needs a value",
      "f:9:1: warning: 'regex' is set again, after line 8; this one, the last, counts"}},
    {"RegexOption",
     in_url("regex a\nregex_options caselss zzzzzzzz\nregex_options"),
     {not_yet("8:1", "regex"), not_yet("9:1", "regex_options"),
      "f:9:15: error: regex_options: found 'caselss', wanted an option of PCRE2 (did you mean 'caseless'?)",
      "f:9:23: error: regex_options: found 'zzzzzzzz', wanted an option of PCRE2 such as caseless or multiline",
      "f:10:1: error: 'regex_options' needs a value",
      "f:10:1: warning: 'regex_options' is set again, after line 9; this one, the last, counts"}},
    {"RegexOffsets",
     in_url("regex a\nregex_min_offset 4\nregex_max_offset 3"),
     {not_yet("8:1", "regex"), not_yet("9:1", "regex_min_offset"), not_yet("10:1", "regex_max_offset"),
      "f:10:1: error: regex_max_offset 3 is below regex_min_offset 4: nothing could match"}},
    {"RegexOffsetRange",
     in_url("regex a\nregex_min_offset -1\nregex_max_offset 4294967296"),
     {not_yet("8:1", "regex"), not_yet("9:1", "regex_min_offset"),
      "f:9:18: error: regex_min_offset: found '-1', wanted a whole number from 0 to 4294967295",
      not_yet("10:1", "regex_max_offset"),
      "f:10:18: error: regex_max_offset: found '4294967296', wanted a whole number from 0 to 4294967295"}},
    {"RegexStack",
     in_url("regex a\nregex_stack 0 16777217\nregex_stack 9 8\nregex_stack 9"),
     {not_yet("8:1", "regex"), not_yet("9:1", "regex_stack"),
      "f:9:13: error: regex_stack: found '0', wanted a whole number from 1 to 16777216",
      "f:9:15: error: regex_stack: found '16777217', wanted a whole number from 1 to 16777216",
      "f:10:1: warning: 'regex_stack' is set again, after line 9; this one, the last, counts",
      "f:10:15: error: regex_stack: found '8', wanted at least the start, 9",
      "f:11:1: error: 'regex_stack' needs 2 values",
      "f:11:1: warning: 'regex_stack' is set again, after line 10; this one, the last, counts"}},
    {"RegexSettingsAlone",
     in_real("SSL_GET {\nurl {\npath /\nregex_no_match\nregex_options utf\nregex_min_offset 1\nregex_max_offset 2\n"
             "regex_stack 1 2\n}\n}"),
     behind("SSL_GET", {"f:8:1: warning: regex_no_match without regex is ignored",
                        "f:9:1: warning: regex_options without regex is ignored",
                        "f:10:1: warning: regex_min_offset without regex is ignored",
                        "f:11:1: warning: regex_max_offset without regex is ignored",
                        "f:12:1: warning: regex_stack without regex is ignored"})},
};
INSTANTIATE_TEST_SUITE_P(Http, BadCheck, testing::ValuesIn(kHttp), name_of);

const Case kOthers[] = {
    {"DnsType", in_real("DNS_CHECK { type PTR }"),
     behind("DNS_CHECK", {"f:5:18: error: type: found 'PTR', wanted A, NS, CNAME, SOA, MX, TXT or AAAA"})},
    {"DnsNames",
     in_real("DNS_CHECK {\nname a..b\n}\nDNS_CHECK {\nname .a\n}\nDNS_CHECK {\nname a.. \n}\nDNS_CHECK {\nname " +
             std::string(64, 'a') + "\n}"),
     {not_yet("5:1", "DNS_CHECK"),
      "f:6:6: error: name: found 'a..b', wanted a domain name with labels of 1 to 63 characters, 253 in all",
      "f:9:6: error: name: found '.a', wanted a domain name with labels of 1 to 63 characters, 253 in all",
      "f:12:6: error: name: found 'a..', wanted a domain name with labels of 1 to 63 characters, 253 in all",
      "f:15:6: error: name: found '" + std::string(60, 'a') +
          "...', wanted a domain name with labels of 1 to 63 characters, 253 in all"}},
    {"UdpDigits", in_real("UDP_CHECK {\npayload 00 0X\nrequire_reply 0G\n}"),
     behind("UDP_CHECK",
            {"f:6:12: error: payload: found '0X', wanted hexadecimal digits",
             "f:7:15: error: require_reply: found '0G', wanted hexadecimal digits, or X for one that may be any"})},
    {"UdpPayloadEmpty", in_real("UDP_CHECK {\npayload\n}"),
     behind("UDP_CHECK", {"f:6:1: error: 'payload' needs a value"})},
    {"UdpPayloadLong", in_real("UDP_CHECK {\npayload " + std::string(2 * 65508, 'a') + "\n}"),
     behind("UDP_CHECK",
            {"f:6:1: warning: this line has 131025 characters; keepalived reads lines of up to 1023 and would "
             "cut or refuse it",
             "f:6:1: error: payload: more than 65507 bytes"})},
    {"UdpLengths",
     in_real("UDP_CHECK {\nmin_reply_length 256\n}\nUDP_CHECK {\nmin_reply_length 65536\nmax_reply_length -1\n}"),
     {not_yet("5:1", "UDP_CHECK"),
      "f:6:1: error: min_reply_length 256 is above max_reply_length 255: the check could not succeed",
      "f:9:18: error: min_reply_length: found '65536', wanted a whole number from 0 to 65535",
      "f:10:18: error: max_reply_length: found '-1', wanted a whole number from 0 to 65535"}},
    {"SmtpName", in_real("SMTP_CHECK { helo_name }"),
     behind("SMTP_CHECK", {"f:5:14: error: 'helo_name' needs a value"})},
    {"MiscPathMissing", in_real("MISC_CHECK { }"),
     behind("MISC_CHECK", {"f:5:1: error: MISC_CHECK: 'misc_path' is missing"})},
    {"MiscPathEmpty", in_real("MISC_CHECK {\nmisc_path\n}"),
     behind("MISC_CHECK", {"f:6:1: error: 'misc_path' needs a value"})},
    {"MiscTimeout", in_real("MISC_CHECK {\nmisc_path /bin/true\nmisc_timeout 4295\nmisc_timeout 0.5\n}"),
     behind("MISC_CHECK", {"f:7:14: error: misc_timeout: found '4295', wanted a whole number from 0 to 4294",
                           "f:8:1: warning: 'misc_timeout' is set again, after line 7; this one, the last, counts",
                           "f:8:14: error: misc_timeout: found '0.5', wanted a whole number from 0 to 4294"})},
    {"MiscUser", in_real("MISC_CHECK {\nmisc_path /bin/true\nuser\nmisc_dynamic 2\n}"),
     behind("MISC_CHECK", {"f:7:1: error: 'user' needs a value",
                           "f:8:14: error: misc_dynamic: found '2', wanted on, off, true, false, yes or no"})},
    {"FileMissing", in_real("FILE_CHECK { }"),
     behind("FILE_CHECK", {"f:5:1: error: FILE_CHECK: 'track_file' is missing"})},
    {"BfdMissing", in_real("BFD_CHECK { }"), behind("BFD_CHECK", {"f:5:1: error: BFD_CHECK: 'name' is missing"})},
};
INSTANTIATE_TEST_SUITE_P(Others, BadCheck, testing::ValuesIn(kOthers), name_of);

TEST(Ssl, Files) {
  const LoadResult result =
      load_text("SSL {\npassword \"a b\"\nca /etc/ca.pem\ncertificate /etc/lb.pem\nkey /etc/lb.key\n}\n", "f");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.model->ssl, (SslFiles{"a b", "/etc/ca.pem", "/etc/lb.pem", "/etc/lb.key"}));
  EXPECT_THAT(findings(result), ElementsAre(not_yet("1:1", "SSL")));
  EXPECT_EQ(load_text("", "f").model->ssl, SslFiles{});
  EXPECT_THAT(findings(load_text("SSL {\nkey\nca a b\n}\nSSL { key x }\n", "f")),
              ElementsAre(not_yet("1:1", "SSL"), "f:2:1: error: 'key' needs a value",
                          "f:3:6: error: 'ca': 'b' is too much; it takes one value",
                          "f:5:7: warning: 'key' is set again, after line 2; this one, the last, counts"));
}

}  // namespace
}  // namespace lbdp::config
