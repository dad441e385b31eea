// SPDX-License-Identifier: BSD-2-Clause
// HTTP_GET, SSL_GET, what they ask for, and the certificates of SSL_GET.
#include <algorithm>

#include "config/keywords.h"
#include "config/keywords_checks.h"
#include "config/quoting.h"
#include "config/regex.h"

namespace lbdp::config {
namespace {

template <class Scope>
void* take_url(void* scope, const Statement& statement, Context& context) {
  expect_arguments(statement, 0, 0, context);
  UrlSpec& url = static_cast<Scope*>(scope)->urls.emplace_back();
  url.place = statement.place();
  return &url;
}

void* take_status_code(void* scope, const Statement& statement, Context& context) {
  constexpr size_t kMostRanges = 500;
  if (!expect_arguments(statement, 1, kMostRanges, context)) return nullptr;
  for (const Word& word : statement.arguments()) {
    const auto range = status_range(word.text);
    if (range) {
      static_cast<UrlSpec*>(scope)->status_code.push_back(*range);
    } else {
      report_value(statement, word, range.error(), context);
    }
  }
  return nullptr;
}

/// nb_get_retry N, the name of retry in old files.
template <class Scope>
void* take_nb_get_retry(void* scope, const Statement& statement, Context& context) {
  context.diagnostics.note(statement.place(), "nb_get_retry is keepalived's old name of 'retry'");
  return one<Scope, &Scope::retry, number<unsigned, 0, kMostRetries>>(scope, statement, context);
}

Result<std::string> digest(std::string_view text) {
  constexpr size_t kDigits = 32;
  std::string lower;
  for (const char c : text) lower += c >= 'A' && c <= 'F' ? static_cast<char>(c | 0x20) : c;
  if (lower.size() != kDigits || lower.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return fail("wanted the MD5 digest of the page: 32 hexadecimal digits");
  }
  return lower;
}

Result<HttpProtocol> http_protocol(std::string_view text) {
  if (text == "1.0") return HttpProtocol::k1_0;
  if (text == "1.0C" || text == "1.0c") return HttpProtocol::k1_0C;
  if (text == "1.1") return HttpProtocol::k1_1;
  return fail("wanted 1.0, 1.0C or 1.1");
}

/// regex "PATTERN", with quotes and backslashes of its own
void* take_regex(void* scope, const Statement& statement, Context& context) {
  std::optional<Item<std::string>> value;
  const Word raw = statement.raw_arguments();
  if (!raw.text.empty() || expect_arguments(statement, 1, 1, context)) {
    auto read = quoted_word(raw.text);
    if (read && read->empty()) read = fail("wanted a regular expression that is not empty");
    if (read) {
      value = {std::move(*read), raw.place};
    } else {
      report_value(statement, raw, read.error(), context);
    }
  }
  assign(static_cast<UrlSpec*>(scope)->regex, std::move(value), statement, context);
  return nullptr;
}

void* take_regex_options(void* scope, const Statement& statement, Context& context) {
  std::vector<std::string> value;
  bool good = expect_arguments(statement, 1, kRegexOptions.size(), context);
  for (const Word& word : statement.arguments()) {
    const auto known = std::ranges::find(kRegexOptions, word.text);
    if (known == kRegexOptions.end()) {
      const std::string_view meant = nearest(word.text, {kRegexOptions.begin(), kRegexOptions.end()});
      report_value(statement, word,
                   Error{"wanted an option of PCRE2" + (meant.empty() ? std::string(" such as caseless or multiline")
                                                                      : " (did you mean " + in_quotes(meant) + "?)")},
                   context);
      good = false;
    } else if (std::ranges::find(value, word.text) == value.end()) {
      value.emplace_back(word.text);
    }
  }
  // In the table's order, so that two files that say the same make the same model.
  std::ranges::sort(value, {}, [](const std::string& option) { return std::ranges::find(kRegexOptions, option); });
  assign(static_cast<UrlSpec*>(scope)->regex_options, good ? std::optional(std::move(value)) : std::nullopt, statement,
         context);
  return nullptr;
}

/// regex_stack START MOST
void* take_regex_stack(void* scope, const Statement& statement, Context& context) {
  constexpr uint32_t kMostBytes = 1U << 24;  // a check's memory is bounded
  std::optional<UrlSpec::RegexStack> value;
  if (expect_arguments(statement, 2, 2, context)) {
    const auto arguments = statement.arguments();
    const auto start = number<uint32_t, 1, kMostBytes>(arguments[0].text);
    const auto most = number<uint32_t, 1, kMostBytes>(arguments[1].text);
    if (!start) report_value(statement, arguments[0], start.error(), context);
    if (!most) report_value(statement, arguments[1], most.error(), context);
    if (start && most && *start > *most) {
      report_value(statement, arguments[1], Error{"wanted at least the start, " + std::to_string(*start)}, context);
    } else if (start && most) {
      value = {*start, *most};
    }
  }
  assign(static_cast<UrlSpec*>(scope)->regex_stack, value, statement, context);
  return nullptr;
}

using U = UrlSpec;
constexpr Keyword kUrlKeywords[] = {
    {"path", "PATH", "required", "What to ask for: \"GET PATH\".", one<U, &U::path, url_path>},
    {"status_code", "CODE[-CODE] ...", "200-299", "The status codes that are good.", take_status_code},
    {"virtualhost", "HOST", "the checker's", "The Host header.", one<U, &U::virtualhost, host_header>},
    {"digest", "DIGEST", "", "The MD5 digest that the body must have, as genhash prints it.",
     one<U, &U::digest, digest>, nullptr, Effect::kNotYet},
    {"regex", "PATTERN", "", "A regular expression (PCRE2) that must match somewhere in the body.", take_regex, nullptr,
     Effect::kNotYet},
    {"regex_no_match", "[BOOL]", "off", "The check fails if the regular expression matches.",
     flag<U, &U::regex_no_match>, nullptr, Effect::kNotYet},
    {"regex_options", "OPTION ...", "", "PCRE2's options by their names, such as caseless, multiline, dotall, utf.",
     take_regex_options, nullptr, Effect::kNotYet},
    {"regex_min_offset", "0..4294967295", "0", "The byte of the body from which on matches count.",
     one<U, &U::regex_min_offset, number<uint32_t>>, nullptr, Effect::kNotYet},
    {"regex_max_offset", "0..4294967295", "the body's end", "The last byte of the body at which a match may start.",
     one<U, &U::regex_max_offset, number<uint32_t>>, nullptr, Effect::kNotYet},
    {"regex_stack", "1..16777216 1..16777216", "PCRE2's", "Bytes of the stack for matching, at the start and at most.",
     take_regex_stack, nullptr, Effect::kNotYet},
};
constexpr Block kUrlBlock{"url", {kUrlKeywords}};

template <class Scope>
constexpr Keyword kHttpKeywords[] = {
    {"nb_get_retry", "NUMBER", "1", "Old name of retry.", take_nb_get_retry<Scope>},
    {"http_protocol", "1.0|1.0C|1.1", "1.0",
     "The version of HTTP that requests are made in; 1.0C is 1.0 with \"Connection: close\".",
     one<Scope, &Scope::http_protocol, http_protocol>, nullptr, Effect::kNotYet},
    {"fast_recovery", "[BOOL]", "off",
     "While the server is down, all its pages are asked for at once, not one each delay_loop.",
     flag<Scope, &Scope::fast_recovery>, nullptr, Effect::kNotYet},
    {"url", "{ ... }", "required", "A page to ask for; several are asked for in turn, one each delay_loop.",
     take_url<Scope>, &kUrlBlock},
};

using H = HttpGetSpec;
constexpr Keyword kPlainKeywords[] = {
    {"enable_sni", "[BOOL]", "", "A setting of SSL_GET.", ignored<0, 1>, nullptr, Effect::kNone,
     "HTTP_GET does not use TLS"},
};

using S = SslGetSpec;
constexpr Keyword kTlsKeywords[] = {
    {"enable_sni", "[BOOL]", "off", "Tell the server the virtual host's name at the start of TLS (SNI).",
     flag<S, &S::enable_sni>, nullptr, Effect::kNotYet},
    {"sni_name", "NAME", "the virtual host", "The name that SNI tells instead.", one<S, &S::sni_name, host_header>,
     nullptr, Effect::kNotYet},
    {"tls_compliant", "[BOOL]", "off", "A server that ends a connection without TLS's close_notify fails the check.",
     flag<S, &S::tls_compliant>, nullptr, Effect::kNotYet},
};

using G = SslSpec;
constexpr Keyword kSslKeywords[] = {
    {"password", "PASSWORD", "", "The password of the key.", one<G, &G::password, text>, nullptr, Effect::kNotYet},
    {"ca", "FILE", "", "The certificates of the authorities that servers' certificates are checked against.",
     one<G, &G::ca, text>, nullptr, Effect::kNotYet},
    {"certificate", "FILE", "", "The certificate that is shown to servers.", one<G, &G::certificate, text>, nullptr,
     Effect::kNotYet},
    {"key", "FILE", "", "The key of that certificate.", one<G, &G::key, text>, nullptr, Effect::kNotYet},
};

}  // namespace

constinit const Block kHttpGetBlock{
    "HTTP_GET",
    {kHttpKeywords<H>, kPlainKeywords, kConnectKeywords<H>, kCheckTimingKeywords<H>, kRetryKeyword<H, 0>,
     kConnectTimeoutKeyword<H>, kAlphaKeyword<H>, kLogKeyword<H>, kVirtualHostKeywords<H>}};
constinit const Block kSslGetBlock{
    "SSL_GET",
    {kHttpKeywords<S>, kTlsKeywords, kConnectKeywords<S>, kCheckTimingKeywords<S>, kRetryKeyword<S, 0>,
     kConnectTimeoutKeyword<S>, kAlphaKeyword<S>, kLogKeyword<S>, kVirtualHostKeywords<S>}};
constinit const Block kSslBlock{"SSL", {kSslKeywords}};

}  // namespace lbdp::config
