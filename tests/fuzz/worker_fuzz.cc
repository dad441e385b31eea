// SPDX-License-Identifier: BSD-2-Clause
// Any sequence of frames, moments and publications through two whole workers: every frame ends in one counter, leaves
// as it came but for its Ethernet header, and gives its buffer back; the counts of connections are those of the tables.
// The input is a list of steps, each a byte that says which (worker_fuzz_input.h) and what that step needs.
#include <rte_mempool.h>

#include <cstdlib>
#include <map>
#include <span>

#include "tests/fuzz/worker_fuzz_input.h"
#include "tests/packet/support/director.h"

using namespace lbdp;
using namespace lbdp::packet_tests;

namespace {

constexpr uint16_t kWorkers = 2;
constexpr size_t kMostSteps = 400;

void demand(bool fact) {
  if (!fact) std::abort();
}

bool is_tagged(const Bytes& frame) {
  return frame.size() >= 18 && frame[12] == 0x81 && frame[13] == 0x00;
}
// What the director must not touch.
std::string behind_ethernet(const Bytes& frame) {
  const size_t begin = std::min<size_t>(is_tagged(frame) ? 16 : 12, frame.size());
  return {frame.begin() + static_cast<std::ptrdiff_t>(begin), frame.end()};
}

// The frames that are on their way through the workers, by what must come out again.
class InFlight {
 public:
  void add(const Bytes& frame) { ++frames_[behind_ethernet(frame)][frame.size()]; }
  // A frame that goes out: the same content, at most a tag longer or shorter. False: nobody sent such a thing.
  bool take_forwarded(const Bytes& frame) {
    const auto known = frames_.find(behind_ethernet(frame));
    if (known == frames_.end()) return false;
    const size_t least = frame.size() < 4 ? 0 : frame.size() - 4;
    for (auto& [length, count] : known->second) {
      if (length >= least && length <= frame.size() + 4 && count > 0) {
        --count;
        return true;
      }
    }
    return false;
  }

 private:
  std::map<std::string, std::map<size_t, unsigned>> frames_;  // how many, by length
};

// ICMP errors of ours, from a port of ours, with sound checksums as far as IPv4 goes.
void check_reply(const Outcome::Sent& sent) {
  const Bytes& b = sent.bytes;
  const size_t l3 = is_tagged(b) ? 18 : 14;
  demand(b.size() >= l3 + 28 && b.size() <= l3 + 1280);
  demand(std::equal(b.begin() + 6, b.begin() + 12, mac(kPortMacs.at(sent.port)).bytes.begin()));
  if (b[l3] >> 4 == 6) {
    demand(b[l3 + 6] == 58 && (b[l3 + 40] == 1 || b[l3 + 40] == 2));
  } else {
    demand(b[l3] == 0x45 && b[l3 + 9] == 1 && b[l3 + 20] == 3);
    demand(checksum(b.data() + l3, 20) == 0 && checksum(b.data() + l3 + 20, b.size() - l3 - 20) == 0);
  }
}

// A piece of an IPv4 packet that was too long for its server's link; the packet's own checksum was right, else it would
// not have been cut.
bool is_piece(const Bytes& b) {
  const size_t l3 = is_tagged(b) ? 18 : 14;
  return b.size() >= l3 + 20 && b[l3] >> 4 == 4 && (b[l3 + 6] & 0x3f) + b[l3 + 7] != 0;
}
void check_piece(const Outcome::Sent& sent) {
  const Bytes& b = sent.bytes;
  const size_t l3 = is_tagged(b) ? 18 : 14, header = b[l3] % 16 * 4U, length = b[l3 + 2] * 256U + b[l3 + 3];
  demand(std::equal(b.begin() + 6, b.begin() + 12, mac(kPortMacs.at(sent.port)).bytes.begin()));
  demand(b.size() == std::max<size_t>(l3 + length, 60) && length > header && b.size() >= l3 + header);
  demand(checksum(b.data() + l3, header) == 0);
}

struct Count {
  uint32_t active = 0, inactive = 0;
};

template <class Key>
void count_entries(const dataplane::Worker& worker, std::map<std::pair<size_t, uint16_t>, Count>& counts) {
  const auto& table = worker.table<Key>();
  size_t entries = 0;
  for (size_t i = 0; i < table.capacity(); ++i) {
    Key key;
    dataplane::FlowValue value;
    if (!table.read(i, key, value)) continue;
    ++entries;
    Count& count = counts[{static_cast<size_t>(value.slot()), value.generation()}];
    ++(dataplane::is_active(value.state()) ? count.active : count.inactive);
  }
  demand(entries == table.size());
}

class Run {
 public:
  Run() : director_(options()) { director_.publish(fuzz::tables(0)); }

  void step(fuzz::Input& in) {
    switch (in.byte() % 8) {
      case 0: queue(in, fuzz::raw_frame(in)); break;
      case 1:
      case 2:
      case 3: queue(in, fuzz::sensible_frame(in)); break;
      case 4: run(in.byte() % kWorkers); break;
      case 5: advance(in); break;
      case 6: director_.publish(fuzz::tables(in.byte())); break;
      case 7: change(in); break;
    }
  }
  void finish() {
    for (uint16_t w = 0; w < kWorkers; ++w) run(w);
    check_counts();
  }

 private:
  static DirectorOptions options() {
    DirectorOptions o{.workers = kWorkers, .connections = 48, .wide_connections = 24, .templates = 24};
    o.policing.replies = {1'000, 50};
    return o;
  }

  void queue(fuzz::Input& in, const Bytes& frame) {
    const fuzz::Placing placing = fuzz::placing(in, frame.size());
    Director::feed(frame, placing.worker % kWorkers, placing.port, placing.layout);
    in_flight_.add(frame);
    unsigned& waiting = waiting_[placing.worker % kWorkers];
    if (++waiting == dataplane::Worker::kBurst) run(placing.worker % kWorkers);
  }
  void run(uint16_t worker) {
    waiting_[worker] = 0;
    const uint64_t replies_before = replies(), pieces_before = pieces();
    director_.worker(worker).run_once();
    uint64_t strangers = 0, pieces_found = 0;
    for (const auto& sent : Director::drain_ports()) {
      if (in_flight_.take_forwarded(sent.bytes)) continue;
      const bool piece = is_piece(sent.bytes);
      ++(piece ? pieces_found : strangers);
      piece ? check_piece(sent) : check_reply(sent);
    }
    demand(strangers == replies() - replies_before);
    demand(pieces_found == pieces() - pieces_before);
    for (const auto& punted : director_.drain_punts()) demand(in_flight_.take_forwarded(punted.bytes));
    for (uint16_t w = 0; w < kWorkers; ++w) demand(adds_up(director_.status(w)));
  }
  [[nodiscard]] uint64_t replies() const { return director_.status(0).replies + director_.status(1).replies; }
  [[nodiscard]] uint64_t pieces() const { return director_.status(0).pieces + director_.status(1).pieces; }

  void advance(fuzz::Input& in) {
    constexpr std::array<unsigned, 8> kMilliseconds{50, 250, 600, 3'000, 12'000, 70'000, 130'000, 1'000'000};
    director_.advance(std::chrono::milliseconds(kMilliseconds[in.byte() % kMilliseconds.size()]));
  }
  void change(fuzz::Input& in) {
    const auto tables = fuzz::tables(in.byte());
    const auto& changed = tables.virtual_servers[in.byte() % tables.virtual_servers.size()];
    (void)director_.publisher().publish_changes({&changed, 1});  // refused where it is not there, or not like this
  }

  // A worker counts what its tables hold of the present generation of each slot.
  void check_counts() {
    for (const auto& worker : director_.workers()) {
      std::map<std::pair<size_t, uint16_t>, Count> counts;
      count_entries<dataplane::FlowKey>(*worker, counts);
      count_entries<dataplane::WideKey>(*worker, counts);
      for (size_t slot = 0; slot < director_.publisher().registry().slot_count(); ++slot) {
        const auto& said = worker->slot_counters(dataplane::SlotId{static_cast<uint16_t>(slot)});
        const Count found = counts[{slot, said.generation}];
        demand(found.active == said.active && found.inactive == said.inactive);
      }
    }
  }

  Director director_;
  InFlight in_flight_;
  std::array<unsigned, kWorkers> waiting_{};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rte_mempool* const pool = Wires::get().pool();
  const unsigned free_before = rte_mempool_avail_count(pool);
  {
    Run run;
    fuzz::Input in({data, size});
    for (size_t steps = 0; !in.ended() && steps < kMostSteps; ++steps) run.step(in);
    run.finish();
  }
  demand(rte_mempool_avail_count(pool) == free_before);
  return 0;
}
