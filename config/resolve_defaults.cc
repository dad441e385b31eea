// SPDX-License-Identifier: BSD-2-Clause
// What a file leaves out, where the value that holds then has surprised people: `lbdp -t -v` names these. A missing
// lb_algo, lb_kind or persistence_timeout has a note of its own, made where it is resolved.
#include <algorithm>
#include <type_traits>
#include <variant>

#include "config/resolve.h"

namespace lbdp::config {
namespace {

class DefaultTeller {
 public:
  explicit DefaultTeller(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void tell(const VrrpInstanceSpec& instance) {
    const bool master = instance.state && *instance.state == VrrpInstance::State::kMaster;
    if (!instance.state.seen) say(instance.place, "state", "BACKUP; the priority decides in any case");
    if (!instance.priority.seen && !master) say(instance.place, "priority", "100");
    if (!instance.preempt.seen && !instance.preempt_delay.seen && !master) {
      say(instance.place, "nopreempt", "a director of higher priority takes over as soon as it is back");
    }
  }

  void tell(const VirtualServerSpec& server) {
    const bool weighted =
        std::ranges::any_of(server.real_servers, [](const RealServerSpec& real) { return real.weight.seen; });
    for (const RealServerSpec& real : server.real_servers) {
      if (weighted && !real.weight.seen && !server.weight.seen) {
        say(real.place, "weight", "1, while other servers of the service have one of their own");
      }
      if (real.checkers.empty()) say(real.place, "a checker", "none: the server is always up");
    }
    tell_timing(server);
    const bool taken_out = std::ranges::any_of(server.real_servers, [](const RealServerSpec& real) {
      return !real.checkers.empty() && !real.inhibit_on_failure.seen;
    });
    if (taken_out && !server.inhibit_on_failure.seen) {
      say(server.place, "inhibit_on_failure", "off: a server that fails is taken out, and its connections end");
    }
  }

 private:
  void tell_timing(const VirtualServerSpec& server) {
    using C = CheckDefaultsSpec;
    if (lack(server, &C::delay_loop)) say(server.place, "delay_loop", "60 s between two checks of a server");
    if (lack(server, &C::connect_timeout)) say(server.place, "connect_timeout", "5 s");
    if (lack(server, &C::alpha)) {
      say(server.place, "alpha",
          "off: a server gets connections before its first check, which may come as late as warmup, or else "
          "delay_loop, "
          "says");
    }
  }

  /// Some checker has the setting neither itself nor from what is around it.
  template <class T>
  static bool lack(const VirtualServerSpec& server, Setting<T> CheckDefaultsSpec::*setting) {
    if ((server.*setting).seen) return false;
    return std::ranges::any_of(server.real_servers, [&](const RealServerSpec& real) {
      return !(real.*setting).seen && std::ranges::any_of(real.checkers, [&](const CheckerSpec& checker) {
        const CheckDefaultsSpec* own = timing_of(checker);
        return own != nullptr && !(own->*setting).seen;
      });
    });
  }

  /// Null: a checker that nothing of this is for.
  template <class Checker>
  static const CheckDefaultsSpec* timing_of(const Checker& checker) {
    if constexpr (std::is_base_of_v<CheckDefaultsSpec, Checker>) {
      return &checker;
    } else if constexpr (requires { checker.index(); }) {
      return std::visit([](const auto& one) { return timing_of(one); }, checker);
    } else {
      return nullptr;
    }
  }

  void say(Place place, std::string_view keyword, std::string_view text) {
    diagnostics_.fallback(place, keyword, text);
  }

  Diagnostics& diagnostics_;
};

}  // namespace

void tell_defaults(const FileSpec& spec, Diagnostics& diagnostics) {
  DefaultTeller teller(diagnostics);
  for (const VrrpInstanceSpec& instance : spec.vrrp_instances) teller.tell(instance);
  for (const VirtualServerSpec& server : spec.virtual_servers) teller.tell(server);
}

}  // namespace lbdp::config
