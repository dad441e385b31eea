// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>

#include "config/keywords.h"
#include "config/keywords_checks.h"
#include "config/setters.h"

namespace lbdp::config {
namespace {

constexpr int kMostWeight = std::numeric_limits<int>::max();

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
    {"uthreshold", "0..4294967295", "0",
     "The most connections that it may have, active and inactive: from then on it gets no new ones. 0: no limit.",
     one<R, &R::uthreshold, number<uint32_t>>},
    {"lthreshold", "0..4294967295", "0",
     "After uthreshold was reached, it gets new ones again below this many; at most uthreshold. 0: below three "
     "quarters "
     "of uthreshold.",
     one<R, &R::lthreshold, number<uint32_t>>},
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
    {"flag-3", "", "off", "Means nothing to any scheduler; taken, with a warning.", constant<V, &V::flag_3, true>},
    {"hashed", "", "off", "Means nothing, in the kernel either; taken, with a note.", constant<V, &V::hashed, true>},
    {"ops", "", "off",
     "One-packet scheduling, of UDP only: every datagram is scheduled anew, and no connection is kept.",
     constant<V, &V::ops, true>},
    {"lb_kind", "DR", "DR", "The forwarding method. Only direct routing exists; NAT and TUN are refused.",
     one<V, &V::lb_kind, lb_kind>},
    {"lvs_method", "DR", "DR", "Synonym of lb_kind.", one<V, &V::lb_kind, lb_kind>},
    {"protocol", "TCP|UDP|SCTP", "required, but for a fwmark",
     "The protocol. keepalived takes UDP without it; lbdp refuses to guess.", one<V, &V::protocol, protocol>},
    {"persistence_timeout", "[0..2678400]", "0; 360 without a port",
     "For how many seconds after its last connection a client's next one goes to the same real server; 360 if the "
     "keyword stands alone. 0: no persistence.",
     take_persistence_timeout},
    {"persistence_granularity", "NETMASK|1..128", "the whole address",
     "Which part of a client's address counts for persistence: a netmask such as 255.255.255.0, or for IPv6 a prefix "
     "length. Without persistence_timeout it sets that to 360.",
     one<V, &V::persistence_granularity, granularity>},
    {"weight", "0..2147483647", "1", "The weight of real servers that have none of their own.",
     one<V, &V::weight, number<int, 0, kMostWeight>>},
    {"inhibit_on_failure", "[BOOL]", "off", "inhibit_on_failure for real servers that do not say otherwise.",
     flag<V, &V::inhibit_on_failure>},
    {"smtp_alert", "[BOOL]", "smtp_alert_checker, then smtp_alert of global_defs, then off",
     "Whether transitions of the service as a whole are mailed.", flag<V, &V::smtp_alert>},
    {"real_server", "ADDRESS [PORT] { ... }", "",
     "A server that takes connections. Direct routing does not change their port, which is the virtual server's; where "
     "that has none of its own, PORT says where checks go.",
     take_real_server, &kRealServerBlock},
};

}  // namespace

constinit const Block kVirtualServerBlock{"virtual_server",
                                          {kKeywords, kCheckDefaultsKeywords<V>, kVirtualHostKeywords<V>}};

}  // namespace lbdp::config
