// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// Random traffic and random changes of the tables, such that most rules are met often.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "dataplane/parameters.h"
#include "tests/packet/model/frame.h"

namespace lbdp::model {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  size_t below(size_t limit) { return std::uniform_int_distribution<size_t>(0, limit - 1)(engine_); }
  bool one_in(size_t n) { return below(n) == 0; }
  template <class T>
  T of(std::initializer_list<T> list) {
    return *(list.begin() + below(list.size()));
  }

 private:
  std::mt19937_64 engine_;
};

/// A frame, and where the NIC puts it.
struct Shot {
  Arrival arrival;
  unsigned port = 0;
  size_t hash = 0;  // of addresses and ports; of fragments and what has no ports, of the addresses
};

class Traffic {
 public:
  explicit Traffic(Random& random) : random_(random) {}
  /// `may_hold`: fragments may come before their first.
  Shot next(bool may_hold);

 private:
  Shot flow_packet();
  Shot icmp_error();
  Bytes icmp_error_of_type(uint8_t type, const Bytes& quote);
  Shot noise();
  void begin_datagram();
  Shot shot_of(const Bytes& ip_packet, const std::string& flow, bool may_split);
  Bytes transport(uint8_t protocol, uint16_t source_port, uint16_t destination_port);

  Random& random_;
  std::vector<Shot> pending_;  // fragments to come; a first one at the end of its datagram comes late
  uint32_t datagrams_ = 0;
};

/// Tables that change a little each time.
class Plans {
 public:
  explicit Plans(Random& random);
  [[nodiscard]] const dataplane::Tables& tables() const { return tables_; }
  /// Returns the key of the virtual server that has changed, if publish_changes() may say it.
  std::optional<ServiceKey> change();

 private:
  struct Listed {
    dataplane::VirtualServerParams params;  // with all of its servers
    std::vector<bool> present;
    bool there = true;
  };
  void change_server(Listed& service);
  static void heal(Listed& service);
  void build();

  Random& random_;
  std::vector<Listed> services_;
  dataplane::Tables tables_;
};

}  // namespace lbdp::model
