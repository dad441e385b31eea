// SPDX-License-Identifier: BSD-2-Clause
// The reference model: a frame's way through a worker.
#include <algorithm>

#include "tests/packet/model/director.h"
#include "tests/packet/model/reply.h"

namespace lbdp::model {
namespace {

using Kind = Reading::Kind;

constexpr unsigned kTcp = 6, kUdp = 17;

std::string text_of(const MacAddress& mac) {
  return {mac.bytes.begin(), mac.bytes.end()};
}

}  // namespace

Outcome Director::burst(unsigned worker, unsigned port, const std::vector<Arrival>& arrivals) {
  Burst burst{worker, {}, {}};
  std::vector<Frame> frames;
  for (const Arrival& arrival : arrivals) {
    frames.push_back({&arrival, read_frame(arrival, port_macs_.at(port)), port, std::nullopt});
    judge(burst, frames.back());
  }
  for (const Frame& frame : frames) {
    if (frame.server) forward(burst, *frame.arrival, frame.reading, port, *frame.server, false);
  }
  for (const auto& [held, to] : burst.released) forward(burst, held.arrival, held.reading, port, to, true);
  return burst.outcome;
}

void Director::judge(Burst& burst, Frame& frame) {
  const Reading& r = frame.reading;
  if (r.kind == Kind::kFlow) {
    const auto destination = find_destination(r.protocol, r.destination, r.destination_port);
    return destination && destination->owned ? judge_flow(burst, frame, *destination) : divert(burst, frame);
  }
  const bool follows = r.kind == Kind::kFragment || r.kind == Kind::kIcmpError;
  if (!follows || owner_of(r.destination) != "us") return divert(burst, frame);
  return r.kind == Kind::kFragment ? judge_fragment(burst, frame) : judge_icmp_error(burst, frame);
}

// What no virtual server of ours takes.
void Director::divert(Burst& burst, Frame& frame) {
  const Reading& r = frame.reading;
  if (r.kind == Kind::kDrop) return drop(burst, r.word);
  if (r.is_ip && r.to_our_mac) {
    if (owner_of(r.destination) == "other") return drop(burst, "vip_not_owned");
    // IPv6's other fragments may not even show the protocol.
    if (owner_of(r.destination) == "us" && r.first_fragment && (r.kind == Kind::kFlow || r.v6))
      note_first_fragment(burst, frame, std::nullopt);
  }
  const std::string punt_class = r.kind == Kind::kPunt ? r.word
                                 : r.kind == Kind::kFlow
                                     ? punt_class_of_ports(r.protocol, r.source_port, r.destination_port)
                                     : "bulk";
  burst.outcome.punted[punt_class].push_back(frame.arrival->bytes);
}

std::optional<Director::Destination> Director::find_destination(unsigned protocol, const Address& address,
                                                                unsigned port) const {
  std::optional<Destination> all_ports;
  for (const auto& [key, destination] : destinations_) {
    if (static_cast<unsigned>(key.protocol) != protocol || bytes_of(key.endpoint.address) != address) continue;
    if (key.endpoint.port == 0) all_ports = destination;
    if (key.endpoint.port == port) return destination;
  }
  return all_ports;
}

std::string Director::owner_of(const Address& address) const {
  std::string owner = "nobody";
  for (const auto& [key, destination] : destinations_) {
    if (bytes_of(key.endpoint.address) != address) continue;
    if (destination.owned) return "us";
    owner = "other";
  }
  return owner;
}

void Director::judge_flow(Burst& burst, Frame& frame, const Destination& destination) {
  const Reading& r = frame.reading;
  Service& service = services_.at(destination.service);
  if (service.params.one_packet) {
    frame.server = pick(service, {r.source, r.destination, r.source_port});
    if (!frame.server) return reject(burst, frame);
    ++server(*frame.server).counters.connections;
    if (r.first_fragment) note_first_fragment(burst, frame, frame.server);
    return;
  }
  const bool any_port = destination.destination.endpoint.port == 0;
  const ConnectionKey key{destination.destination, any_port ? r.destination_port : 0, r.source, r.source_port};
  auto& connections = workers_[burst.worker].connections;
  const auto known = connections.find(key);
  if (known == connections.end()) {
    admit(burst, frame, key);
  } else {
    Connection& c = known->second;
    const Server& s = server(c.server);
    const bool drained = s.listed && s.params.weight <= 0;
    const bool reopens = r.opens && r.protocol != kUdp &&
                         ((switches_.conn_reuse && is_over(c.state)) || (switches_.expire_nodest_conn && drained));
    if (reopens) {
      bury(workers_[burst.worker], key);
      admit(burst, frame, key);
    } else if (!s.listed || !s.params.in_table) {
      return drop(burst, "server_gone");  // and the connection's time runs on
    } else {
      c.state = next_state(r.protocol, c.state, r.event);
      c.last_packet = now_;
      frame.server = c.server;
    }
  }
  if (frame.server && r.first_fragment) note_first_fragment(burst, frame, frame.server);
}

// A packet without a connection here.
void Director::admit(Burst& burst, Frame& frame, const ConnectionKey& key) {
  const Reading& r = frame.reading;
  // A NIC spreads fragments by their addresses, and whole packets by their ports, too.
  const bool udp_fragments = last_udp_first_fragment_ && now_ - *last_udp_first_fragment_ <= 300 * kSecond;
  const bool may_be_split = r.first_fragment || (r.protocol == kUdp && udp_fragments);
  if (const Connection* peers = may_be_split ? find_anywhere(burst.worker, key, false) : nullptr) {
    const Connection adopted{peers->server, next_state(r.protocol, peers->state, r.event), now_};
    workers_[burst.worker].connections[key] = adopted;
    note_load(adopted.server, true);
    if (const auto name = template_key(key)) {
      const auto t = templates_.find(*name);
      if (t != templates_.end() && t->second.server == adopted.server) {
        ++t->second.connections;
        t->second.expires = now_ + services_.at(name->first).params.persistence.timeout.count() * kSecond;
      }
    }
    frame.server = adopted.server;
    return;
  }
  const bool sloppy = r.protocol == kTcp && switches_.sloppy_tcp && r.event != "rst";
  if (!r.opens && !sloppy) {
    if (r.first_fragment) note_first_fragment(burst, frame, std::nullopt);
    burst.outcome.punted["bulk"].push_back(frame.arrival->bytes);
    return;
  }
  frame.server = schedule(destinations_.at(key.destination), {r.source, r.destination, r.source_port});
  if (!frame.server) return reject(burst, frame);
  workers_[burst.worker].connections[key] = {*frame.server, first_state(r.protocol, r.event), now_};
  ++server(*frame.server).counters.connections;
  note_load(*frame.server, true);
}

std::optional<Director::ServerRef> Director::schedule(const Destination& destination, const NewConnection& connection) {
  Service& service = services_.at(destination.service);
  const auto name = template_key({destination.destination, 0, connection.client, 0});
  if (!name) return pick(service, connection);
  const Ticks expires = now_ + service.params.persistence.timeout.count() * kSecond;
  const auto known = templates_.find(*name);
  if (known != templates_.end() && is_valid(known->second.server)) {
    known->second.expires = expires;
    ++known->second.connections;
    return known->second.server;
  }
  const auto picked = pick(service, connection);
  if (picked) templates_[*name] = {*picked, expires, 1};  // else a template that is there may be good again later
  return picked;
}

std::optional<Director::ServerRef> Director::pick(const Service& service, const NewConnection& connection) {
  const auto place = services_.at(service.params.key).scheduling.pick(candidates(service), connection, maglev_);
  if (!place) return std::nullopt;
  const Endpoint& endpoint = service.params.real_servers[*place].endpoint;
  return ServerRef{service.params.key, endpoint, service.servers.at(endpoint).life};
}

bool Director::is_valid(const ServerRef& ref) const {
  const Server* s = find_server(ref);
  if (s == nullptr || !s->listed || !s->params.in_table || !s->params.mac) return false;
  return s->params.weight > 0 || !switches_.expire_quiescent_template;
}

const Director::Connection* Director::find_anywhere(unsigned worker, const ConnectionKey& key, bool with_own) const {
  const auto look = [&](unsigned w) -> const Connection* {
    const auto found = workers_[w].connections.find(key);
    return found == workers_[w].connections.end() ? nullptr : &found->second;
  };
  if (const Connection* own = with_own ? look(worker) : nullptr) return own;
  for (unsigned w = 0; w < workers_.size(); ++w) {
    if (const Connection* peers = w != worker ? look(w) : nullptr) return peers;
  }
  return nullptr;
}

void Director::reject(Burst& burst, Frame& frame) {
  const auto reply = icmp_reply(*frame.arrival, frame.reading, port_macs_[frame.port], std::nullopt);
  if (reply) burst.outcome.replies[frame.port].push_back(*reply);
  drop(burst, "no_real_server");
}

namespace {

// IPv6's fragments tell their protocol for sure only in the first one.
unsigned protocol_of_datagram(const Reading& r) {
  return r.v6 ? 44 : r.protocol;
}

}  // namespace

void Director::note_first_fragment(Burst& burst, const Frame& frame, const std::optional<ServerRef>& to) {
  const Reading& r = frame.reading;
  Worker& worker = workers_[burst.worker];
  if (to && r.protocol == kUdp) last_udp_first_fragment_ = now_;
  const DatagramKey datagram{r.source, r.destination, r.fragment_id, protocol_of_datagram(r)};
  worker.first_fragments[datagram] = {to, now_};
  for (const HeldFragment& held : worker.held) {
    if (held.datagram != datagram) continue;
    if (to) {
      burst.released.emplace_back(held, *to);
    } else {
      burst.outcome.punted["bulk"].push_back(held.arrival.bytes);
    }
  }
  std::erase_if(worker.held, [&](const HeldFragment& held) { return held.datagram == datagram; });
}

void Director::judge_fragment(Burst& burst, Frame& frame) {
  const Reading& r = frame.reading;
  Worker& worker = workers_[burst.worker];
  const DatagramKey datagram{r.source, r.destination, r.fragment_id, protocol_of_datagram(r)};
  const auto first = worker.first_fragments.find(datagram);
  if (first == worker.first_fragments.end()) {
    worker.held.push_back({datagram, *frame.arrival, r, now_});
  } else if (!first->second.server) {
    burst.outcome.punted["bulk"].push_back(frame.arrival->bytes);
  } else if (find_server(*first->second.server) != nullptr) {
    frame.server = first->second.server;
  } else {
    drop(burst, "fragment");
  }
}

void Director::judge_icmp_error(Burst& burst, Frame& frame) {
  const auto quote = read_quote(frame.arrival->bytes, frame.reading);
  if (quote && !icmp_checksum_good(frame.arrival->bytes, frame.reading)) return drop(burst, "bad_icmp_checksum");
  const auto destination =
      quote ? find_destination(quote->protocol, quote->virtual_address, quote->virtual_port) : std::nullopt;
  if (destination && destination->owned && !services_.at(destination->service).params.one_packet) {
    const bool any_port = destination->destination.endpoint.port == 0;
    const Connection* c = find_anywhere(
        burst.worker, {destination->destination, any_port ? quote->virtual_port : 0, quote->client, quote->client_port},
        true);
    const Server* s = c != nullptr ? find_server(c->server) : nullptr;
    if (s != nullptr && s->listed && s->params.in_table) {
      frame.server = c->server;
      return;
    }
  }
  burst.outcome.punted["bulk"].push_back(frame.arrival->bytes);
}

void Director::forward(Burst& burst, const Arrival& arrival, const Reading& r, unsigned port, const ServerRef& to,
                       bool released) {
  Server& s = server(to);
  if (!s.listed || !s.params.in_table) return drop(burst, "server_gone");
  if (!s.params.mac) return drop(burst, "no_neighbor");
  const auto egress = static_cast<unsigned>(s.params.egress);
  if (r.ip_length > s.params.mtu && !r.dont_fragment) {
    const auto whole = sent_frame(arrival, text_of(*s.params.mac), port_macs_.at(egress), s.params.vlan);
    if (!whole) return drop(burst, "no_headroom");
    const auto pieces = pieces_of(*whole, s.params.mtu);
    if (pieces.empty()) return drop(burst, "too_big");
    for (const Bytes& piece : pieces) burst.outcome.sent[egress].push_back(piece);
    burst.outcome.extra_pieces += pieces.size() - 1;
    ++s.counters.packets;
    s.counters.bytes += r.ip_length;
    return;
  }
  if (r.ip_length > s.params.mtu) {
    const auto reply = released ? std::nullopt : icmp_reply(arrival, r, port_macs_[port], s.params.mtu);
    if (reply) burst.outcome.replies[port].push_back(*reply);
    return drop(burst, "too_big");
  }
  const auto sent = sent_frame(arrival, text_of(*s.params.mac), port_macs_.at(egress), s.params.vlan);
  if (!sent) return drop(burst, "no_headroom");
  burst.outcome.sent[egress].push_back(*sent);
  ++s.counters.packets;
  s.counters.bytes += r.ip_length;
}

}  // namespace lbdp::model
