// SPDX-License-Identifier: BSD-2-Clause
#include "config/keywords.h"
#include "config/keywords_services.h"
#include "config/setters.h"

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

void* take_vrrp_instance(void* scope, const Statement& statement, Context& context) {
  VrrpInstanceSpec& instance = static_cast<FileSpec*>(scope)->vrrp_instances.emplace_back();
  instance.place = statement.place();
  if (!expect_arguments(statement, 1, 1, context)) return &instance;
  std::optional<std::string> read;
  take_name(read, statement, statement.arguments()[0], context);
  instance.name = read.value_or("");
  return &instance;
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

constexpr Keyword kKeywords[] = {
    {"global_defs", "{ ... }", "", "Settings of the director as a whole.", member_scope<FileSpec, &FileSpec::global>,
     &kGlobalDefsBlock},
    {"vrrp_instance", "NAME { ... }", "",
     "A VRRP instance: virtual addresses that belong to whichever director is MASTER. Names are unique.",
     take_vrrp_instance, &kVrrpInstanceBlock},
    {"virtual_server", "ADDRESS [PORT]|fwmark MARK|group NAME { ... }", "",
     "A service that is balanced over real servers: of an address and port (no port, or 0: all ports), of a firewall "
     "mark, or of a group. Address, port and protocol together are unique.",
     take_virtual_server, &kVirtualServerBlock},
    {"virtual_server_group", "NAME { ADDRESS[-ADDRESS] [PORT] | fwmark MARK ... }", "",
     "Addresses and ports, ranges of addresses, and firewall marks, one a line, that 'virtual_server group NAME' makes "
     "a virtual server each, with the same real servers, which are checked once.",
     take_group, &kVirtualServerGroupBlock},
    {"SSL", "{ ... }", "", "What SSL_GET presents to servers, and whom it trusts.",
     member_scope<FileSpec, &FileSpec::ssl>, &kSslBlock, Effect::kNotYet},
    {"dataplane", "{ ... }", "",
     "Settings of the packet path, which keepalived does not have. In a file that keepalived reads too, put @lbdp "
     "before "
     "each line of the block.",
     member_scope<FileSpec, &FileSpec::dataplane>, &kDataplaneBlock},
};

}  // namespace

constinit const Block kFileBlock{"file", {kKeywords}};

}  // namespace lbdp::config
