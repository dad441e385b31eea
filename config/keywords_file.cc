// SPDX-License-Identifier: BSD-2-Clause
#include "config/keywords.h"
#include "config/setters.h"

namespace lbdp::config {
namespace {

void* take_vrrp_instance(void* scope, const Statement& statement, Context& context) {
  VrrpInstanceSpec& instance = static_cast<FileSpec*>(scope)->vrrp_instances.emplace_back();
  instance.place = statement.place();
  if (!expect_arguments(statement, 1, 1, context)) return &instance;
  auto read = name(statement.arguments()[0].text);
  if (read) {
    instance.name = *read;
  } else {
    report_value(statement, statement.arguments()[0], read.error(), context);
  }
  return &instance;
}

/// virtual_server IP PORT; the other forms are known, and refused.
void take_virtual_server_head(VirtualServerSpec& server, const Statement& statement, Context& context) {
  if (!expect_arguments(statement, 1, 2, context)) return;
  const auto arguments = statement.arguments();
  if (arguments[0].text == "fwmark" || arguments[0].text == "group") {
    context.diagnostics.error(arguments[0].place, "virtual_server: " + in_quotes(arguments[0].text) +
                                                      " is not supported yet; wanted virtual_server ADDRESS PORT");
    return;
  }
  const auto ip = address(arguments[0].text);
  if (ip) {
    server.address = *ip;
  } else {
    report_value(statement, arguments[0], ip.error(), context);
  }
  if (arguments.size() == 1 || arguments[1].text == "0") {
    context.diagnostics.error(statement.place(),
                              "virtual_server without a port is not supported yet (it needs "
                              "persistence); wanted virtual_server ADDRESS PORT");
    return;
  }
  const auto port = number<uint16_t, 1>(arguments[1].text);
  if (port) {
    server.port = *port;
  } else {
    report_value(statement, arguments[1], port.error(), context);
  }
}

void* take_virtual_server(void* scope, const Statement& statement, Context& context) {
  VirtualServerSpec& server = static_cast<FileSpec*>(scope)->virtual_servers.emplace_back();
  server.place = statement.place();
  take_virtual_server_head(server, statement, context);
  return &server;
}

constexpr Keyword kKeywords[] = {
    {"global_defs", "{ ... }", "", "Settings of the director as a whole.", member_scope<FileSpec, &FileSpec::global>,
     &kGlobalDefsBlock},
    {"vrrp_instance", "NAME { ... }", "",
     "A VRRP instance: virtual addresses that belong to whichever director is MASTER. Names are unique.",
     take_vrrp_instance, &kVrrpInstanceBlock},
    {"virtual_server", "ADDRESS PORT { ... }", "",
     "A service that is balanced over real servers. Address, port and protocol together are unique.",
     take_virtual_server, &kVirtualServerBlock},
    {"dataplane", "{ ... }", "",
     "Settings of the packet path, which keepalived does not have. In a file that keepalived reads too, put @lbdp "
     "before "
     "each line of the block.",
     member_scope<FileSpec, &FileSpec::dataplane>, &kDataplaneBlock},
};

}  // namespace

constinit const Block kFileBlock{"file", {kKeywords}};

}  // namespace lbdp::config
