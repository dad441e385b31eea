// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/types/asio.h"
#include "config/types/result.h"
#include "control/candidate.h"
#include "control/reload_report.h"

namespace lbdp::control {

/// Reloads, one after the other. The file is read and prepared on a thread of its own, for a file of 10,000 real
/// servers takes longer than the reactor may be held. A request that comes during a load is answered by the next load,
/// together with all others that come meanwhile: whoever writes the file and then asks gets what was written. So a
/// storm of requests costs one load at a time, and none is lost.
class Reloader {
 public:
  using Job = std::function<Candidate()>;
  /// Makes the job of one load; called on the reactor, and the job on the loader's thread.
  using MakeJob = std::function<Job()>;
  /// Makes a candidate, which nothing speaks against so far, the configuration in force. On error nothing has changed.
  using Take = std::function<Result<void>(Candidate& candidate)>;
  using Reply = std::function<void(const ReloadReport&)>;

  Reloader(asio::io_context& io, std::string file, MakeJob make_job, Take take);
  ~Reloader();  // waits for a load under way
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  /// `reply` is called once, on the reactor. A dry run takes nothing: it tells what a reload would do.
  void request(bool dry_run, Reply reply);
  /// Answers whoever waits; nothing is taken any more, and later requests are refused.
  void stop();

 private:
  struct Waiter {
    bool dry_run;
    Reply reply;
  };

  void begin();
  void loaded(Candidate candidate);
  [[nodiscard]] ReloadReport report(const Candidate& candidate) const;

  asio::io_context& io_;
  std::string file_;
  MakeJob make_job_;
  Take take_;
  std::vector<Waiter> served_;   // by the load under way
  std::vector<Waiter> waiting_;  // for the next
  bool loading_ = false;
  bool stopped_ = false;
  /// What a load posts back finds it empty when this object is gone.
  std::shared_ptr<Reloader*> self_ = std::make_shared<Reloader*>(this);
  asio::thread_pool pool_{1};
};

}  // namespace lbdp::control
