// SPDX-License-Identifier: BSD-2-Clause
#include "config/keywords.h"
#include "config/setters.h"

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

Setting<Duration>* timeout_of(TimeoutsSpec& timeouts, std::string_view protocol) {
  if (protocol == "tcp") return &timeouts.tcp;
  if (protocol == "tcpfin") return &timeouts.tcpfin;
  if (protocol == "udp") return &timeouts.udp;
  return nullptr;
}

/// lvs_timeouts [tcp N] [tcpfin N] [udp N]
void* take_lvs_timeouts(void* scope, const Statement& statement, Context& context) {
  TimeoutsSpec& timeouts = static_cast<GlobalSpec*>(scope)->timeouts;
  if (!expect_arguments(statement, 2, 6, context)) return nullptr;
  const auto arguments = statement.arguments();
  for (size_t i = 0; i < arguments.size(); i += 2) {
    Setting<Duration>* timeout = timeout_of(timeouts, arguments[i].text);
    if (timeout == nullptr || i + 1 == arguments.size()) {
      report_value(statement, arguments[i], {"wanted pairs of tcp, tcpfin or udp and seconds"}, context);
      return nullptr;
    }
    const auto value = number<uint32_t, 0, 2678400>(arguments[i + 1].text);
    if (!value) {
      report_value(statement, arguments[i + 1], value.error(), context);
      continue;
    }
    assign(*timeout, std::optional<Duration>(std::chrono::seconds(*value)), statement, context);
  }
  return nullptr;
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
     one<G, &G::smtp_connect_timeout, seconds<kSecond / 1000, 3600 * kSecond>>},
    {"router_id", "NAME", "the host's name", "This director's name in the subject of its mails.",
     one<G, &G::router_id, text>},
    {"vrrp_mcast_group4", "ADDRESS", "224.0.0.18", "The IPv4 multicast group of VRRP advertisements.",
     one<G, &G::vrrp_mcast_group4, ipv4_multicast>},
    {"smtp_alert", "[BOOL]", "off for virtual servers and VRRP instances, on for real servers",
     "Whether transitions are mailed where no inner smtp_alert says otherwise.", flag<G, &G::smtp_alert>},
    {"smtp_alert_vrrp", "[BOOL]", "smtp_alert", "The same for VRRP instances.", flag<G, &G::smtp_alert_vrrp>},
    {"smtp_alert_checker", "[BOOL]", "smtp_alert", "The same for virtual and real servers.",
     flag<G, &G::smtp_alert_checker>},
    {"lvs_timeouts", "[tcp SECONDS] [tcpfin SECONDS] [udp SECONDS]", "tcp 900 tcpfin 120 udp 300",
     "How long connections are kept: established TCP, TCP after a FIN, UDP. At most 2678400 (31 days); 0 keeps the "
     "default.",
     take_lvs_timeouts},
};

}  // namespace

constinit const Block kGlobalDefsBlock{"global_defs", {kKeywords}};

}  // namespace lbdp::config
