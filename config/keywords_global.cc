// SPDX-License-Identifier: BSD-2-Clause
#include "config/keywords_global.h"

#include <algorithm>

#include "config/keywords.h"
#include "config/keywords_global_process.h"
#include "config/keywords_global_scripts.h"
#include "config/keywords_global_vrrp.h"

namespace lbdp::config {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr uint16_t kSmtpPort = 25;  // RFC 5321 section 4.5.4.2

void take_email(void* scope, const Statement& entry, Context&) {
  auto& global = *static_cast<GlobalSpec*>(scope);
  for (const Word& word : entry.words()) global.notification_email.emplace_back(word.text);
}

void* take_email_block(void* scope, const Statement& statement, Context& context) {
  expect_arguments(statement, 0, 0, context);
  static_cast<GlobalSpec*>(scope)->notification_email_place = statement.place();
  return scope;
}

/// smtp_server ADDRESS [PORT]
void* take_smtp_server(void* scope, const Statement& statement, Context& context) {
  std::optional<Endpoint> value;
  if (expect_arguments(statement, 1, 2, context)) {
    const auto arguments = statement.arguments();
    const auto ip = IpAddress::parse(arguments[0].text);
    const auto port = arguments.size() > 1 ? number<uint16_t, 1>(arguments[1].text) : Result<uint16_t>(kSmtpPort);
    if (!ip) {
      report_value(statement, arguments[0], {"wanted a numeric address: names are not looked up yet"}, context);
    }
    if (!port) report_value(statement, arguments[1], port.error(), context);
    if (ip && port) value = Endpoint{*ip, *port};
  }
  assign(static_cast<GlobalSpec*>(scope)->smtp_server, value, statement, context);
  return nullptr;
}

/// One word of include_check; the preprocessor acts on it.
Result<std::string> include_check_word(std::string_view text) {
  constexpr std::string_view kChecks[] = {"readable", "match", "wildcard_match", "brace_match"};
  const bool has_sign = text.starts_with('+') || text.starts_with('-');
  if (std::ranges::find(kChecks, text.substr(has_sign ? 1 : 0)) != std::end(kChecks)) return std::string(text);
  return fail("wanted readable, match, wildcard_match or brace_match, with or without + or - before it");
}

constexpr Block kEmailBlock{"notification_email", {}, take_email};

using G = GlobalSpec;
constexpr Keyword kKeywords[] = {
    {"notification_email", "{ ADDRESS ... }", "no mail",
     "Who gets mail about transitions of real servers and VRRP instances. Without smtp_server no mail is sent.",
     take_email_block, &kEmailBlock},
    {"notification_email_from", "ADDRESS", "the user at the host's name", "The sender of these mails.",
     one<G, &G::notification_email_from, text>},
    {"smtp_server", "ADDRESS [PORT]", "no mail; port 25",
     "The mail server, by its numeric address. An unreachable one delays nothing.", take_smtp_server},
    {"smtp_helo_name", "NAME", "the host's name", "The name given in HELO.", one<G, &G::smtp_helo_name, name>},
    {"smtp_connect_timeout", "SECONDS", "30", "How long a mail server may take to accept the connection.",
     one<G, &G::smtp_connect_timeout, seconds<kSecond / 1000, 4294 * kSecond>>},
    {"router_id", "NAME", "the host's name", "This director's name in the subject of its mails.",
     one<G, &G::router_id, text>},
    {"smtp_alert", "[BOOL]", "off for virtual servers and VRRP instances, on for real servers",
     "Whether transitions are mailed where no inner smtp_alert says otherwise.", flag<G, &G::smtp_alert>},
    {"smtp_alert_vrrp", "[BOOL]", "smtp_alert", "The same for VRRP instances.", flag<G, &G::smtp_alert_vrrp>},
    {"smtp_alert_checker", "[BOOL]", "smtp_alert", "The same for virtual and real servers.",
     flag<G, &G::smtp_alert_checker>},
    {"lvs_timeouts", "[tcp SECONDS] [tcpfin SECONDS] [udp SECONDS]", "tcp 900 tcpfin 120 udp 300",
     "How long connections are kept: established TCP, TCP after a FIN, UDP. At most 2678400 (31 days); 0 keeps the "
     "default.",
     take_lvs_timeouts},
    {"no_email_faults", "[BOOL]", "off", "No mail about instances that go to FAULT.", flag<G, &G::no_email_faults>,
     nullptr, Effect::kNotYet},
    {"no_checker_emails", "[BOOL]", "off", "No mail about single checkers, only about real servers that come and go.",
     flag<G, &G::no_checker_emails>, nullptr, Effect::kNone,
     "mails are about real servers, never about single checkers"},
    {"checker_log_all_failures", "[BOOL]", "off", "Log each failed check, not only those after which a server is down.",
     flag<G, &G::checker_log_all_failures>, nullptr, Effect::kNotYet},
    {"rs_init_notifies", "[BOOL]", "off", "Run notify_up at the start, too, for servers that begin as up.",
     flag<G, &G::rs_init_notifies>, nullptr, Effect::kNotYet},
    {"lvs_sync_daemon",
     "INTERFACE [[inst] INSTANCE] [id 0..255] [maxlen 1..65507] [port 1..65535] [ttl 1..255] [group ADDRESS]", "none",
     "Synchronisation of connections between directors: over which interface, and which instance's MASTER sends. "
     "Without "
     "id the instance's VRID, or 0; port 8848, ttl 1, group 224.0.0.81.",
     take_lvs_sync_daemon, nullptr, Effect::kNotYet, "connections are not synchronised"},
    {"include_check", "[CHECK ...]", "missing files are no errors",
     "Which missing files of include are errors: readable, match, wildcard_match, brace_match, each with + or - before "
     "it to add or take away; all without arguments.",
     nothing_but<0, 16, include_check_word>},
    {"random_seed", "0..4294967295", "another one each time", "Makes ${_RANDOM} repeatable.",
     nothing_but<1, 1, number<uint32_t>>},
};

}  // namespace

constinit const Block kGlobalDefsBlock{"global_defs",
                                       {kKeywords, kGlobalVrrpRows, kGlobalScriptRows, kGlobalProcessRows}};

}  // namespace lbdp::config
