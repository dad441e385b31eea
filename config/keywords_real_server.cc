// SPDX-License-Identifier: BSD-2-Clause
#include "config/keywords.h"
#include "config/keywords_checks.h"
#include "config/keywords_services.h"

namespace lbdp::config {
namespace {

template <class Spec>
void* take_checker(void* scope, const Statement& statement, Context& context) {
  expect_arguments(statement, 0, 0, context);
  auto& checkers = static_cast<RealServerSpec*>(scope)->checkers;
  auto& checker = std::get<Spec>(checkers.emplace_back(std::in_place_type<Spec>));
  checker.place = statement.place();
  return &checker;
}

using R = RealServerSpec;
constexpr Keyword kKeywords[] = {
    {"weight", "0..2147483647", "the virtual server's weight, or 1",
     "The server's share of new connections. 0: no new connections, those that it has go on.",
     one<R, &R::weight, number<int, 0, kMostWeight>>},
    {"lvs_method", "DR", "the virtual server's",
     "The forwarding method of this server. Only direct routing exists; NAT and TUN are refused.",
     take_lb_kind<R, &R::lvs_method>},
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
    {"notify_up", "COMMAND [USER [GROUP]]", "", "Runs when the server goes up.", take_notify<R, &R::notify_up>, nullptr,
     Effect::kNotYet},
    {"notify_down", "COMMAND [USER [GROUP]]", "", "Runs when the server goes down.", take_notify<R, &R::notify_down>,
     nullptr, Effect::kNotYet},
    {"snmp_name", "NAME", "", "The server's name for SNMP.", ignored<1, 1>, nullptr, Effect::kNone,
     "there is no SNMP agent"},
};

constexpr Keyword kCheckers[] = {
    {"TCP_CHECK", "{ ... }", "", "Checks that a TCP connection can be made.", take_checker<TcpCheckSpec>,
     &kTcpCheckBlock},
    {"HTTP_GET", "{ ... }", "", "Checks that HTTP requests are answered as wanted.", take_checker<HttpGetSpec>,
     &kHttpGetBlock},
    {"SSL_GET", "{ ... }", "", "The same over TLS.", take_checker<SslGetSpec>, &kSslGetBlock, Effect::kNotYet},
    {"SMTP_CHECK", "{ ... }", "", "Checks that a mail server greets and answers HELO.", take_checker<SmtpCheckSpec>,
     &kSmtpCheckBlock, Effect::kNotYet},
    {"DNS_CHECK", "{ ... }", "", "Checks that a name server answers a query, over UDP.", take_checker<DnsCheckSpec>,
     &kDnsCheckBlock, Effect::kNotYet},
    {"UDP_CHECK", "{ ... }", "",
     "Sends a datagram: an ICMP error fails the check, and so does silence if a reply is "
     "required.",
     take_checker<UdpCheckSpec>, &kUdpCheckBlock, Effect::kNotYet},
    {"PING_CHECK", "{ ... }", "", "Checks that an ICMP echo request is answered.", take_checker<PingCheckSpec>,
     &kPingCheckBlock, Effect::kNotYet},
    {"MISC_CHECK", "{ ... }", "", "Runs a command, whose exit status counts.", take_checker<MiscCheckSpec>,
     &kMiscCheckBlock, Effect::kNotYet},
    {"FILE_CHECK", "{ ... }", "", "Takes the server's weight, or its failure, from the number in a track_file.",
     take_checker<FileCheckSpec>, &kFileCheckBlock, Effect::kNotYet},
    {"BFD_CHECK", "{ ... }", "", "Follows the state of a bfd_instance.", take_checker<BfdCheckSpec>, &kBfdCheckBlock,
     Effect::kNotYet},
};

}  // namespace

constinit const Block kRealServerBlock{"real_server",
                                       {kKeywords, kCheckers, kCheckTimingKeywords<R>, kRetryKeyword<R, 1>,
                                        kConnectTimeoutKeyword<R>, kAlphaKeyword<R>, kVirtualHostKeywords<R>}};

}  // namespace lbdp::config
