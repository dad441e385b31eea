// SPDX-License-Identifier: BSD-2-Clause
#include "config/keywords_checks.h"

#include "config/keywords.h"

namespace lbdp::config {
namespace {

void* take_url(void* scope, const Statement& statement, Context& context) {
  expect_arguments(statement, 0, 0, context);
  UrlSpec& url = static_cast<CheckerSpec*>(scope)->urls.emplace_back();
  url.place = statement.place();
  return &url;
}

void* take_status_code(void* scope, const Statement& statement, Context& context) {
  constexpr size_t kMostRanges = 1000;
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
void* take_nb_get_retry(void* scope, const Statement& statement, Context& context) {
  context.diagnostics.note(statement.place(), "nb_get_retry is keepalived's old name of 'retry'");
  return one<CheckerSpec, &CheckerSpec::retry, number<unsigned, 0, 1'000'000>>(scope, statement, context);
}

using C = CheckerSpec;
constexpr Keyword kCommonKeywords[] = {
    {"connect_ip", "ADDRESS", "the real server's", "The address to check.", one<C, &C::connect_ip, address>},
    {"connect_port", "1..65535", "the real server's", "The port to check.",
     one<C, &C::connect_port, number<uint16_t, 1>>},
};

using U = UrlSpec;
constexpr Keyword kUrlKeywords[] = {
    {"path", "PATH", "required", "What to ask for: \"GET PATH\".", one<U, &U::path, url_path>},
    {"status_code", "CODE[-CODE] ...", "200-299", "The status codes that are good.", take_status_code},
    {"virtualhost", "HOST", "the checker's", "The Host header.", one<U, &U::virtualhost, host_header>},
};
constexpr Block kUrlBlock{"url", {kUrlKeywords}};

constexpr Keyword kHttpKeywords[] = {
    {"nb_get_retry", "NUMBER", "1", "Old name of retry.", take_nb_get_retry},
    {"url", "{ ... }", "required", "A page to ask for; several are asked for in turn, one each delay_loop.", take_url,
     &kUrlBlock},
};

}  // namespace

constinit const Block kCheckerTcpBlock{"TCP_CHECK", {kCommonKeywords, kCheckDefaultsKeywords<C>}};
constinit const Block kCheckerHttpBlock{
    "HTTP_GET", {kHttpKeywords, kCommonKeywords, kCheckDefaultsKeywords<C>, kVirtualHostKeywords<C>}};

}  // namespace lbdp::config
