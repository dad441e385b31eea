// SPDX-License-Identifier: BSD-2-Clause
// Where a packet would go, found by the steps that the worker takes, without a trace.
#include "dataplane/inspect.h"
#include "dataplane/pick.h"

namespace lbdp::dataplane {
namespace {

class Explainer {
 public:
  Explainer(const Endpoint& client, const ServiceKey& destination, const Publisher& publisher, Workers workers)
      : client_(client),
        destination_(destination),
        publisher_(publisher),
        snapshot_(publisher.current()),
        workers_(workers) {}

  Explanation run() {
    const auto port = Be<uint16_t>::from_host(destination_.endpoint.port);
    const ServiceHit hit = snapshot_.find_service(static_cast<uint8_t>(destination_.protocol),
                                                  WideAddress::of(destination_.endpoint.address), port);
    if (!hit.found()) return no_service();
    name_service(hit);
    if (!hit.owned()) return end(Explanation::Outcome::kNotOwned, "the address is another director's now: dropped");
    if (hit.one_packet()) {
      say("one-packet scheduling: no connection is looked up or kept");
      return schedule(*snapshot_.service(hit.id()));
    }
    if (known_connection(hit)) return out_;
    return new_connection(*snapshot_.service(hit.id()));
  }

 private:
  void say(std::string reason) { out_.reasons.push_back(std::move(reason)); }
  Explanation end(Explanation::Outcome outcome, std::string reason) {
    out_.outcome = outcome;
    say(std::move(reason));
    return out_;
  }

  Explanation no_service() {
    const VipOwner owner = snapshot_.owner_of(WideAddress::of(destination_.endpoint.address));
    say("no virtual server has the destination " + destination_.to_string());
    if (owner == VipOwner::kOther)
      return end(Explanation::Outcome::kNotOwned, "the address belongs to another director now: dropped");
    return end(Explanation::Outcome::kNoService, "so it goes to the kernel");
  }

  void name_service(const ServiceHit& hit) {
    const auto& registry = publisher_.registry();
    out_.destination = *registry.service_key(hit.id());
    out_.service = *registry.virtual_server_key(hit.id());
    say("virtual server " + out_.service->to_string() +
        (*out_.service == *out_.destination ? "" : ", by its destination " + out_.destination->to_string()));
  }

  bool known_connection(const ServiceHit& hit) {
    const auto client_port = Be<uint16_t>::from_host(client_.port),
               port = Be<uint16_t>::from_host(destination_.endpoint.port);
    if (hit.wide()) return find(WideKey(WideAddress::of(client_.address), client_port, port, hit.id()));
    return find(FlowKey(client_.address.v4(), client_port, hit.id()));
  }

  template <class Key>
  bool find(const Key& key) {
    for (const auto& worker : workers_) {
      const auto value = worker->template table<Key>().peek(key);
      if (!value) continue;
      const auto left = worker->expires_in(*value);
      const Endpoint* real = publisher_.registry().real_server(value->slot(), value->generation());
      if (left.count() < 0 || real == nullptr) continue;
      const std::string name = "worker " + std::to_string(static_cast<unsigned>(worker->params().id));
      out_.connection = ConnectionRow{worker->params().id,
                                      destination_.protocol,
                                      client_,
                                      destination_.endpoint,
                                      *real,
                                      to_string(value->state()),
                                      left};
      say(name + " knows the connection: " + std::string(to_string(value->state())) + ", expires in " +
          std::to_string(left.count()) + " s");
      go_to(value->slot());
      const LinkId link = snapshot_.detail(value->slot()).link;
      out_.outcome = link == LinkId::kGone         ? Explanation::Outcome::kServerGone
                     : link == LinkId::kNoNeighbor ? Explanation::Outcome::kNoNeighbor
                                                   : Explanation::Outcome::kKnownConnection;
      if (link == LinkId::kGone) say("its real server is not in the table: dropped until it is back");
      if (link == LinkId::kNoNeighbor) say("its real server's MAC is not known: dropped");
      return true;
    }
    say("no worker knows a connection of this client and port");
    return false;
  }

  Explanation new_connection(const VirtualService& service) {
    if (service.persistence == 0) return schedule(service);
    const Tick now = workers_.empty() ? 0 : workers_.front()->tick();
    const WideAddress client = masked(WideAddress::of(client_.address), service.client_mask);
    const auto bound = publisher_.shared().templates().find(service.id, client, now);
    if (!bound) {
      say("persistent, and the client has no template");
      return schedule(service);
    }
    const RealSlot& slot = snapshot_.slot(bound->slot);
    const SlotDetail& detail = snapshot_.detail(bound->slot);
    if (slot.generation != bound->generation || detail.link == LinkId::kGone || detail.link == LinkId::kNoNeighbor) {
      say("the client's template is for a real server that is not usable: it is made anew");
      return schedule(service);
    }
    if (detail.draining && snapshot_.switches().expire_quiescent_template) {
      say("the client's template is for a real server of weight 0: it is made anew (expire_quiescent_template)");
      return schedule(service);
    }
    go_to(bound->slot);
    out_.client_template = template_row(service, client, now);
    return end(Explanation::Outcome::kPersistent, "the client's template says so");
  }

  // As `show persistence` lists it; found by reading all, which is good enough for a question now and then.
  std::optional<TemplateRow> template_row(const VirtualService& service, const WideAddress& client, Tick now) const {
    const ServiceKey* key = publisher_.registry().service_key(service.id);
    const IpPrefix prefix = to_prefix(client, service.client_mask);
    for (uint64_t cursor = 0;;) {
      const TemplatePage page = list_templates(cursor, 1000, now, publisher_);
      for (const auto& row : page.rows) {
        if (row.client == prefix && key != nullptr && row.service == *key) return row;
      }
      if (page.next_cursor == 0) return std::nullopt;
      cursor = page.next_cursor;
    }
  }

  Explanation schedule(const VirtualService& service) {
    const PickInput input{.client = WideAddress::of(client_.address),
                          .destination = WideAddress::of(destination_.endpoint.address),
                          .client_port = Be<uint16_t>::from_host(client_.port),
                          .hash = 0};
    const auto slot = preview(service.scheduler, *service.state, publisher_.shared().loads(), input);
    if (!slot) {
      return end(Explanation::Outcome::kNoRealServer,
                 service.scheduler.any_usable() ? "every usable real server is overloaded: ICMP port unreachable"
                                                : "no real server is usable: ICMP port unreachable");
    }
    go_to(*slot);
    return end(Explanation::Outcome::kScheduled, "a new connection: the scheduler's pick as of now, of " +
                                                     std::to_string(service.scheduler.usable_count()) +
                                                     " usable real servers");
  }

  void go_to(SlotId id) {
    const RealSlot& slot = snapshot_.slot(id);
    const Endpoint* real = publisher_.registry().real_server(id, slot.generation);
    if (real != nullptr) out_.real_server = *real;
    const Link& link = snapshot_.link(id);
    if (link.port == Link::kNoPort) return;
    MacAddress mac;
    std::copy_n(slot.macs.begin(), mac.bytes.size(), mac.bytes.begin());
    out_.mac = mac;
    out_.egress = PortId{link.port};
    out_.vlan = link.vlan;
  }

  const Endpoint& client_;
  const ServiceKey& destination_;
  const Publisher& publisher_;
  const Snapshot& snapshot_;
  Workers workers_;
  Explanation out_;
};

}  // namespace

Explanation explain(const Endpoint& client, const ServiceKey& destination, const Publisher& publisher,
                    Workers workers) {
  return Explainer(client, destination, publisher, workers).run();
}

}  // namespace lbdp::dataplane
