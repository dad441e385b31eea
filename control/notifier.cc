// SPDX-License-Identifier: BSD-2-Clause
#include "control/notifier.h"

#include <spdlog/logger.h>

#include <algorithm>
#include <utility>

#include "control/notify_fifo.h"

namespace lbdp::control {
namespace {

const std::optional<ChildCommand>* program_for(const TransitionPrograms& programs, const std::string& state) {
  if (state == "MASTER") return &programs.master;
  if (state == "BACKUP") return &programs.backup;
  if (state == "FAULT") return &programs.fault;
  if (state == "STOP") return &programs.stop;
  if (state == "DELETED") return &programs.deleted;
  return nullptr;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

}  // namespace

std::string fifo_name(const Endpoint& endpoint, Protocol protocol) {
  return "[" + endpoint.address.to_string() + "]:" + lower(std::string(to_string(protocol))) + ":" +
         std::to_string(endpoint.port);
}

struct Notifier::Impl {
  struct OpenFifo {
    FifoParams params;
    NotifyFifo fifo;
    bool full = false;  // the last line was dropped: said once
  };

  Impl(ChildProcesses& its_children, spdlog::logger& its_log) : children(its_children), log(its_log) {}

  void open(const FifoParams& wanted);
  void start(const ChildCommand& command, const std::string& what);
  void start_with(const std::optional<ChildCommand>& program, const std::vector<std::string>& more,
                  const std::string& what);
  void write(bool vrrp, const std::string& line);
  void transition(const char* kind, const std::string& name, const std::string& state, unsigned priority,
                  const TransitionPrograms& programs);

  ChildProcesses& children;
  spdlog::logger& log;
  NotifierParams params;
  std::vector<OpenFifo> fifos;
};

void Notifier::Impl::open(const FifoParams& wanted) {
  auto opened = NotifyFifo::open(wanted.path, wanted.user, wanted.group);
  if (!opened) return log.error("{}; nothing is written to it", opened.error().message);
  fifos.push_back({wanted, std::move(*opened)});
  start_with(wanted.script, {wanted.path}, "the reader of FIFO " + wanted.path);
}

void Notifier::Impl::start(const ChildCommand& command, const std::string& what) {
  children.run(command, {}, [this, what, program = command.arguments.front()](const ChildOutcome& outcome) {
    if (!outcome.success()) log.warn("{}: {} {}", what, program, outcome.to_string());
  });
}

void Notifier::Impl::start_with(const std::optional<ChildCommand>& program, const std::vector<std::string>& more,
                                const std::string& what) {
  if (!program) return;
  ChildCommand command = *program;
  command.arguments.insert(command.arguments.end(), more.begin(), more.end());
  start(command, what);
}

void Notifier::Impl::write(bool vrrp, const std::string& line) {
  for (OpenFifo& open : fifos) {
    if (vrrp ? !open.params.vrrp : !open.params.services) continue;
    const bool written = open.fifo.write(line);
    if (!written && !open.full) log.warn("FIFO {}: full, nobody reads it; lines are dropped", open.params.path);
    open.full = !written;
  }
}

void Notifier::Impl::transition(const char* kind, const std::string& name, const std::string& state, unsigned priority,
                                const TransitionPrograms& programs) {
  const std::string what = "notify of " + name + " " + state;
  if (const auto* program = program_for(programs, state)) start_with(*program, {}, what);
  start_with(programs.any, {kind, name, state, std::to_string(priority)}, what);
  write(true, std::string(kind) + " \"" + name + "\" " + state + " " + std::to_string(priority));
}

Notifier::Notifier(ChildProcesses& children, spdlog::logger& log) : impl_(std::make_unique<Impl>(children, log)) {}
Notifier::~Notifier() = default;

void Notifier::configure(const NotifierParams& params) {
  std::erase_if(impl_->fifos,
                [&](const auto& open) { return std::ranges::find(params.fifos, open.params) == params.fifos.end(); });
  for (const FifoParams& wanted : params.fifos) {
    const bool there = std::ranges::any_of(impl_->fifos, [&](const auto& open) { return open.params == wanted; });
    if (!there) impl_->open(wanted);
  }
  impl_->params = params;
}

void Notifier::instance(const std::string& name, const std::string& state, unsigned priority) {
  const auto found = impl_->params.instances.find(name);
  impl_->transition("INSTANCE", name, state, priority,
                    found == impl_->params.instances.end() ? TransitionPrograms{} : found->second);
}

void Notifier::group(const std::string& name, const std::string& state) {
  const auto found = impl_->params.groups.find(name);
  impl_->transition("GROUP", name, state, 0,
                    found == impl_->params.groups.end() ? TransitionPrograms{} : found->second);
}

void Notifier::priority(const std::string& name, const std::string& state, unsigned priority) {
  const auto found = impl_->params.instances.find(name);
  if (found == impl_->params.instances.end() || !found->second.priority_changes) return;
  impl_->write(true, "INSTANCE \"" + name + "\" " + state + "_PRIORITY " + std::to_string(priority));
}

void Notifier::master_rx_lower_pri(const std::string& name, const std::string& state, unsigned priority) {
  const auto found = impl_->params.instances.find(name);
  if (found == impl_->params.instances.end()) return;
  impl_->start_with(found->second.master_rx_lower_pri, {"INSTANCE", name, state, std::to_string(priority)},
                    "notify_master_rx_lower_pri of " + name);
  if (found->second.master_rx_lower_pri) {
    impl_->write(true, "INSTANCE \"" + name + "\" " + state + "_RX_LOWER_PRI " + std::to_string(priority));
  }
}

void Notifier::virtual_server(const ServiceKey& service, bool up) {
  impl_->write(false, "VS " + fifo_name(service.endpoint, service.protocol) + (up ? " UP" : " DOWN"));
}

void Notifier::real_server(const Endpoint& real, const ServiceKey& service, bool up) {
  impl_->write(false, "RS " + fifo_name(real, service.protocol) + " " + fifo_name(service.endpoint, service.protocol) +
                          (up ? " UP" : " DOWN"));
}

}  // namespace lbdp::control
