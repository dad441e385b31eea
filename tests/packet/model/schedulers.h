// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The reference model's schedulers, as ipvs.md defines them, in the file's order.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/parameters.h"
#include "tests/packet/model/frame.h"

namespace lbdp::model {

/// A real server in its virtual server's list.
struct Candidate {
  std::string name;
  uint64_t weight = 0;  // 0 if it cannot take new connections, whatever the reason
  uint64_t active = 0, inactive = 0;
};

struct NewConnection {
  Address client, destination;
  unsigned client_port = 0;
};

/// mh's table is data: which of these (all usable) gets a client, with the port if it is to be hashed.
using Maglev = std::function<size_t(const std::vector<Candidate>&, const Address& client, unsigned port)>;

/// One virtual server's scheduler. twos is not here: it is random.
class Scheduling {
 public:
  /// The list as a publication says it; whose turn it is survives.
  void set_list(dataplane::Scheduler kind, dataplane::SchedulerFlags flags, std::vector<Candidate> list);
  /// The list with the present counts; a place in it. None: nobody can serve.
  std::optional<size_t> pick(const std::vector<Candidate>& list, const NewConnection& connection, const Maglev& maglev);

 private:
  std::optional<size_t> round_robin(const std::vector<Candidate>& list);
  std::optional<size_t> weighted_round_robin(const std::vector<Candidate>& list);
  [[nodiscard]] std::optional<size_t> place_of_last(const std::vector<Candidate>& list) const;

  dataplane::Scheduler kind_{};
  dataplane::SchedulerFlags flags_;
  std::vector<Candidate> list_;
  std::string last_;    // whose turn was the last one; empty: the next turn is the first one's
  uint64_t round_ = 0;  // wrr's current weight; 0: the top round is to begin
};

}  // namespace lbdp::model
