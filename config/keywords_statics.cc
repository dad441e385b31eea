// SPDX-License-Identifier: BSD-2-Clause
// How interfaces are treated, whichever instances are on them.
#include "config/keywords_garp.h"
#include "config/line_reader.h"

namespace lbdp::config {
namespace {

/// NAME DOWN [UP]
void take_delay(void* scope, const Statement& entry, Context& context) {
  constexpr auto kRead = seconds<0, int64_t{255} * 1'000'000>;
  LineReader line("interface_up_down_delays", entry.words(), context);
  InterfaceDelay delay;
  const Word& interface = line.take();
  delay.interface = line.read_as<std::string>(interface, interface_name).value_or("");
  delay.down = line.value<Duration>(interface, kRead).value_or(Duration(0));
  delay.up = line.done() ? delay.down : line.read_as<Duration>(line.take(), kRead).value_or(Duration(0));
  if (!line.done()) line.report(line.take(), "which is too much; wanted NAME DOWN [UP]");
  if (line.good()) {
    static_cast<std::vector<Item<InterfaceDelay>>*>(scope)->push_back({std::move(delay), entry.place()});
  }
}

/// NAME [MII|ETHTOOL|IOCTL]
void take_linkbeat(void*, const Statement& entry, Context& context) {
  LineReader line("linkbeat_interfaces", entry.words(), context);
  line.read_as<std::string>(line.take(), interface_name);
  if (line.done() || line.skip("MII") || line.skip("ETHTOOL") || line.skip("IOCTL")) {
    if (line.done()) return;
  }
  line.report(line.take(), "wanted MII, ETHTOOL or IOCTL");
}

void take_interfaces(void* scope, const Statement& entry, Context& context) {
  LineReader line("interfaces", entry.words(), context);
  while (!line.done()) {
    const Word& word = line.take();
    if (auto name = line.read_as<std::string>(word, interface_name)) {
      static_cast<GarpGroupSpec*>(scope)->interfaces.push_back({std::move(*name), word.place});
    }
  }
}

constexpr Block kInterfacesBlock{"interfaces", {}, take_interfaces};

using G = GarpGroupSpec;
constexpr Keyword kGarpGroupRows[] = {
    {"garp_interval", "SECONDS", "vrrp_garp_interval", "The pause between two gratuitous ARPs.",
     one<G, &G::garp_interval, garp_pause>},
    {"gna_interval", "SECONDS", "vrrp_gna_interval", "The pause between two unsolicited neighbour advertisements.",
     one<G, &G::gna_interval, garp_pause>},
    {"interface", "NAME", "", "The interface that this holds for.", one<G, &G::interface, interface_name>},
    {"interfaces", "{ NAME ... }", "", "Interfaces on one switch: the pauses hold for all of them together.",
     same_scope, &kInterfacesBlock},
};

}  // namespace

constinit const Block kGarpGroupBlock{"garp_group", {kGarpGroupRows}};
constinit const Block kInterfaceDelaysBlock{"interface_up_down_delays", {}, take_delay};
constinit const Block kLinkbeatInterfacesBlock{"linkbeat_interfaces", {}, take_linkbeat};

}  // namespace lbdp::config
