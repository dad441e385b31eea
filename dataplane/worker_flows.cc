// SPDX-License-Identifier: BSD-2-Clause
// Connections: how they begin, change and end, and what is counted of them.
#include "dataplane/burst.h"
#include "dataplane/pick.h"
#include "dataplane/sctp_state.h"
#include "dataplane/stable_hash.h"
#include "dataplane/worker.h"

namespace lbdp::dataplane {
namespace {

FlowState first_state(uint8_t protocol, uint8_t flags) {
  if (protocol == kIpProtocolUdp) return FlowState::kUdp;
  if (protocol == kIpProtocolSctp) return flow_state(next_sctp_state(SctpState::kNone, SctpEvent{flags}));
  // With sloppy_tcp a connection that is met in its middle is established, as in a live kernel.
  return (flags & kTcpSyn) != 0 ? FlowState::kSynRecv : FlowState::kEstablished;
}

FlowState next_state(uint8_t protocol, FlowState state, uint8_t flags) {
  if (protocol == kIpProtocolTcp) return next_tcp_state(state, flags);
  if (protocol != kIpProtocolSctp) return state;
  return flow_state(next_sctp_state(sctp_state(state), SctpEvent{flags}));
}

}  // namespace

bool Worker::opens(uint8_t protocol, uint8_t flags) const noexcept {
  if (protocol == kIpProtocolUdp) return true;
  if (protocol == kIpProtocolSctp) return opens_association(SctpEvent{flags});
  return opens_connection(flags) || (snapshot_->switches().sloppy_tcp && (flags & kTcpRst) == 0);
}

/// Does this packet begin a new connection on the ports of one that is known?
bool Worker::reopens(uint8_t protocol, uint8_t flags, FlowState state, SlotId slot) const noexcept {
  const bool fresh = protocol == kIpProtocolTcp    ? opens_connection(flags)
                     : protocol == kIpProtocolSctp ? opens_association(SctpEvent{flags})
                                                   : false;
  if (!fresh) return false;
  const Switches& switches = snapshot_->switches();
  return (switches.conn_reuse && is_over(state)) || (switches.expire_nodest_conn && snapshot_->detail(slot).draining);
}

template <class Key>
Worker::Fate Worker::resolve(Burst& burst, unsigned index, FlowTable<Key>& flows, const Key& key) noexcept {
  const auto place = flows.find(burst.hash[index], key);
  return place ? advance(burst, index, flows, key, place) : admit(burst, index, flows, key, {});
}
template Worker::Fate Worker::resolve(Burst&, unsigned, FlowTable<FlowKey>&, const FlowKey&) noexcept;
template Worker::Fate Worker::resolve(Burst&, unsigned, FlowTable<WideKey>&, const WideKey&) noexcept;

// A packet of a known connection about which something may change.
template <class Key>
Worker::Fate Worker::advance(Burst& burst, unsigned index, FlowTable<Key>& flows, const Key& key,
                             typename FlowTable<Key>::Place place) noexcept {
  const FlowValue value = FlowTable<Key>::value(place);
  const SlotId id = value.slot();
  const FlowState state = value.state();
  const uint8_t protocol = burst.facts[index].protocol(), flags = burst.facts[index].flags();
  if (!alive(value) || reopens(protocol, flags, state, id)) return admit(burst, index, flows, key, place);
  if (snapshot_->detail(id).link == LinkId::kGone) {
    drop(burst.frames[index], DropReason::kServerGone);  // and the connection's time runs on
    return Fate::kDone;
  }
  const FlowState next = next_state(protocol, state, flags);
  if (next != state) count_change(id, state, next);
  const FlowValue updated(id, value.generation(), next, tick_);
  if (updated.word() != value.word()) FlowTable<Key>::set_value(place, updated);
  return static_cast<Fate>(id);
}

// A packet without a live connection. `old` is what is left of the one before, if anything.
template <class Key>
Worker::Fate Worker::admit(Burst& burst, unsigned index, FlowTable<Key>& flows, const Key& key,
                           typename FlowTable<Key>::Place old) noexcept {
  if (old) {
    (void)release_template(key, FlowTable<Key>::value(old));
    count_gone(FlowTable<Key>::value(old));
  }
  if (const auto known = known_elsewhere(burst, index, key)) return adopt(burst, index, flows, key, old, *known);
  if (opens(burst.facts[index].protocol(), burst.facts[index].flags())) return open(burst, index, flows, key, old);
  if (old) flows.erase(old);
  const bool may_be_unstored = overflowed_ && !old;
  if (may_be_unstored) {
    if (const auto slot = pick_unstored(burst, index, key)) return forward_unstored(*slot);
  }
  if (burst.facts[index].first_fragment()) note_fragments_for_kernel(burst, index);
  punt(burst.frames[index], PuntClass::kBulk);  // the kernel resets it
  return Fate::kDone;
}

template <class Key>
PickInput Worker::pick_input(const Burst& burst, unsigned index, const Key& key) const noexcept {
  PickInput input;
  input.client = key.wide_client();
  input.client_port = key.client_port();
  input.hash = burst.hash[index];
  const VirtualService& service = *snapshot_->service(key.service());
  // Only dh asks for the destination, and only a virtual server of several destinations has more than one.
  if (service.scheduler.kind() == Scheduler::kDestinationHash)
    input.destination = parse(view_of(*burst.frames[index]), MacWord(burst.port->mac)).destination;
  return input;
}

template <class Key>
Worker::Fate Worker::open(Burst& burst, unsigned index, FlowTable<Key>& flows, const Key& key,
                          typename FlowTable<Key>::Place place) noexcept {
  const bool reused = static_cast<bool>(place);
  if (!reused) {
    place = flows.make_room(burst.hash[index],
                            [this](const Key& other, FlowValue value) { return release_if_dead(other, value); });
  }
  if (!place) {
    overflowed_ = true;
    last_overflow_ = tick_;
    const auto slot = pick_unstored(burst, index, key);
    return slot ? forward_unstored(*slot) : reject(burst, index);
  }
  // Only now: a connection that found no room must not move the cursor.
  const auto slot = schedule(pick_input(burst, index, key), key.service());
  if (!slot) {
    if (reused) flows.erase(place);
    return reject(burst, index);
  }
  const FlowState state = first_state(burst.facts[index].protocol(), burst.facts[index].flags());
  const FlowValue value(*slot, snapshot_->slot(*slot).generation, state, tick_);
  if (reused) {
    FlowTable<Key>::set_value(place, value);
  } else {
    flows.put(place, key, value);
  }
  count_new(*slot, state);
  return static_cast<Fate>(*slot);
}

// The client's template has one connection less. False: others held its bucket.
template <class Key>
bool Worker::release_template(const Key& key, FlowValue value) noexcept {
  const VirtualService* service = snapshot_->service(key.service());
  if (service == nullptr || service->persistence == 0) return true;
  return shared_.templates().release(service->id, masked(key.wide_client(), service->client_mask),
                                     {value.slot(), value.generation()}, tick_);
}

// The client's template counts this connection, if it was made under it. Another one, for the client may have got
// another server since, must not: nothing would ever take it off again.
template <class Key>
void Worker::hold_template(const Key& key, FlowValue value) noexcept {
  const VirtualService& service = *snapshot_->service(key.service());
  if (service.persistence == 0) return;
  const BoundServer server{value.slot(), value.generation()};
  shared_.templates().bind(
      service.id, masked(key.wide_client(), service.client_mask), tick_, service.persistence,
      [server](BoundServer known) { return known == server; }, [] { return std::optional<BoundServer>(); });
}

// A connection that another worker knows, since the NIC spreads its packets in two ways.
template <class Key>
Worker::Fate Worker::adopt(Burst& burst, unsigned index, FlowTable<Key>& flows, const Key& key,
                           typename FlowTable<Key>::Place place, FlowValue known) noexcept {
  const bool reused = static_cast<bool>(place);
  if (!reused) {
    place = flows.make_room(burst.hash[index],
                            [this](const Key& other, FlowValue value) { return release_if_dead(other, value); });
  }
  const FlowState state = next_state(burst.facts[index].protocol(), known.state(), burst.facts[index].flags());
  if (place) {
    const FlowValue value(known.slot(), known.generation(), state, tick_);
    if (reused) {
      FlowTable<Key>::set_value(place, value);
    } else {
      flows.put(place, key, value);
    }
    count_live(known.slot(), state);
    hold_template(key, known);
  } else {
    adopt_tenancy(known.slot());
  }
  return static_cast<Fate>(known.slot());
}

std::optional<SlotId> Worker::pick_without_template(const VirtualService& service, const PickInput& input) noexcept {
  PickInput client_only{
      .client = masked(input.client, service.client_mask), .destination = input.destination, .client_port = {}};
  client_only.hash = static_cast<uint32_t>(stable_hash(client_only.client, 0));
  return dataplane::pick_unstored(service.scheduler, client_only);
}

std::optional<SlotId> Worker::schedule(const PickInput& input, ServiceId id) noexcept {
  const VirtualService& service = *snapshot_->service(id);
  const auto pick_one = [&]() -> std::optional<SlotId> {
    return pick(service.scheduler, *service.state, shared_.loads(), input);
  };
  if (service.persistence == 0) return pick_one();
  const auto with_generation = [&]() -> std::optional<BoundServer> {
    const auto slot = pick_one();
    if (!slot) return std::nullopt;
    return BoundServer{*slot, snapshot_->slot(*slot).generation};
  };
  const auto bound = shared_.templates().bind(
      service.id, masked(input.client, service.client_mask), tick_, service.persistence,
      [this](BoundServer server) { return is_valid(server); }, with_generation);
  switch (bound.outcome) {
    case TemplateTable::Outcome::kFound:
    case TemplateTable::Outcome::kCreated: return bound.server.slot;
    case TemplateTable::Outcome::kNoServer: return std::nullopt;
    case TemplateTable::Outcome::kFull:
    case TemplateTable::Outcome::kBusy: break;
  }
  // No room for this client's template: the same server for it all the same, while the usable ones stay.
  add<uint64_t>(counters_.templates_full, 1);
  return pick_without_template(service, input);
}

bool Worker::is_valid(BoundServer server) const noexcept {
  const SlotDetail& detail = snapshot_->detail(server.slot);
  const bool quiescent = detail.draining && snapshot_->switches().expire_quiescent_template;
  return snapshot_->slot(server.slot).generation == server.generation && detail.link != LinkId::kGone &&
         detail.link != LinkId::kNoNeighbor && !quiescent;
}

Worker::Fate Worker::schedule_one_packet(Burst& burst, unsigned index) noexcept {
  const WideKey& key = burst.wide.key[index];
  const VirtualService& service = *snapshot_->service(key.service());
  const auto slot = pick(service.scheduler, *service.state, shared_.loads(), pick_input(burst, index, key));
  if (!slot) return reject(burst, index);
  adopt_tenancy(*slot);
  add<uint64_t>(slot_counters_[static_cast<size_t>(*slot)].connections, 1);  // as IPVS counts them
  return static_cast<Fate>(*slot);
}

template <class Key>
std::optional<SlotId> Worker::pick_unstored(Burst& burst, unsigned index, const Key& key) noexcept {
  const VirtualService& service = *snapshot_->service(key.service());
  if (service.persistence != 0) {
    const auto bound = shared_.templates().find(service.id, masked(key.wide_client(), service.client_mask), tick_);
    if (bound && is_valid(*bound)) return bound->slot;
    return pick_without_template(service, pick_input(burst, index, key));
  }
  return dataplane::pick_unstored(service.scheduler, pick_input(burst, index, key));
}

Worker::Fate Worker::forward_unstored(SlotId slot) noexcept {
  adopt_tenancy(slot);
  add<uint64_t>(counters_.unstored, 1);
  return static_cast<Fate>(slot);
}

bool Worker::alive(FlowValue value) const noexcept {
  return value.generation() == snapshot_->slot(value.slot()).generation &&
         !timeouts_.expired(value.state(), value.last_seen(), tick_);
}

// False also if the client's template could not be told at once: the entry stays, and is met again.
template <class Key>
bool Worker::release_if_dead(const Key& key, FlowValue value) noexcept {
  if (alive(value) || !release_template(key, value)) return false;
  count_gone(value);
  return true;
}
template bool Worker::release_if_dead(const FlowKey&, FlowValue) noexcept;
template bool Worker::release_if_dead(const WideKey&, FlowValue) noexcept;

// Counts of a slot's former real server, or of connections that a publication ended, are not this one's.
void Worker::adopt_tenancy(SlotId slot) noexcept {
  SlotCounters& c = slot_counters_[static_cast<size_t>(slot)];
  const uint16_t tenancy = snapshot_->detail(slot).tenancy, generation = snapshot_->slot(slot).generation;
  if (c.tenancy != tenancy) {
    set<uint64_t>(c.packets, 0);
    set<uint64_t>(c.bytes, 0);
    set<uint64_t>(c.connections, 0);
    set(c.tenancy, tenancy);
  }
  if (c.generation != generation) {
    set<uint32_t>(c.active, 0);
    set<uint32_t>(c.inactive, 0);
    set(c.generation, generation);
  }
}

void Worker::count_new(SlotId slot, FlowState state) noexcept {
  count_live(slot, state);
  add<uint64_t>(slot_counters_[static_cast<size_t>(slot)].connections, 1);
}

// One connection more that lives.
void Worker::count_live(SlotId slot, FlowState state) noexcept {
  adopt_tenancy(slot);
  SlotCounters& c = slot_counters_[static_cast<size_t>(slot)];
  if (snapshot_->detail(slot).counts_load) {
    join_load(slot);
    shared_.loads()[static_cast<size_t>(slot)].open(is_active(state), c.generation);
  }
  add<uint32_t>(is_active(state) ? c.active : c.inactive, 1);
}

void Worker::count_gone(FlowValue value) noexcept {
  const SlotId slot = value.slot();
  SlotCounters& c = slot_counters_[static_cast<size_t>(slot)];
  if (c.generation == value.generation()) {  // else adopt_tenancy() forgot it already
    if (snapshot_->detail(slot).counts_load) {
      join_load(slot);
      shared_.loads()[static_cast<size_t>(slot)].close(is_active(value.state()), c.generation);
    }
    uint32_t& counter = is_active(value.state()) ? c.active : c.inactive;
    set(counter, counter - 1);
  }
}

void Worker::count_change(SlotId slot, FlowState from, FlowState to) noexcept {
  if (is_active(from) == is_active(to)) return;
  SlotCounters& c = slot_counters_[static_cast<size_t>(slot)];
  if (snapshot_->detail(slot).counts_load) {
    join_load(slot);
    shared_.loads()[static_cast<size_t>(slot)].change(is_active(to), c.generation);
  }
  set(c.active, is_active(to) ? c.active + 1 : c.active - 1);
  set(c.inactive, is_active(to) ? c.inactive - 1 : c.inactive + 1);
}

// The load of a slot is asked for since a publication, and this worker's connections are not in it yet. They join with
// the first thing that happens to any of them: until then a scheduler that has just been chosen knows too few.
void Worker::join_load(SlotId slot) noexcept {
  SlotCounters& c = slot_counters_[static_cast<size_t>(slot)];
  const uint16_t epoch = snapshot_->detail(slot).load_epoch;
  if (c.load_epoch == epoch) return;
  c.load_epoch = epoch;
  shared_.loads()[static_cast<size_t>(slot)].open(c.active, c.inactive, c.generation);
}

}  // namespace lbdp::dataplane
