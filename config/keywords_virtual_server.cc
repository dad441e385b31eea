// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>

#include "config/keywords.h"
#include "config/keywords_checks.h"
#include "config/keywords_services.h"
#include "config/quoting.h"
#include "config/setters.h"

namespace lbdp::config {
namespace {

constexpr std::string_view kAlgorithms = "rr|wrr|lc|wlc|sed|nq|sh|dh|mh|fo|ovf|twos";

Result<LbAlgo> lb_algo(std::string_view text) {
  static constexpr std::pair<std::string_view, LbAlgo> kKnown[] = {
      {"rr", LbAlgo::kRoundRobin},      {"wrr", LbAlgo::kWeightedRoundRobin},
      {"lc", LbAlgo::kLeastConnection}, {"wlc", LbAlgo::kWeightedLeastConnection},
      {"sh", LbAlgo::kSourceHash},      {"sed", LbAlgo::kShortestExpectedDelay},
      {"nq", LbAlgo::kNeverQueue},      {"dh", LbAlgo::kDestinationHash},
      {"mh", LbAlgo::kMaglev},          {"fo", LbAlgo::kFailover},
      {"ovf", LbAlgo::kOverflow},       {"twos", LbAlgo::kTwoChoices},
  };
  const auto known = std::ranges::find(kKnown, text, &std::pair<std::string_view, LbAlgo>::first);
  if (known != std::end(kKnown)) return known->second;
  std::string wanted = "wanted rr, wrr, lc, wlc, sed, nq, sh, dh, mh, fo, ovf or twos";
  if (text == "lblc" || text == "lblcr") {
    wanted += ": " + std::string(text) +
              " is for caches behind addresses without number and is not there; dh and mh also keep an address, or a "
              "client, on one real server";
  }
  return fail(std::move(wanted));
}

/// persistence_timeout [SECONDS]; keepalived takes 360 for a bare one.
void* take_persistence_timeout(void* scope, const Statement& statement, Context& context) {
  std::optional<Duration> value;
  if (expect_arguments(statement, 0, 1, context)) {
    const auto arguments = statement.arguments();
    const auto seconds = arguments.empty() ? Result<uint32_t>(360u) : number<uint32_t, 0, 2678400>(arguments[0].text);
    if (!seconds) {
      report_value(statement, arguments[0], seconds.error(), context);
    } else {
      value = std::chrono::seconds(*seconds);
      if (*seconds == 0) {
        context.diagnostics.note(arguments[0].place,
                                 "persistence_timeout 0 means no persistence here; keepalived 2.2 refuses the 0: to "
                                 "use the file with both, leave the line out");
      }
    }
  }
  assign(static_cast<VirtualServerSpec*>(scope)->persistence_timeout, value, statement, context);
  return nullptr;
}

/// A dotted netmask or a prefix length; which of them it must be depends on the family.
Result<GranularitySpec> granularity(std::string_view text) {
  if (text.find('.') != std::string_view::npos) {
    const auto bits = netmask_length(text);
    if (!bits) return tl::unexpected(bits.error());
    return GranularitySpec{true, *bits};
  }
  const auto bits = number<uint8_t, 1, 128>(text);
  if (!bits) return fail("wanted a netmask such as 255.255.255.0, or for IPv6 a length from 1 to 128");
  return GranularitySpec{false, *bits};
}

/// real_server ADDRESS [PORT]
void* take_real_server(void* scope, const Statement& statement, Context& context) {
  RealServerSpec& server = static_cast<VirtualServerSpec*>(scope)->real_servers.emplace_back();
  server.place = statement.place();
  const auto endpoint = read_endpoint(statement, context);
  if (!endpoint) return &server;
  server.address = endpoint->address;
  server.port = endpoint->port;
  return &server;
}

/// sorry_server ADDRESS [PORT]
void* take_sorry_server(void* scope, const Statement& statement, Context& context) {
  assign(static_cast<VirtualServerSpec*>(scope)->sorry_server, read_endpoint(statement, context), statement, context);
  return nullptr;
}

Result<Family> family(std::string_view text) {
  if (text == "inet") return Family::kIpv4;
  if (text == "inet6") return Family::kIpv6;
  return fail("wanted inet or inet6");
}

/// A flag that keepalived takes as set whatever follows it.
template <auto kMember>
void* lone_flag(void* scope, const Statement& statement, Context& context) {
  const auto& setting = static_cast<VirtualServerSpec*>(scope)->*kMember;
  flag<VirtualServerSpec, kMember>(scope, statement, context);
  if (setting && !*setting) {
    context.diagnostics.warning(statement.place(),
                                in_quotes(statement.keyword()) +
                                    " of a virtual_server is off here; keepalived ignores "
                                    "the value and takes it as on: to use the file with both, leave the line out");
  }
  return nullptr;
}

using V = VirtualServerSpec;
constexpr Keyword kKeywords[] = {
    {"lb_algo", kAlgorithms, "wlc", "The scheduler: how a real server is chosen for a new connection.",
     one<V, &V::lb_algo, lb_algo>},
    {"lvs_sched", kAlgorithms, "wlc", "Synonym of lb_algo.", one<V, &V::lb_algo, lb_algo>},
    {"sh-port", "", "off", "sh hashes the client's port, too, not its address alone.", constant<V, &V::sh_port, true>},
    {"sh-fallback", "", "off", "sh sends the clients of an overloaded real server to another one, not away.",
     constant<V, &V::sh_fallback, true>},
    {"mh-port", "", "off", "mh hashes the client's port, too, not its address alone.", constant<V, &V::mh_port, true>},
    {"mh-fallback", "", "off", "mh sends the clients of an overloaded real server to another one, not away.",
     constant<V, &V::mh_fallback, true>},
    {"flag-1", "", "off", "ipvsadm's name of sh-fallback and mh-fallback, whichever is meant.",
     constant<V, &V::flag_1, true>},
    {"flag-2", "", "off", "ipvsadm's name of sh-port and mh-port, whichever is meant.", constant<V, &V::flag_2, true>},
    {"flag-3", "", "off", "ipvsadm's name of a third flag of schedulers.", ignored<0, 0>, nullptr, Effect::kNone,
     "it means nothing to any scheduler"},
    {"hashed", "", "off", "A flag of the kernel's own.", ignored<0, 0>, nullptr, Effect::kNone,
     "the kernel sets it by itself for every service"},
    {"ops", "", "off",
     "One-packet scheduling, of UDP only: every datagram is scheduled anew, and no connection is kept.",
     constant<V, &V::ops, true>},
    {"lb_kind", "DR", "DR", "The forwarding method. Only direct routing exists; NAT and TUN are refused.",
     take_lb_kind<V, &V::lb_kind>},
    {"lvs_method", "DR", "DR", "Synonym of lb_kind.", take_lb_kind<V, &V::lb_kind>},
    {"protocol", "TCP|UDP|SCTP", "required, but for a fwmark",
     "The protocol, in upper or lower case. keepalived takes UDP without it; lbdp refuses to guess.",
     one<V, &V::protocol, protocol>},
    {"ip_family", "inet|inet6", "that of the real servers",
     "The family of a virtual server by fwmark. Any other has that of its address, and this must not contradict it.",
     one<V, &V::ip_family, family>},
    {"persistence_timeout", "[0..2678400]", "0; 360 without a port",
     "For how many seconds after its last connection a client's next one goes to the same real server; 360 if the "
     "keyword stands alone. 0: no persistence.",
     take_persistence_timeout},
    {"persistence_granularity", "NETMASK|1..128", "the whole address",
     "Which part of a client's address counts for persistence: a netmask such as 255.255.255.0, or for IPv6 a prefix "
     "length. Without persistence_timeout it sets that to 360.",
     one<V, &V::persistence_granularity, granularity>},
    {"persistence_engine", "NAME", "", "What beside the client's address counts for persistence.", ignored<1, 1>,
     nullptr, Effect::kRefused,
     "persistence goes by the client's address only; the kernel's 'sip' engine, which goes by a call's id, is not "
     "there"},
    {"weight", "1..2147483647", "1", "The weight of real servers that have none of their own.",
     one<V, &V::weight, number<int, 1, kMostWeight>>},
    {"inhibit_on_failure", "[BOOL]", "off", "inhibit_on_failure for real servers that do not say otherwise.",
     lone_flag<&V::inhibit_on_failure>},
    {"alpha", "[BOOL]", "off",
     "alpha for checkers that do not say otherwise: servers are out until their first check "
     "succeeds.",
     lone_flag<&V::alpha>},
    {"omega", "[BOOL]", "off",
     "At the end of the director, servers and services that are up are notified as down (notify_down, quorum_down, "
     "mails).",
     lone_flag<&V::omega>, nullptr, Effect::kNotYet},
    {"quorum", "1..4294967295", "1",
     "The weight of servers that are up below which the service counts as down: quorum_down runs, and the sorry_server "
     "takes over. At most the weight of all servers.",
     one<V, &V::quorum, number<uint32_t, 1>>, nullptr, Effect::kNotYet},
    {"hysteresis", "0..4294967295", "0",
     "The quorum is there at quorum + hysteresis, and lost below quorum - hysteresis; less than quorum.",
     one<V, &V::hysteresis, number<uint32_t>>, nullptr, Effect::kNotYet},
    {"quorum_up", "COMMAND [USER [GROUP]]", "", "Runs when the quorum is there.", take_notify<V, &V::quorum_up>,
     nullptr, Effect::kNotYet},
    {"quorum_down", "COMMAND [USER [GROUP]]", "", "Runs when the quorum is lost.", take_notify<V, &V::quorum_down>,
     nullptr, Effect::kNotYet},
    {"sorry_server", "ADDRESS [PORT]", "", "The server that takes connections alone while the quorum is lost.",
     take_sorry_server, nullptr, Effect::kNotYet},
    {"sorry_server_inhibit", "[BOOL]", "off",
     "The sorry_server stays in the table with weight 0 when the quorum is back, so that its connections go on.",
     lone_flag<&V::sorry_server_inhibit>, nullptr, Effect::kNotYet},
    {"sorry_server_lvs_method", "DR", "the virtual server's",
     "The forwarding method of the sorry_server. Only direct routing exists; NAT and TUN are refused.",
     take_lb_kind<V, &V::sorry_server_lvs_method>},
    {"ha_suspend", "[BOOL]", "off", "Servers are checked only while an address of the service is on this director.",
     lone_flag<&V::ha_suspend>, nullptr, Effect::kNotYet},
    {"snmp_name", "NAME", "", "The service's name for SNMP.", ignored<1, 1>, nullptr, Effect::kNone,
     "there is no SNMP agent"},
    {"smtp_alert", "[BOOL]", "smtp_alert_checker, then smtp_alert of global_defs, then off",
     "Whether transitions of the service as a whole are mailed.", flag<V, &V::smtp_alert>},
    {"real_server", "ADDRESS [PORT] { ... }", "",
     "A server that takes connections. Direct routing does not change their port, which is the virtual server's; where "
     "that has none of its own, PORT says where checks go.",
     take_real_server, &kRealServerBlock},
};

}  // namespace

std::optional<LbKind> read_lb_kind(const Statement& statement, Context& context) {
  constexpr size_t kMostOptions = 6;  // of TUN
  if (!expect_arguments(statement, 1, kMostOptions, context)) return std::nullopt;
  const Word& kind = statement.arguments()[0];
  if (kind.text == "DR") {
    return expect_arguments(statement, 1, 1, context) ? std::optional(LbKind::kDirectRouting) : std::nullopt;
  }
  const bool known = kind.text == "NAT" || kind.text == "TUN";
  report_value(statement, kind,
               Error{known ? "wanted DR: lbdp forwards by direct routing only (real servers hold the address on lo; "
                             "see scripts/realserver)"
                           : "wanted DR"},
               context);
  return std::nullopt;
}

std::optional<Endpoint> read_endpoint(const Statement& statement, Context& context) {
  if (!expect_arguments(statement, 1, 2, context)) return std::nullopt;
  const auto arguments = statement.arguments();
  const auto ip = address(arguments[0].text);
  const auto port = arguments.size() > 1 ? number<uint16_t, 0>(arguments[1].text) : Result<uint16_t>(uint16_t{0});
  if (!ip) report_value(statement, arguments[0], ip.error(), context);
  if (!port) report_value(statement, arguments[1], port.error(), context);
  return ip && port ? std::optional(Endpoint{*ip, *port}) : std::nullopt;
}

std::optional<CommandLine> read_notify(const Statement& statement, Context& context) {
  const Word raw = statement.raw_arguments();
  if (raw.text.empty()) {
    expect_arguments(statement, 1, 1, context);
    return std::nullopt;
  }
  auto read = command_line(raw.text);
  if (read) return std::move(*read);
  report_value(statement, raw, read.error(), context);
  return std::nullopt;
}

constinit const Block kVirtualServerBlock{
    "virtual_server",
    {kKeywords, kCheckTimingKeywords<V>, kRetryKeyword<V, 1>, kConnectTimeoutKeyword<V>, kVirtualHostKeywords<V>}};

}  // namespace lbdp::config
