// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>

#include "config/keywords_vrrp.h"
#include "config/line_reader.h"

namespace lbdp::config {
namespace {

/// "02:00:00:00:00:01", or five octets to which the VRID is added.
Result<VmacSpec> vmac(std::string_view text) {
  const bool five = std::ranges::count(text, ':') == 4;
  const auto parsed = MacAddress::parse(five ? std::string(text) + ":00" : std::string(text));
  if (!parsed) return fail("wanted a MAC address of six octets, or of five to which the VRID is added");
  // The addresses of RFC 5798 section 7.3 belong to their VRIDs: one in the file can only be that of another instance.
  constexpr uint8_t kReserved[] = {0x00, 0x00, 0x5e, 0x00};
  if (std::ranges::equal(std::span(parsed->bytes).first(4), kReserved) &&
      (parsed->bytes[4] == 1 || parsed->bytes[4] == 2)) {
    return fail("which is one of RFC 5798's own; leave it out");
  }
  if (parsed->is_group()) return fail("wanted a unicast MAC address");
  return VmacSpec{{}, *parsed, five};
}

}  // namespace

void* take_use_vmac(void* scope, const Statement& statement, Context& context) {
  LineReader line(statement.keyword(), statement.arguments(), context);
  VmacSpec value;
  while (!line.done()) {
    const Word& word = line.take();
    if (word.text.find(':') == std::string_view::npos) {
      if (!value.name.empty()) line.report(word, "but the interface has its name");
      value.name = line.read_as<std::string>(word, interface_name).value_or("");
      continue;
    }
    if (value.mac) line.report(word, "but the interface has its MAC address");
    if (const auto read = line.read_as<VmacSpec>(word, vmac)) {
      value.mac = read->mac;
      value.add_vrid = read->add_vrid;
    }
  }
  assign(static_cast<VrrpInstanceSpec*>(scope)->use_vmac, line.good() ? std::optional(value) : std::nullopt, statement,
         context);
  return nullptr;
}

}  // namespace lbdp::config
