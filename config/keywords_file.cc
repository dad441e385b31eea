// SPDX-License-Identifier: BSD-2-Clause
#include "config/keywords_global.h"
#include "config/keywords_services.h"
#include "config/keywords_vrrp.h"

namespace lbdp::config {
namespace {

void take_name(std::optional<std::string>& to, const Statement& statement, const Word& word, Context& context) {
  auto read = name(word.text);
  if (read) {
    to = std::move(*read);
  } else {
    report_value(statement, word, read.error(), context);
  }
}

/// A block with a name, one more of a list.
template <class Spec>
void* take_named(std::vector<Spec>& list, const Statement& statement, Context& context) {
  Spec& spec = list.emplace_back();
  spec.place = statement.place();
  if (!expect_arguments(statement, 1, 1, context)) return &spec;
  std::optional<std::string> read;
  take_name(read, statement, statement.arguments()[0], context);
  spec.name = read.value_or("");
  return &spec;
}

void* take_vrrp_instance(void* scope, const Statement& statement, Context& context) {
  return take_named(static_cast<FileSpec*>(scope)->vrrp_instances, statement, context);
}

template <auto kMember>
void* named(void* scope, const Statement& statement, Context& context) {
  return take_named(static_cast<FileSpec*>(scope)->vrrp.*kMember, statement, context);
}

void* take_old_track_file(void* scope, const Statement& statement, Context& context) {
  note_old_name(statement, "track_file", context);
  return named<&VrrpSpec::files>(scope, statement, context);
}

void* take_bfd_instance(void* scope, const Statement& statement, Context& context) {
  constexpr size_t kLongest = 31;  // keepalived's
  auto* bfd = static_cast<BfdInstanceSpec*>(named<&VrrpSpec::bfd>(scope, statement, context));
  if (bfd->name.size() > kLongest) {
    report_value(statement, statement.arguments()[0], {"wanted a name of at most 31 characters"}, context);
  }
  return bfd;
}

void* take_track_group(void* scope, const Statement& statement, Context& context) {
  return take_named(static_cast<FileSpec*>(scope)->vrrp.statics.track_groups, statement, context);
}

void* take_garp_group(void* scope, const Statement& statement, Context& context) {
  expect_arguments(statement, 0, 0, context);
  auto& group = static_cast<FileSpec*>(scope)->vrrp.garp_groups.emplace_back();
  group.place = statement.place();
  return &group;
}

template <auto kMember>
void* statics(void* scope, const Statement& statement, Context& context) {
  return list_scope<StaticsSpec, kMember>(&static_cast<FileSpec*>(scope)->vrrp.statics, statement, context);
}

void* take_interface_delays(void* scope, const Statement& statement, Context& context) {
  return list_scope<VrrpSpec, &VrrpSpec::interface_delays>(&static_cast<FileSpec*>(scope)->vrrp, statement, context);
}

/// ADDRESS [PORT], fwmark MARK or group NAME
void take_virtual_server_head(VirtualServerHead& head, const Statement& statement, Context& context) {
  if (!expect_arguments(statement, 1, 2, context)) return;
  const auto arguments = statement.arguments();
  head.place = arguments[0].place;
  const bool mark = arguments[0].text == "fwmark";
  head.by_mark = mark;
  if (mark || arguments[0].text == "group") {
    if (!expect_arguments(statement, 2, 2, context)) return;
    head.place = arguments[1].place;
    if (!mark) {
      take_name(head.group, statement, arguments[1], context);
    } else if (const auto read = fwmark(arguments[1].text)) {
      head.fwmark = *read;
    } else {
      report_value(statement, arguments[1], read.error(), context);
    }
    return;
  }
  const auto endpoint = read_endpoint(statement, context);
  if (!endpoint) return;
  head.address = endpoint->address;
  head.port = endpoint->port;
}

void* take_virtual_server(void* scope, const Statement& statement, Context& context) {
  VirtualServerSpec& server = static_cast<FileSpec*>(scope)->virtual_servers.emplace_back();
  server.place = statement.place();
  take_virtual_server_head(server.head, statement, context);
  return &server;
}

void* take_group(void* scope, const Statement& statement, Context& context) {
  VirtualServerGroupSpec& group = static_cast<FileSpec*>(scope)->groups.emplace_back();
  group.place = statement.place();
  std::optional<std::string> read;
  if (expect_arguments(statement, 1, 1, context)) take_name(read, statement, statement.arguments()[0], context);
  group.name = read.value_or("");
  return &group;
}

constexpr Keyword kGlobalRows[] = {
    {"global_defs", "{ ... }", "", "Settings of the director as a whole.", member_scope<FileSpec, &FileSpec::global>,
     &kGlobalDefsBlock},
};

constexpr Keyword kVrrpRows[] = {
    {"vrrp_instance", "NAME { ... }", "",
     "A VRRP instance: virtual addresses that belong to whichever director is MASTER. Names are unique.",
     take_vrrp_instance, &kVrrpInstanceBlock},
    {"vrrp_sync_group", "NAME { ... }", "",
     "Instances that are MASTER together or not at all: what one comes to, the others follow.",
     named<&VrrpSpec::sync_groups>, &kVrrpSyncGroupBlock},
    {"vrrp_script", "NAME { ... }", "", "A command that is run again and again, for track_script.",
     named<&VrrpSpec::scripts>, &kVrrpScriptBlock},
    {"track_file", "NAME { ... }", "", "A file with a number in it, for track_file blocks and FILE_CHECK.",
     named<&VrrpSpec::files>, &kTrackFileObjectBlock},
    {"vrrp_track_file", "NAME { ... }", "", "The old name of track_file.", take_old_track_file, &kOldTrackFileBlock},
    {"vrrp_track_process", "NAME { ... }", "", "A process that is to run on this host, for track_process.",
     named<&VrrpSpec::processes>, &kVrrpTrackProcessBlock, Effect::kNotYet},
    {"bfd_instance", "NAME { ... }", "",
     "A session of bidirectional forwarding detection (RFC 5880), for track_bfd and BFD_CHECK.", take_bfd_instance,
     &kBfdInstanceBlock, Effect::kNotYet},
    {"track_group", "NAME { ... }", "",
     "Instances that go to FAULT when a static address, route or rule of the group is lost.", take_track_group,
     &kTrackGroupBlock, Effect::kNotYet},
    {"static_ipaddress", "{ ADDRESS[/LENGTH] [OPTION] ... }", "",
     "Addresses that are on an interface always, with the options of virtual_ipaddress and track_group NAME.",
     statics<&StaticsSpec::addresses>, &kStaticAddressBlock, Effect::kNotYet},
    {"static_routes", "{ ADDRESS/LENGTH [via ADDRESS] [dev NAME] [OPTION] ... }", "",
     "Routes that are there always, written as in virtual_routes, with track_group NAME.",
     statics<&StaticsSpec::routes>, &kStaticRouteBlock, Effect::kNotYet},
    {"static_rules", "{ from|to ADDRESS/LENGTH table TABLE preference N [OPTION] ... }", "",
     "Routing rules that are there always, written as in virtual_rules, with track_group NAME.",
     statics<&StaticsSpec::rules>, &kStaticRuleBlock, Effect::kNotYet},
    {"interface_up_down_delays", "{ NAME DOWN [UP] ... }", "no delay",
     "How many seconds an interface must be down, and up, before VRRP takes notice, 0 to 255, one interface a line; "
     "without UP as DOWN. Shorter than a BACKUP waits for its MASTER.",
     take_interface_delays, &kInterfaceDelaysBlock, Effect::kNotYet},
    {"garp_group", "{ ... }", "",
     "The pace of gratuitous ARPs on some interfaces, where vrrp_garp_interval is not to hold.", take_garp_group,
     &kGarpGroupBlock, Effect::kNotYet},
    {"linkbeat_use_polling", "", "", "Poll the link state of all interfaces.", nothing, nullptr, Effect::kNone,
     "link states come from the kernel at once, without polling"},
    {"linkbeat_interfaces", "{ NAME [MII|ETHTOOL|IOCTL] ... }", "", "Poll the link state of these interfaces.",
     same_scope, &kLinkbeatInterfacesBlock, Effect::kNone, "link states come from the kernel at once, without polling"},
};

constexpr Keyword kServiceRows[] = {
    {"virtual_server", "ADDRESS [PORT]|fwmark MARK|group NAME { ... }", "",
     "A service that is balanced over real servers: of an address and port (no port, or 0: all ports), of a firewall "
     "mark, or of a group. Address, port and protocol together are unique.",
     take_virtual_server, &kVirtualServerBlock},
    {"virtual_server_group", "NAME { ADDRESS[-ADDRESS] [PORT] | fwmark MARK ... }", "",
     "Addresses and ports, ranges of addresses, and firewall marks, one a line, that 'virtual_server group NAME' makes "
     "a virtual server each, with the same real servers, which are checked once.",
     take_group, &kVirtualServerGroupBlock},
    {"net_namespace", "NAME", "", "The network namespace to run in.", nothing<1, 1>, nullptr, Effect::kRefused,
     "start lbdp in it: ip netns exec NAME lbdp ..., or NetworkNamespacePath= of the systemd unit"},
    {"net_namespace_ipvs", "NAME", "", "The network namespace of IPVS.", nothing<1, 1>, nullptr, Effect::kRefused,
     "packets come from lbdp's own ports, not from a namespace"},
    {"namespace_with_ipsets", "", "", "Uses ipsets in a namespace.", nothing<0, 0>, nullptr, Effect::kNone,
     "lbdp needs no ipsets"},
    {"instance", "NAME", "", "A name for one of several keepalived processes of a host.", nothing_but<1, 1, name>,
     nullptr, Effect::kNone, "several lbdp take different --control-socket and --file-prefix"},
    {"use_pid_dir", "", "", "Puts PID files into a directory of their own.", nothing<0, 0>, nullptr, Effect::kNone,
     "lbdp writes no PID file; the control socket tells whether it runs"},
    {"child_wait_time", "0..4294967295", "", "How many seconds keepalived waits for its processes when it stops.",
     nothing_but<1, 1, number<uint32_t>>, nullptr, Effect::kNone, "lbdp is one process"},
    {"SSL", "{ ... }", "", "What SSL_GET presents to servers, and whom it trusts.",
     member_scope<FileSpec, &FileSpec::ssl>, &kSslBlock, Effect::kNotYet},
    {"dataplane", "{ ... }", "",
     "Settings of the packet path, which keepalived does not have. In a file that keepalived reads too, put @lbdp "
     "before "
     "each line of the block.",
     member_scope<FileSpec, &FileSpec::dataplane>, &kDataplaneBlock},
};

}  // namespace

constinit const Block kFileBlock{"file", {kGlobalRows, kVrrpRows, kServiceRows}};

}  // namespace lbdp::config
