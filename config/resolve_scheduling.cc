// SPDX-License-Identifier: BSD-2-Clause
// How a virtual server chooses a real server: scheduler, its flags, persistence, one-packet scheduling.
#include <algorithm>
#include <string>

#include "config/resolve.h"

namespace lbdp::config {
namespace {

constexpr auto kPersistence = std::chrono::seconds(360);  // keepalived's IPVS_SVC_PERSISTENT_TIMEOUT

class SchedulingResolver {
 public:
  SchedulingResolver(const VirtualServerSpec& spec, VirtualServer& server, Diagnostics& diagnostics)
      : spec_(spec), server_(server), diagnostics_(diagnostics) {}

  void resolve() {
    resolve_scheduler();
    resolve_persistence();
    resolve_one_packet();
  }

 private:
  void resolve_scheduler() {
    if (!spec_.lb_algo.seen) {
      diagnostics_.note(spec_.place, "'lb_algo' is missing: wlc, as in keepalived");
    }
    server_.lb_algo = first_of(server_.lb_algo, spec_.lb_algo);
    const bool sh = server_.lb_algo == LbAlgo::kSourceHash;
    const bool mh = server_.lb_algo == LbAlgo::kMaglev;
    server_.hash_port = flag("sh-port", spec_.sh_port, "sh", sh);
    server_.hash_fallback = flag("sh-fallback", spec_.sh_fallback, "sh", sh);
    server_.hash_port |= flag("mh-port", spec_.mh_port, "mh", mh);
    server_.hash_fallback |= flag("mh-fallback", spec_.mh_fallback, "mh", mh);
    server_.hash_fallback |= flag("flag-1", spec_.flag_1, "sh and mh", sh || mh);
    server_.hash_port |= flag("flag-2", spec_.flag_2, "sh and mh", sh || mh);
  }

  /// The flag is set, and the scheduler is one that knows it.
  bool flag(const std::string& name, const Setting<bool>& setting, const std::string& owner, bool fits) {
    if (!setting) return false;
    if (fits) return true;
    // A scheduler that is wrong is reported already.
    if (spec_.lb_algo || !spec_.lb_algo.seen) {
      diagnostics_.warning(setting.place, name + " is for lb_algo " + owner + " only, and is ignored");
    }
    return false;
  }

  [[nodiscard]] bool is_v4() const { return server_.services.front().key.endpoint.address.is_v4(); }

  void resolve_persistence() {
    server_.persistence_timeout = timeout();
    server_.persistence_granularity = is_v4() ? 32 : 128;
    if (!spec_.persistence_granularity) return;
    const auto& [netmask, bits] = *spec_.persistence_granularity;
    const Place place = spec_.persistence_granularity.place;
    if (netmask != is_v4()) {
      diagnostics_.error(place, is_v4() ? "persistence_granularity: an IPv4 virtual server takes a netmask, such as "
                                          "255.255.255.0 for a length of 24"
                                        : "persistence_granularity: an IPv6 virtual server takes a prefix length from "
                                          "1 to 128, not a netmask");
    } else if (server_.persistence_timeout == Duration(0)) {
      diagnostics_.warning(place, "persistence_granularity without persistence is ignored");
    } else {
      server_.persistence_granularity = bits;
    }
  }

  Duration timeout() {
    if (spec_.persistence_timeout.seen) return first_of(Duration(0), spec_.persistence_timeout);
    if (spec_.persistence_granularity.seen) {
      diagnostics_.note(spec_.persistence_granularity.place,
                        "persistence_granularity without persistence_timeout: it is 360, as in keepalived");
      return kPersistence;
    }
    const bool all_ports = std::ranges::any_of(
        server_.services, [](const Service& service) { return service.fwmark == 0 && service.key.endpoint.port == 0; });
    if (!all_ports) return Duration(0);
    diagnostics_.note(spec_.place,
                      "a virtual_server without a port is persistent, for 360 s, as in keepalived; write "
                      "'persistence_timeout 0' for none");
    return kPersistence;
  }

  void resolve_one_packet() {
    if (!spec_.ops) return;
    const auto is_udp = [](const ServiceKey& key) { return key.protocol == Protocol::kUdp; };
    server_.one_packet = std::ranges::any_of(server_.services, [&](const Service& service) {
      return is_udp(service.key) || std::ranges::any_of(service.more_keys, is_udp);
    });
    if (!server_.one_packet) diagnostics_.warning(spec_.ops.place, "ops is for UDP only, and is ignored");
  }

  const VirtualServerSpec& spec_;
  VirtualServer& server_;
  Diagnostics& diagnostics_;
};

}  // namespace

void resolve_scheduling(const VirtualServerSpec& spec, VirtualServer& server, Diagnostics& diagnostics) {
  SchedulingResolver(spec, server, diagnostics).resolve();
}

}  // namespace lbdp::config
