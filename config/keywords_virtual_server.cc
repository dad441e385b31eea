// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>

#include "config/keywords.h"
#include "config/keywords_checks.h"
#include "config/setters.h"

namespace lbdp::config {
namespace {

constexpr int kMostWeight = std::numeric_limits<int>::max();

Result<LbAlgo> lb_algo(std::string_view text) {
  static constexpr std::string_view kKnown[] = {"wrr", "lc", "wlc", "lblc", "lblcr", "sh",  "mh",
                                                "dh",  "fo", "ovf", "sed",  "nq",    "twos"};
  if (text == "rr") return LbAlgo::kRoundRobin;
  if (std::ranges::find(kKnown, text) != std::end(kKnown)) return fail("wanted rr: others are not there yet");
  return fail("wanted rr");
}

Result<LbKind> lb_kind(std::string_view text) {
  if (text == "DR") return LbKind::kDirectRouting;
  if (text == "NAT" || text == "TUN") {
    return fail(
        "wanted DR: lbdp forwards by direct routing only (real servers hold the address on lo; see "
        "scripts/realserver)");
  }
  return fail("wanted DR");
}

/// persistence_timeout [SECONDS]; keepalived takes 360 for a bare one.
void* take_persistence_timeout(void* scope, const Statement& statement, Context& context) {
  std::optional<Duration> value;
  if (expect_arguments(statement, 0, 1, context)) {
    const auto arguments = statement.arguments();
    if (arguments.size() == 1 && arguments[0].text == "0") {
      value = Duration(0);
      context.diagnostics.note(arguments[0].place,
                               "persistence_timeout 0 means no persistence here; keepalived 2.2 refuses the 0: to use "
                               "the file with both, leave the line out");
    } else if (const auto seconds =
                   arguments.empty() ? Result<uint32_t>(360u) : number<uint32_t, 0, 2678400>(arguments[0].text)) {
      context.diagnostics.error(statement.place(),
                                "persistence_timeout: persistence is not there yet; wanted 0, or no "
                                "such line");
    } else {
      report_value(statement, arguments[0], seconds.error(), context);
    }
  }
  assign(static_cast<VirtualServerSpec*>(scope)->persistence_timeout, value, statement, context);
  return nullptr;
}

/// real_server ADDRESS [PORT]
void* take_real_server(void* scope, const Statement& statement, Context& context) {
  auto& outer = *static_cast<VirtualServerSpec*>(scope);
  RealServerSpec& server = outer.real_servers.emplace_back();
  server.place = statement.place();
  if (!expect_arguments(statement, 1, 2, context)) return &server;
  const auto arguments = statement.arguments();
  const auto ip = address(arguments[0].text);
  const auto port = arguments.size() > 1 ? number<uint16_t, 0>(arguments[1].text) : Result<uint16_t>(uint16_t{0});
  if (!ip) report_value(statement, arguments[0], ip.error(), context);
  if (!port) report_value(statement, arguments[1], port.error(), context);
  if (!ip || !port) return &server;
  server.address = *ip;
  server.port = *port;
  return &server;
}

template <CheckerSpec::Type kType>
void* take_checker(void* scope, const Statement& statement, Context& context) {
  expect_arguments(statement, 0, 0, context);
  CheckerSpec& checker = static_cast<RealServerSpec*>(scope)->checkers.emplace_back();
  checker.type = kType;
  checker.place = statement.place();
  return &checker;
}

using R = RealServerSpec;
constexpr Keyword kRealServerKeywords[] = {
    {"weight", "0..2147483647", "the virtual server's weight, or 1",
     "The server's share of new connections. 0: no new connections, those that it has go on.",
     one<R, &R::weight, number<int, 0, kMostWeight>>},
    {"inhibit_on_failure", "[BOOL]", "the virtual server's, or off",
     "A failed check sets the weight to 0 and leaves the server in the table, so that its connections go on.",
     flag<R, &R::inhibit_on_failure>},
    {"smtp_alert", "[BOOL]", "smtp_alert_checker, then smtp_alert of global_defs, then on",
     "Whether transitions of this server are mailed.", flag<R, &R::smtp_alert>},
    {"TCP_CHECK", "{ ... }", "", "Checks that a TCP connection can be made.", take_checker<CheckerSpec::Type::kTcp>,
     &kCheckerTcpBlock},
    {"HTTP_GET", "{ ... }", "", "Checks that HTTP requests are answered as wanted.",
     take_checker<CheckerSpec::Type::kHttp>, &kCheckerHttpBlock},
};
constexpr Block kRealServerBlock{"real_server",
                                 {kRealServerKeywords, kCheckDefaultsKeywords<R>, kVirtualHostKeywords<R>}};

using V = VirtualServerSpec;
constexpr Keyword kKeywords[] = {
    {"lb_algo", "rr", "required", "The scheduler. rr: strict round robin over all usable servers.",
     one<V, &V::lb_algo, lb_algo>},
    {"lvs_sched", "rr", "required", "Synonym of lb_algo.", one<V, &V::lb_algo, lb_algo>},
    {"lb_kind", "DR", "DR", "The forwarding method. Only direct routing exists; NAT and TUN are refused.",
     one<V, &V::lb_kind, lb_kind>},
    {"lvs_method", "DR", "DR", "Synonym of lb_kind.", one<V, &V::lb_kind, lb_kind>},
    {"protocol", "TCP|UDP", "required", "The protocol. keepalived takes UDP without it; lbdp refuses to guess.",
     one<V, &V::protocol, protocol>},
    {"persistence_timeout", "0", "0", "0: no persistence. Other values are refused until it is there.",
     take_persistence_timeout},
    {"weight", "0..2147483647", "1", "The weight of real servers that have none of their own.",
     one<V, &V::weight, number<int, 0, kMostWeight>>},
    {"inhibit_on_failure", "[BOOL]", "off", "inhibit_on_failure for real servers that do not say otherwise.",
     flag<V, &V::inhibit_on_failure>},
    {"smtp_alert", "[BOOL]", "smtp_alert_checker, then smtp_alert of global_defs, then off",
     "Whether transitions of the service as a whole are mailed.", flag<V, &V::smtp_alert>},
    {"real_server", "ADDRESS [PORT] { ... }", "",
     "A server that takes connections. The port must be the virtual server's: direct routing does not change it.",
     take_real_server, &kRealServerBlock},
};

}  // namespace

constinit const Block kVirtualServerBlock{"virtual_server",
                                          {kKeywords, kCheckDefaultsKeywords<V>, kVirtualHostKeywords<V>}};

}  // namespace lbdp::config
