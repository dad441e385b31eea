// SPDX-License-Identifier: BSD-2-Clause
// Bad files and the exact findings that they give: every kind of syntax error and value error has its row.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"

namespace lbdp::config {
namespace {

using testing::ElementsAreArray;

struct Case {
  const char* name;
  std::string text;
  std::vector<std::string> findings;  // notes are left out
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

std::vector<std::string> findings(const LoadResult& result) {
  std::vector<std::string> texts;
  for (const Diagnostic& diagnostic : result.diagnostics) {
    if (diagnostic.severity != Severity::kNote) texts.push_back(diagnostic.to_string());
  }
  return texts;
}

class BadFile : public testing::TestWithParam<Case> {};

TEST_P(BadFile, GivesExactlyTheseFindings) {
  const LoadResult result = load_text(GetParam().text, "f");
  EXPECT_THAT(findings(result), ElementsAreArray(GetParam().findings)) << GetParam().text;
  const bool error = std::ranges::any_of(GetParam().findings,
                                         [](const std::string& f) { return f.find(": error: ") != std::string::npos; });
  EXPECT_EQ(result.ok(), !error);
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

/// `line` is line 2.
std::string in_global(const std::string& line) {
  return "global_defs {\n" + line + "\n}\n";
}
/// `lines` start on line 5.
std::string in_instance(const std::string& lines) {
  return "vrrp_instance V {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress { 192.0.2.1 }\n" + lines + "\n}\n";
}
/// `lines` start on line 6.
std::string in_service(const std::string& lines) {
  return "virtual_server 192.0.2.1 80 {\nprotocol TCP\nlb_algo rr\nlb_kind DR\nreal_server 192.0.2.7 80 { }\n" + lines +
         "\n}\n";
}
/// `lines` start on line 4.
std::string in_real(const std::string& lines) {
  return "virtual_server 192.0.2.1 80 {\nprotocol TCP\nlb_algo rr\nlb_kind DR\nreal_server 192.0.2.7 80 {\n" + lines +
         "\n}\n}\n";
}
std::string in_port(const std::string& line) {
  return "dataplane {\nport 0 {\n" + line + "\n}\n}\n";
}

const Case kSyntax[] = {
    {"ClosingBraceAlone", "}\n", {"f:1:1: error: unexpected '}': no block is open here"}},
    {"OpeningBraceAlone",
     "{\nrouter_id x\n}\nglobal_defs { router_id y }\n",
     {"f:1:1: error: unexpected '{': no keyword before it takes this block"}},
    {"TwoOpeningBraces",
     "global_defs {\n{\n}\n}\n",
     {"f:2:1: error: unexpected '{': no keyword before it takes this block"}},
    {"BlockNotClosed",
     "global_defs {\nrouter_id x\n",
     {"f:1:13: error: the block of 'global_defs' is not closed: '}' is missing"}},
    {"TwoBlocksNotClosed",
     "vrrp_instance V {\nauthentication {\n",
     {"f:1:1: error: vrrp_instance 'V': 'interface' is missing",
      "f:1:1: error: vrrp_instance 'V': 'virtual_router_id' is missing",
      "f:1:1: error: vrrp_instance 'V': it has no virtual_ipaddress",
      "f:1:17: error: the block of 'vrrp_instance' is not closed: '}' is missing",
      "f:2:16: error: the block of 'authentication' is not closed: '}' is missing"}},
    {"QuoteNotClosed", in_global("router_id \"a b"), {"f:2:11: error: this quote has no closing quote on the line"}},
    {"ControlCharacter", in_global("router_id a\x01z"), {"f:2:12: error: control character '\\x01' in the file"}},
    {"AtWithoutId",
     "@ global_defs { }\n",
     {"f:1:1: warning: '@' without a config-id drops its line always; write '@ID LINE' or '@^ID LINE'"}},
    {"IncludeOfNothing",
     "includem none.conf\nglobal_defs {\ninclude more.conf\n}\n",
     {"f:1:10: error: 'none.conf' is not there, so nothing is included",
      "f:3:9: warning: 'more.conf' is not there, so nothing is included"}},
    {"ParameterNotDefined", in_global("router_id x${A}y"), {"f:2:12: error: '${A}' is not defined"}},
    {"ParameterWithBlank",
     "$A =1\n",
     {"f:1:1: warning: '$A' is not defined, so the text stays as it is",
      "f:1:1: error: unknown keyword '$A' at the top level"}},
    {"ValueOfAParameter",
     "$A=300\n" + in_instance("priority $A"),
     {"f:6:10: error: priority: found '300', wanted a whole number from 1 to 255"}},
    {"Sequence", "~SEQ(a) x\n", {"f:1:1: error: ~SEQ: wanted (VARIABLE, [START, [STEP,]] END)"}},
    {"UnknownKeyword", "zzz 1\n", {"f:1:1: error: unknown keyword 'zzz' at the top level"}},
    {"UnknownKeywordWithHint",
     in_instance("  prioritty 3"),
     {"f:5:3: error: unknown keyword 'prioritty' in vrrp_instance (did you mean 'priority'?)"}},
    {"WrongCase",
     in_real("http_get { url { path / } }"),
     {"f:6:1: error: unknown keyword 'http_get' in real_server (did you mean 'HTTP_GET'?); its block is skipped"}},
    {"KeywordOfAnotherBlock",
     in_global("priority 3"),
     {"f:2:1: error: unknown keyword 'priority' in global_defs (it belongs in vrrp_instance)"}},
    {"BraceMissingBeforeKeyword",
     "global_defs {\nrouter_id x\nvirtual_server 192.0.2.1 80 {\nprotocol SCTP\n}\n",
     {"f:1:13: error: the block of 'global_defs' is not closed: '}' is missing",
      "f:3:1: error: unknown keyword 'virtual_server' in global_defs (it belongs at the top level: is a '}' missing "
      "before it?); its block is skipped"}},
    {"UnknownBlockIsSkippedWhole",
     in_instance("track_interfaces {\npriority 300\nstate X\n}\nnopreemt"),
     {"f:5:1: error: unknown keyword 'track_interfaces' in vrrp_instance (did you mean 'track_interface'?); its block "
      "is skipped",
      "f:9:1: error: unknown keyword 'nopreemt' in vrrp_instance (did you mean 'nopreempt'?)"}},
    {"BlockWhereNoneIs", in_global("router_id x {\n}"), {"f:2:1: error: 'router_id' takes no block"}},
    {"BlockMissing",
     "global_defs\nvrrp_instance\n",
     {"f:1:1: error: 'global_defs' needs a block: '{' is missing",
      "f:2:1: error: 'vrrp_instance' needs a block: '{' is missing"}},
    {"BlockInAList",
     "global_defs {\nnotification_email {\na@b {\n}\n}\n}\n",
     {
         "f:3:1: error: unexpected block in notification_email, which is a list",
     }},
    {"ValueMissing", in_global("router_id"), {"f:2:1: error: 'router_id' needs a value"}},
    {"ValueTooMuch", in_global("router_id a b"), {"f:2:13: error: 'router_id': 'b' is too much; it takes one value"}},
    {"ValueWhereNoneIs",
     in_instance("nopreempt yes"),
     {"f:5:11: error: 'nopreempt': 'yes' is too much; it takes no value"}},
    {"BlockHeadTooLong",
     "global_defs now { }\n",
     {"f:1:13: error: 'global_defs': 'now' is too much; it takes no value"}},
    {"SetTwice",
     in_global("router_id a\nrouter_id b"),
     {"f:3:1: warning: 'router_id' is set again, after line 2; this one, the last, counts"}},
    {"CommentInAWord",
     in_global("router_id a!b"),
     {"f:2:12: warning: '!' starts a comment here, in the middle of a word; write '\\!' or put the word in quotes if "
      "it "
      "is meant"}},
    {"DataplaneHalfHidden",
     "@lbdp dataplane {\n@lbdp port 0 {\ninterface eth0\n@lbdp }\n@lbdp }\n",
     {"f:3:1: warning: this line of the 'dataplane' block is not behind '@', so keepalived will refuse it: '@ID' hides "
      "a "
      "line, not a block, and belongs before each line of 'dataplane'"}},
};
INSTANTIATE_TEST_SUITE_P(Syntax, BadFile, testing::ValuesIn(kSyntax), name_of);

const Case kGlobal[] = {
    {"MulticastGroup",
     in_global("vrrp_mcast_group4 10.0.0.1"),
     {"f:2:19: error: vrrp_mcast_group4: found '10.0.0.1', wanted an IPv4 multicast address (224.0.0.0 to "
      "239.255.255.255)"}},
    {"SmtpServerName",
     in_global("smtp_server mail.example.org"),
     {"f:2:13: error: smtp_server: found 'mail.example.org', wanted a numeric address: names are not looked up yet"}},
    {"SmtpServerPort",
     in_global("smtp_server 127.0.0.1 0"),
     {"f:2:23: error: smtp_server: found '0', wanted a whole number from 1 to 65535"}},
    {"SmtpServerTooLong",
     in_global("smtp_server 127.0.0.1 25 x"),
     {"f:2:26: error: 'smtp_server': 'x' is too much; it takes at most 2 values"}},
    {"SmtpTimeout",
     in_global("smtp_connect_timeout soon"),
     {"f:2:22: error: smtp_connect_timeout: found 'soon', wanted seconds from 0.001 to 4294"}},
    {"Bool",
     in_global("smtp_alert 1"),
     {"f:2:12: error: smtp_alert: found '1', wanted on, off, true, false, yes or no"}},
    {"EmptyText", in_global("router_id \"\""), {"f:2:11: error: router_id: found '', wanted a text that is not empty"}},
    {"MailWithoutServer",
     in_global("notification_email { a@b }"),
     {"f:2:1: warning: notification_email without smtp_server: no mail is sent"}},
    {"TimeoutsOdd",
     in_global("lvs_timeouts tcp 5 udp"),
     {"f:2:20: error: lvs_timeouts: found 'udp', wanted pairs of tcp, tcpfin or udp and seconds"}},
    {"TimeoutsRange",
     in_global("lvs_timeouts tcp 2678401"),
     {"f:2:18: error: lvs_timeouts: found '2678401', wanted a whole number from 0 to 2678400"}},
    {"TimeoutsEmpty", in_global("lvs_timeouts"), {"f:2:1: error: 'lvs_timeouts' needs 2 values"}},
};
INSTANTIATE_TEST_SUITE_P(Global, BadFile, testing::ValuesIn(kGlobal), name_of);

const Case kVrrp[] = {
    {"State", in_instance("state FAULT"), {"f:5:7: error: state: found 'FAULT', wanted MASTER or BACKUP"}},
    {"PriorityRange",
     in_instance("priority 256"),
     {"f:5:10: error: priority: found '256', wanted a whole number from 1 to 255"}},
    {"PriorityText",
     in_instance("priority high"),
     {"f:5:10: error: priority: found 'high', wanted a whole number from 1 to 255"}},
    {"PriorityOfMaster",
     in_instance("state MASTER"),
     {"f:5:1: warning: vrrp_instance 'V': state MASTER without a priority: the priority is 255, the address owner's"}},
    {"AdvertIntRange",
     in_instance("advert_int 256"),
     {"f:5:12: error: advert_int: found '256', wanted seconds from 0.01 to 255"}},
    {"AdvertIntFraction",
     in_instance("advert_int 1.5"),
     {"f:5:1: warning: vrrp_instance 'V': VRRP version 2 has whole seconds only: advert_int is rounded to 2 s"}},
    {"AuthHeader",
     in_instance("authentication { auth_type AH\nauth_pass x }"),
     {"f:5:28: error: auth_type: found 'AH', wanted PASS: AH is not supported"}},
    {"AuthTypeMissing",
     in_instance("authentication { auth_pass x }"),
     {"f:5:18: warning: vrrp_instance 'V': auth_pass without auth_type PASS is ignored"}},
    {"AuthPassMissing",
     in_instance("authentication { auth_type PASS }"),
     {"f:5:18: warning: vrrp_instance 'V': auth_type without auth_pass: there is no authentication"}},
    {"AuthPassLong",
     in_instance("authentication { auth_type PASS\nauth_pass 123456789 }"),
     {"f:6:1: warning: vrrp_instance 'V': auth_pass has more than eight characters; the first eight count"}},
    {"AuthPassTwoWords",
     in_instance("authentication { auth_type PASS\nauth_pass topsecret two }"),
     {"f:6:1: error: 'auth_pass' takes one password that is not empty; put one with blanks in quotes"}},
    {"Interface",
     "vrrp_instance V {\ninterface abcdefghijklmnop\nvirtual_router_id 1\nvirtual_ipaddress { 192.0.2.1 }\n}\n",
     {"f:2:11: error: interface: found 'abcdefghijklmnop', wanted an interface name of 1 to 15 characters without "
      "blanks, '/' and ':'"}},
    {"NameMissing",
     "vrrp_instance {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress { 192.0.2.1 }\n}\n",
     {"f:1:1: error: 'vrrp_instance' needs a value"}},
    {"AllMissing",
     "vrrp_instance V { }\n",
     {"f:1:1: error: vrrp_instance 'V': 'interface' is missing",
      "f:1:1: error: vrrp_instance 'V': 'virtual_router_id' is missing",
      "f:1:1: error: vrrp_instance 'V': it has no virtual_ipaddress"}},
    {"VridRange",
     "vrrp_instance V {\ninterface eth0\nvirtual_router_id 0\nvirtual_ipaddress { 192.0.2.1 }\n}\n",
     {"f:3:19: error: virtual_router_id: found '0', wanted a whole number from 1 to 255"}},
    {"AddressText",
     in_instance("virtual_ipaddress {\n192.0.2.300\n}"),
     {"f:6:1: error: virtual_ipaddress: found '192.0.2.300', wanted ADDRESS or ADDRESS/LENGTH, IPv4 or IPv6"}},
    {"OnlyAddressText",
     "vrrp_instance V {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress { 192.0.2.300 }\n}\n",
     {"f:4:21: error: virtual_ipaddress: found '192.0.2.300', wanted ADDRESS or ADDRESS/LENGTH, IPv4 or IPv6"}},
    {"NoAddress",
     "vrrp_instance V {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress { }\n}\n",
     {"f:1:1: error: vrrp_instance 'V': it has no virtual_ipaddress"}},
    {"AddressOptions",
     in_instance("virtual_ipaddress {\n192.0.2.3/24 dev eth1\n}"),
     {"f:6:1: warning: vrrp_instance 'V': options of virtual address 192.0.2.3 are checked, but do nothing yet"}},
    {"AddressFamily",
     in_instance("virtual_ipaddress { 2001:db8::1 }"),
     {"f:5:21: error: vrrp_instance 'V': 2001:db8::1 is no IPv4 address as the first is: put it into "
      "virtual_ipaddress_excluded, or into an instance of its own"}},
    {"AddressMulticast",
     in_instance("virtual_ipaddress { 224.0.0.1 }"),
     {"f:5:21: error: vrrp_instance 'V': 224.0.0.1 cannot be a virtual address"}},
    {"AddressTwice",
     in_instance("virtual_ipaddress { 192.0.2.1/24 }"),
     {"f:5:21: warning: vrrp_instance 'V': virtual address 192.0.2.1 is here twice; one is left out"}},
    {"NopreemptOfMaster",
     in_instance("state MASTER\npriority 9\nnopreempt\npreempt_delay 300"),
     {"f:7:1: warning: vrrp_instance 'V': nopreempt does not go with state MASTER and is ignored; write state BACKUP",
      "f:8:1: warning: vrrp_instance 'V': preempt_delay does not go with state MASTER and is ignored; write state "
      "BACKUP"}},
    {"NopreemptOfOwner",
     in_instance("priority 255\nnopreempt"),
     {"f:6:1: warning: vrrp_instance 'V': nopreempt is ignored: with priority 255 the address owner always preempts"}},
    {"NopreemptAndDelay",
     in_instance("nopreempt\npreempt_delay 3"),
     {"f:6:1: warning: vrrp_instance 'V': preempt_delay does not go with nopreempt and is ignored"}},
    {"PreemptDelayRange",
     in_instance("preempt_delay 1001"),
     {"f:5:15: error: preempt_delay: found '1001', wanted seconds from 0 to 1000"}},
    {"TwoInstances",
     in_instance("") + in_instance(""),
     {"f:7:1: error: a second vrrp_instance 'V'; the first is at f:1:1",
      "f:9:1: error: a second virtual_router_id 1 on interface 'eth0'; the first is at f:3:1",
      "f:10:21: error: virtual address 192.0.2.1 belongs to another vrrp_instance too; the first is at f:4:21"}},
};
INSTANTIATE_TEST_SUITE_P(Vrrp, BadFile, testing::ValuesIn(kVrrp), name_of);

const Case kServices[] = {
    {"AllMissing",
     "virtual_server 192.0.2.1 80 { real_server 192.0.2.7 { } }\n",
     {"f:1:1: error: virtual_server 192.0.2.1:80: 'protocol' is missing; write 'protocol TCP' or 'protocol UDP' "
      "(keepalived takes UDP)"}},
    {"NoAddress", "virtual_server {\nprotocol TCP\nlb_algo rr\n}\n", {"f:1:1: error: 'virtual_server' needs a value"}},
    {"BadAddress",
     "virtual_server example.org 80 {\nprotocol TCP\nlb_algo rr\n}\n",
     {"f:1:16: error: virtual_server: found 'example.org', wanted a numeric IPv4 or IPv6 address"}},
    {"BadPort",
     "virtual_server 192.0.2.1 http {\nprotocol TCP\nlb_algo rr\n}\n",
     {"f:1:26: error: virtual_server: found 'http', wanted a whole number from 0 to 65535"}},
    {"Multicast",
     "virtual_server 224.0.0.9 80 {\nprotocol TCP\nlb_algo rr\nreal_server 192.0.2.7 80 { }\n}\n",
     {"f:1:1: error: virtual_server 224.0.0.9: this address cannot be a virtual server's"}},
    {"NoRealServer",
     "virtual_server 192.0.2.1 80 {\nprotocol TCP\nlb_algo rr\n}\n",
     {"f:1:1: warning: virtual_server 192.0.2.1:80: it has no real_server and is left out"}},
    {"Twice",
     in_service("") + in_service(""),
     {"f:8:1: error: a second virtual_server tcp/192.0.2.1:80; the first is at f:1:1"}},
    {"Algorithm",
     in_service("lb_algo best"),
     {"f:6:1: warning: 'lb_algo' is set again, after line 3; this one, the last, counts",
      "f:6:9: error: lb_algo: found 'best', wanted rr, wrr, lc, wlc, sed, nq, sh, dh, mh, fo, ovf or twos"}},
    {"AlgorithmForCaches",
     in_service("lvs_sched lblcr"),
     {"f:6:1: warning: 'lvs_sched' is set again, after line 3; this one, the last, counts",
      "f:6:11: error: lvs_sched: found 'lblcr', wanted rr, wrr, lc, wlc, sed, nq, sh, dh, mh, fo, ovf or twos: lblcr "
      "is "
      "for caches behind addresses without number and is not there; dh and mh also keep an address, or a client, on "
      "one "
      "real server"}},
    {"Kind",
     "virtual_server 192.0.2.1 80 {\nprotocol TCP\nlb_algo rr\nlb_kind NAT\nreal_server 192.0.2.7 80 { }\n}\n",
     {"f:4:9: error: lb_kind: found 'NAT', wanted DR: lbdp forwards by direct routing only (real servers hold the "
      "address on lo; see scripts/realserver)"}},
    {"KindMisspelt",
     "virtual_server 192.0.2.1 80 {\nprotocol TCP\nlb_algo rr\nlvs_method dr\nreal_server 192.0.2.7 { }\n}\n",
     {"f:4:12: error: lvs_method: found 'dr', wanted DR"}},
    {"Protocol",
     "virtual_server 192.0.2.1 80 {\nprotocol TCPx\nlb_algo rr\nreal_server 192.0.2.7 80 { }\n}\n",
     {"f:2:10: error: protocol: found 'TCPx', wanted TCP, UDP or SCTP"}},
    {"PersistenceRange",
     in_service("persistence_timeout 2678401"),
     {"f:6:21: error: persistence_timeout: found '2678401', wanted a whole number from 0 to 2678400"}},
    {"PersistenceText",
     in_service("persistence_timeout long"),
     {"f:6:21: error: persistence_timeout: found 'long', wanted a whole number from 0 to 2678400"}},
    {"DelayLoop",
     in_service("delay_loop 0"),
     {"f:6:12: error: delay_loop: found '0', wanted seconds from 0.001 to 2678400"}},
    {"RealPort",
     in_service("real_server 192.0.2.8 8080 {\n}"),
     {"f:6:1: warning: real_server 192.0.2.8:8080: direct routing keeps the virtual server's port, so the port is 80"}},
    {"RealTwice",
     in_service("real_server 192.0.2.7 {\n}"),
     {"f:6:1: warning: real_server 192.0.2.7:80 is already there, at f:5:1; this one is left out"}},
    {"RealFamily",
     in_service("real_server 2001:db8::7 80 {\n}"),
     {"f:6:1: error: real_server 2001:db8::7: its family is not that of virtual_server 192.0.2.1"}},
    {"RealIsVirtual",
     in_service("real_server 192.0.2.1 80 {\n}"),
     {"f:6:1: error: real_server 192.0.2.1: this address cannot be a real server's"}},
    {"RealAddress",
     in_service("real_server rs1 eighty {\n}"),
     {"f:6:13: error: real_server: found 'rs1', wanted a numeric IPv4 or IPv6 address",
      "f:6:17: error: real_server: found 'eighty', wanted a whole number from 0 to 65535"}},
    {"RealTooMuch",
     in_service("real_server 192.0.2.9 80 90 {\n}"),
     {"f:6:26: error: 'real_server': '90' is too much; it takes at most 2 values"}},
};
INSTANTIATE_TEST_SUITE_P(Services, BadFile, testing::ValuesIn(kServices), name_of);

const Case kRealServers[] = {
    {"Weight", in_real("weight -1"), {"f:6:8: error: weight: found '-1', wanted a whole number from 0 to 2147483647"}},
    {"WeightTooBig",
     in_real("weight 2147483648"),
     {"f:6:8: error: weight: found '2147483648', wanted a whole number from 0 to 2147483647"}},
    {"Inhibit",
     in_real("inhibit_on_failure maybe"),
     {"f:6:20: error: inhibit_on_failure: found 'maybe', wanted on, off, true, false, yes or no"}},
    {"CheckerHead",
     in_real("TCP_CHECK fast { }"),
     {"f:6:11: error: 'TCP_CHECK': 'fast' is too much; it takes no value"}},
    {"UrlMissing", in_real("HTTP_GET { }"), {"f:6:1: error: HTTP_GET: 'url' is missing"}},
    {"PathMissing", in_real("HTTP_GET { url { } }"), {"f:6:12: error: url: 'path' is missing"}},
    {"PathRelative",
     in_real("HTTP_GET { url { path index.html } }"),
     {"f:6:23: error: path: found 'index.html', wanted a path that starts with '/', without blanks, of at most 1024 "
      "characters"}},
    {"PathWithBlank",
     in_real("HTTP_GET { url { path \"/a b\" } }"),
     {"f:6:23: error: path: found '/a b', wanted a path that starts with '/', without blanks, of at most 1024 "
      "characters"}},
    {"Status",
     in_real("HTTP_GET { url { path /\nstatus_code 200 20 300-200 2xx }\n}"),
     {"f:7:17: error: status_code: found '20', wanted a status code from 100 to 599 or a range such as 200-299",
      "f:7:20: error: status_code: found '300-200', wanted a status code from 100 to 599 or a range such as 200-299",
      "f:7:28: error: status_code: found '2xx', wanted a status code from 100 to 599 or a range such as 200-299"}},
    {"StatusEmpty",
     in_real("HTTP_GET { url { path /\nstatus_code\n}\n}"),
     {"f:7:1: error: 'status_code' needs a value"}},
    {"UrlInTcp",
     in_real("TCP_CHECK { url { path / } }"),
     {"f:6:13: error: unknown keyword 'url' in TCP_CHECK (it belongs in HTTP_GET); its block is skipped"}},
    {"VirtualHost",
     in_real("virtualhost \"a b\""),
     {"f:6:13: error: virtualhost: found 'a b', wanted a host name, as it is to stand in the request's Host header"}},
    {"ConnectIp",
     in_real("TCP_CHECK { connect_ip host }"),
     {"f:6:24: error: connect_ip: found 'host', wanted a numeric IPv4 or IPv6 address"}},
    {"ConnectIpMulticast",
     in_real("TCP_CHECK { connect_ip 224.0.0.9 }"),
     {"f:6:13: error: connect_ip: 224.0.0.9 cannot be checked"}},
    {"ConnectPort",
     in_real("TCP_CHECK { connect_port 65536 }"),
     {"f:6:26: error: connect_port: found '65536', wanted a whole number from 1 to 65535"}},
    {"Retry",
     in_real("TCP_CHECK { retry 1.5 }"),
     {"f:6:19: error: retry: found '1.5', wanted a whole number from 0 to 1000000"}},
    {"OldAndNewRetry",
     in_real("HTTP_GET { retry 1\nnb_get_retry 2\nurl { path / } }"),
     {"f:7:1: warning: 'nb_get_retry' is set again, after line 6; this one, the last, counts"}},
};
INSTANTIATE_TEST_SUITE_P(RealServers, BadFile, testing::ValuesIn(kRealServers), name_of);

const Case kDataplane[] = {
    {"PortId", "dataplane {\nport 32 { }\n}\n", {"f:2:6: error: port: found '32', wanted a whole number from 0 to 31"}},
    {"PortWithoutId", "dataplane {\nport { }\n}\n", {"f:2:1: error: 'port' needs a value"}},
    {"PortTwice",
     "dataplane {\nport 0 {\ndevice a\ninterface eth0\n}\nport 0 {\ndevice a\ninterface eth0\n}\n}\n",
     {"f:6:1: error: port 0 belongs to two ports; the first is at f:2:1",
      "f:7:1: error: device 'a' belongs to two ports; the first is at f:3:1",
      "f:8:1: error: interface 'eth0' belongs to two ports; the first is at f:4:1"}},
    {"PortAddress",
     in_port("ipaddress 192.0.2.1/33"),
     {"f:3:11: error: ipaddress: found '192.0.2.1/33', wanted ADDRESS or ADDRESS/LENGTH, IPv4 or IPv6"}},
    {"PortAddressMulticast",
     in_port("ipaddress 224.0.0.1/24"),
     {"f:3:1: error: ipaddress: 224.0.0.1/24 cannot be an interface's address"}},
    {"PortDescriptors",
     in_port("rx_descriptors 16\ntx_descriptors 65535"),
     {"f:3:16: error: rx_descriptors: found '16', wanted a whole number from 32 to 32768",
      "f:4:16: error: tx_descriptors: found '65535', wanted a whole number from 32 to 32768"}},
    {"Connections",
     "dataplane {\nconnections 0\n}\n",
     {"f:2:13: error: connections: found '0', wanted a whole number from 64 to 268435456"}},
    {"IdleSleep",
     "dataplane {\nidle_sleep 50xs\nidle_sleep 2s\n}\n",
     {"f:2:12: error: idle_sleep: found '50xs', wanted a time from 0 to 1s, such as '50us', '1ms', '0.1s' or '0.001'",
      "f:3:1: warning: 'idle_sleep' is set again, after line 2; this one, the last, counts",
      "f:3:12: error: idle_sleep: found '2s', wanted a time from 0 to 1s, such as '50us', '1ms', '0.1s' or '0.001'"}},
    {"Mbufs",
     "dataplane {\nmbufs 100\nmbuf_size 128\n}\n",
     {"f:2:7: error: mbufs: found '100', wanted a whole number from 1024 to 134217728",
      "f:3:11: error: mbuf_size: found '128', wanted a whole number from 256 to 65535"}},
    {"ExpireNodestConn",
     "dataplane {\nexpire_nodest_conn 1\n}\n",
     {"f:2:20: error: expire_nodest_conn: found '1', wanted on, off, true, false, yes or no"}},
};
INSTANTIATE_TEST_SUITE_P(Dataplane, BadFile, testing::ValuesIn(kDataplane), name_of);

}  // namespace
}  // namespace lbdp::config
