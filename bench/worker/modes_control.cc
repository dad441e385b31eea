// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <thread>

#include "bench/worker/figures.h"
#include "bench/worker/modes.h"
#include "bench/worker/rig.h"
#include "dataplane/inspect.h"

namespace lbdp::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPause = std::chrono::milliseconds(1);  // between publications: workers go on meanwhile
constexpr auto kDeadline = std::chrono::seconds(10);
constexpr size_t kPage = 4096;
constexpr unsigned kListRounds = 5;

double thread_cpu_s() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

double ms(double seconds) {
  return std::round(seconds * 1e6) / 1e3;
}

/// How long something took, several times over.
struct Durations {
  std::vector<double> wall_s, cpu_s;

  template <class F>
  void take(F&& action) {
    const auto begin = Clock::now();
    const double cpu = thread_cpu_s();
    action();
    cpu_s.push_back(thread_cpu_s() - cpu);
    wall_s.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
  }
  [[nodiscard]] nlohmann::json summary() const {
    return {{"count", wall_s.size()},
            {"median_ms", ms(median(wall_s))},
            {"max_ms", ms(*std::max_element(wall_s.begin(), wall_s.end()))},
            {"median_cpu_ms", ms(median(cpu_s))},
            {"max_cpu_ms", ms(*std::max_element(cpu_s.begin(), cpu_s.end()))}};
  }
};

void wait_until(const char* what, auto&& condition) {
  const auto deadline = Clock::now() + kDeadline;
  while (!condition()) {
    expect(Clock::now() < deadline, std::string("not in time: ") + what);
    std::this_thread::sleep_for(kPause);
  }
}

RigParams params_beside_control(const Options& options, unsigned services) {
  RigParams p;
  p.network = {options.family, services, options.servers};
  p.flows = options.flows;
  p.connections = options.connections;
  p.workers = options.workers;
  p.cold = options.cold;
  p.main_lcore = MainLcore::kControls;
  return p;
}

std::vector<Sample> samples_of(const Rig& rig) {
  std::vector<Sample> list;
  for (unsigned w = 0; w < rig.params().workers; ++w) list.push_back(rig.sample(w));
  return list;
}

std::vector<Sample> since(const Rig& rig, const std::vector<Sample>& earlier) {
  auto list = samples_of(rig);
  for (size_t i = 0; i < list.size(); ++i) list[i] = list[i] - earlier[i];
  return list;
}

/// One real server that comes and goes: it is down while the flows are made, so none depends on it.
class Flipper {
 public:
  Flipper(Rig& rig, bool up) : rig_(rig), service_(virtual_server(rig.params().network, 0, rig.port())) { set(up); }

  void publish_all() {
    auto tables = tables_of(rig_.params().network, rig_.port());
    tables.virtual_servers.front() = service_;
    full.take([&] { check(rig_.publisher().publish(tables)); });
  }
  void flip() {
    set(!up_);
    Result<void> published;
    one.take([&] { published = rig_.publisher().publish_changes({&service_, 1}); });
    check(published);
  }

  Durations full, one;

 private:
  void set(bool up) {
    up_ = up;
    service_.real_servers.back().in_table = up;
  }
  static void check(const Result<void>& published) {
    if (!published) throw BenchError("publication: " + published.error().message);
  }

  Rig& rig_;
  dataplane::VirtualServerParams service_;
  bool up_ = false;
};

/// Reads all connections once, page by page; returns how many rows there were.
uint64_t list_all(const Rig& rig) {
  uint64_t rows = 0, cursor = 0;
  do {
    const auto page = dataplane::list_connections(cursor, kPage, {}, rig.publisher().registry(), rig.workers());
    rows += page.rows.size();
    cursor = page.next_cursor;
  } while (cursor != 0);
  return rows;
}

/// Reads all connections again and again as the director does for `lbdp-cli show connections`: so many rows an answer,
/// as JSON text. Without the socket and the client, which make it slower.
class Answers {
 public:
  explicit Answers(const Rig& rig) : rig_(rig) {}
  void next() {
    const auto page = dataplane::list_connections(cursor_, kRows, {}, rig_.publisher().registry(), rig_.workers());
    nlohmann::json list = nlohmann::json::array();
    for (const auto& row : page.rows) list.push_back(to_json(row));
    const nlohmann::json answer{{"ok", true}, {"rows", std::move(list)}, {"next_cursor", page.next_cursor}};
    bytes += answer.dump().size();
    rows += page.rows.size();
    cursor_ = page.next_cursor;
  }
  uint64_t rows = 0, bytes = 0;

 private:
  static constexpr size_t kRows = 100;  // as in control/requests.cc
  static nlohmann::json to_json(const dataplane::ConnectionRow& row) {
    return {{"protocol", to_string(row.protocol)},
            {"client", row.client.to_string()},
            {"virtual", row.virtual_server.to_string()},
            {"real", row.real_server.to_string()},
            {"state", row.state},
            {"expires_s", row.expires_in.count()},
            {"worker", static_cast<unsigned>(row.worker)}};
  }

  const Rig& rig_;
  uint64_t cursor_ = 0;
};

double rate_during(Rig& rig, double seconds, auto&& action) {
  const auto before = samples_of(rig);
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) action();
  return rate_of(since(rig, before));
}

}  // namespace

nlohmann::json run_publish(const Options& options) {
  RigParams params = params_beside_control(options, options.services);
  params.check_frames = true;
  Rig rig(params);
  Flipper flipper(rig, false);
  flipper.publish_all();
  rig.fill();
  rig.set_pattern(Pattern::kEstablished);
  const Totals before = rig.totals();
  const uint64_t made = rig.frames_made();
  flipper.full = {};
  rig.start();
  const auto begin = samples_of(rig);
  auto go_on = [&, seen = uint64_t{0}]() mutable {  // every publication meets workers that forward
    const uint64_t at_least = seen + 1;
    wait_until("frames are forwarded", [&] { return (seen = rig.totals().received) >= at_least; });
    rig.publisher().collect();
  };
  for (unsigned i = 0; i < options.publications; ++i, go_on()) flipper.publish_all();
  for (unsigned i = 0; i < options.publications * 2; ++i, go_on()) flipper.flip();
  wait_until("old snapshots are freed", [&] {
    rig.publisher().collect();
    return rig.publisher().pending() == 0;
  });
  const auto samples = since(rig, begin);
  rig.finish();
  const Totals during = rig.totals() - before;
  expect_all_forwarded(rig, during, rig.frames_made() - made);
  expect_none_moved(rig);
  auto line = heading("publish", options);
  line["services"] = options.services;
  line["real_servers"] = options.services * options.servers;
  line["publish"] = flipper.full.summary();
  line["flip"] = flipper.one.summary();
  line["lost"] = 0;
  line["moved"] = 0;
  add_rates(line, samples);
  add_totals(line, during);
  return line;
}

nlohmann::json run_list(const Options& options) {
  Rig rig(params_beside_control(options, 1));
  rig.fill();
  rig.set_pattern(Pattern::kEstablished);
  const Totals before = rig.totals();
  const uint64_t made = rig.frames_made();
  rig.start();
  std::vector<double> quiet, reading, answering;
  uint64_t passes = 0, rows = 0;
  Durations full_pass;
  const auto idle = [] { std::this_thread::sleep_for(kPause); };
  const auto read = [&] {
    full_pass.take([&] { rows = list_all(rig); });
    ++passes;
    // A connection that finds no place at first can get one meanwhile, and moving entries can be missed or met twice.
    const uint64_t known = rig.totals().connections;
    expect((rows > known ? rows - known : known - rows) * 10000 <= known,
           std::to_string(rows) + " rows of " + std::to_string(known) + " connections were read");
  };
  Answers answers(rig);
  rate_during(rig, 0.1, idle);
  for (unsigned round = 0; round < kListRounds; ++round) {
    quiet.push_back(rate_during(rig, options.seconds / kListRounds, idle));
    reading.push_back(rate_during(rig, options.seconds / kListRounds, read));
    answering.push_back(rate_during(rig, options.seconds / kListRounds, [&] { answers.next(); }));
  }
  rig.finish();
  const Totals during = rig.totals() - before;
  expect_all_forwarded(rig, during, rig.frames_made() - made);
  auto line = heading("list", options);
  line["rows"] = rows;
  line["passes"] = passes;
  line["pass"] = full_pass.summary();
  line["quiet_packets_per_s"] = std::round(median(quiet));
  line["packets_per_s"] = std::round(median(reading));
  line["ratio"] = std::round(1000 * median(reading) / median(quiet)) / 1000;
  line["answered_rows_per_s"] = std::round(static_cast<double>(answers.rows) / options.seconds);
  line["answering_ratio"] = std::round(1000 * median(answering) / median(quiet)) / 1000;
  add_totals(line, during);
  return line;
}

}  // namespace lbdp::bench
