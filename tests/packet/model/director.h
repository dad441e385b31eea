// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The reference model of the whole data path: what becomes of each frame, and what is counted. Plain bytes, std::map,
// and no code of the data path but the types of its tables.

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "dataplane/parameters.h"
#include "tests/packet/model/frame.h"
#include "tests/packet/model/schedulers.h"
#include "tests/packet/model/states.h"

namespace lbdp::model {

/// What a worker does with a burst.
struct Outcome {
  std::map<unsigned, std::vector<Bytes>> sent;       // by port: to real servers, in order
  std::map<unsigned, std::vector<Bytes>> replies;    // by port: ICMP errors
  uint64_t extra_pieces = 0;                         // of `sent`: what packets in pieces are more than one frame each
  std::map<std::string, std::vector<Bytes>> punted;  // by class
  std::map<std::string, uint64_t> drops;             // by reason
};

struct ServerCounters {
  uint64_t packets = 0, bytes = 0, connections = 0, active = 0, inactive = 0;
  friend bool operator==(const ServerCounters&, const ServerCounters&) = default;
};

class Director {
 public:
  /// `port_macs`: six bytes each.
  Director(unsigned workers, std::vector<std::string> port_macs, Maglev maglev);

  void publish(const dataplane::Tables& tables);
  [[nodiscard]] Outcome burst(unsigned worker, unsigned port, const std::vector<Arrival>& frames);

  /// Time goes by, and what is over by then is forgotten. Returns the early fragments given up, by worker.
  std::vector<uint64_t> pass(Ticks time);
  /// Does nothing end from `begin` ticks from now on until `end` ticks from now, for certain? Then it does not matter
  /// when in that time somebody looks.
  [[nodiscard]] bool nothing_ends(Ticks begin, Ticks end) const;

  [[nodiscard]] ServerCounters counters(const ServiceKey& service, const Endpoint& server) const;
  [[nodiscard]] bool overloaded(const ServiceKey& service, const Endpoint& server) const;
  /// "worker tcp client virtual-server real-server STATE", sorted.
  [[nodiscard]] std::vector<std::string> connections() const;
  [[nodiscard]] size_t connections_of(unsigned worker) const { return workers_.at(worker).connections.size(); }
  [[nodiscard]] size_t held_of(unsigned worker) const { return workers_.at(worker).held.size(); }
  /// "service client server connections" of those that are not over, sorted.
  [[nodiscard]] std::vector<std::string> templates() const;

 private:
  // ---- tables ----

  struct Server {
    dataplane::RealServerParams params;
    bool listed = false;
    // Its connections live on while it is out of the table: expire_nodest_conn is 0. False also for one that was never
    // in it.
    bool remembered = false;
    unsigned life = 0;        // connections of an earlier life are dead
    bool overloaded = false;  // its upper threshold was reached, and it is not below its lower one yet
    ServerCounters counters;
  };
  struct Service {
    dataplane::VirtualServerParams params;
    std::map<Endpoint, Server> servers;
    Scheduling scheduling;
  };
  // A server by its virtual server's key and its endpoint, in one of its lives.
  struct ServerRef {
    ServiceKey service;
    Endpoint endpoint;
    unsigned life = 0;
    friend bool operator==(const ServerRef&, const ServerRef&) = default;
  };
  struct Destination {
    ServiceKey service;      // the virtual server's own key
    ServiceKey destination;  // one of its keys
    bool owned = false;
  };

  // ---- what packets leave behind ----

  struct ConnectionKey {
    ServiceKey destination;
    unsigned port = 0;  // of the destination, if that has port 0
    Address client;
    unsigned client_port = 0;
    auto operator<=>(const ConnectionKey&) const = default;
  };
  struct Connection {
    ServerRef server;
    State state;
    Ticks last_packet = 0;
  };
  using TemplateKey = std::pair<ServiceKey, Address>;  // the client's address is masked
  struct Template {
    ServerRef server;
    Ticks expires = 0;
    uint64_t connections = 0;
  };
  using DatagramKey = std::tuple<Address, Address, uint32_t, unsigned>;
  struct FirstFragment {
    std::optional<ServerRef> server;  // none: the kernel
    Ticks since = 0;
  };
  struct HeldFragment {
    DatagramKey datagram;
    Arrival arrival;
    Reading reading;
    Ticks since = 0;
  };
  struct Worker {
    std::map<ConnectionKey, Connection> connections;
    std::map<DatagramKey, FirstFragment> first_fragments;
    std::vector<HeldFragment> held;
  };

  // A frame on its way through a burst.
  struct Frame {
    const Arrival* arrival;
    Reading reading;
    unsigned port;
    std::optional<ServerRef> server;  // it goes there
  };
  struct Burst {
    unsigned worker;
    Outcome outcome;
    std::vector<std::pair<HeldFragment, ServerRef>> released;
  };

  // publish.cc: publications and time
  void take_over(Service& service, const dataplane::VirtualServerParams& params);
  void forget_service(const ServiceKey& key);
  void end_connections(const ServerRef& server);
  [[nodiscard]] std::vector<Candidate> candidates(const Service& service) const;
  void bury(Worker& worker, const ConnectionKey& key);
  void note_load(const ServerRef& ref, bool one_more);

  // follow.cc: a frame's way
  void judge(Burst& burst, Frame& frame);
  void judge_flow(Burst& burst, Frame& frame, const Destination& destination);
  void judge_fragment(Burst& burst, Frame& frame);
  void judge_icmp_error(Burst& burst, Frame& frame);
  void admit(Burst& burst, Frame& frame, const ConnectionKey& key);
  void reject(Burst& burst, Frame& frame);
  void divert(Burst& burst, Frame& frame);
  void note_first_fragment(Burst& burst, const Frame& frame, const std::optional<ServerRef>& server);
  void forward(Burst& burst, const Arrival& arrival, const Reading& reading, unsigned port, const ServerRef& to,
               bool released);
  void drop(Burst& burst, const std::string& reason) { ++burst.outcome.drops[reason]; }

  [[nodiscard]] std::optional<Destination> find_destination(unsigned protocol, const Address& address,
                                                            unsigned port) const;
  /// "us", "other" or "nobody".
  [[nodiscard]] std::string owner_of(const Address& address) const;
  [[nodiscard]] const Connection* find_anywhere(unsigned worker, const ConnectionKey& key, bool with_own) const;
  std::optional<ServerRef> schedule(const Destination& destination, const NewConnection& connection);
  std::optional<ServerRef> pick(const Service& service, const NewConnection& connection);
  [[nodiscard]] bool is_valid(const ServerRef& server) const;
  [[nodiscard]] std::optional<TemplateKey> template_key(const ConnectionKey& key) const;

  Server& server(const ServerRef& ref) { return services_.at(ref.service).servers.at(ref.endpoint); }
  [[nodiscard]] const Server* find_server(const ServerRef& ref) const;

  std::vector<std::string> port_macs_;
  Maglev maglev_;
  Ticks now_ = 0;
  dataplane::Switches switches_;
  std::map<ServiceKey, Service> services_;
  std::map<ServiceKey, Destination> destinations_;
  std::vector<Worker> workers_;
  std::map<TemplateKey, Template> templates_;
  std::optional<Ticks> last_udp_first_fragment_;
  unsigned lives_ = 0;
};

[[nodiscard]] Address bytes_of(const IpAddress& address);

}  // namespace lbdp::model
