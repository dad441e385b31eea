// SPDX-License-Identifier: BSD-2-Clause
#include "control/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <unordered_set>
#include <utility>

namespace lbdp::control {
namespace {

/// What posix_spawn() wants beside the program; destroyed with it.
class SpawnSetup {
 public:
  SpawnSetup() {
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_init(&files_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    for (const int fd : {0, 1, 2}) {
      posix_spawn_file_actions_addopen(&files_, fd, "/dev/null", fd == 0 ? O_RDONLY : O_WRONLY, 0);
    }
    posix_spawn_file_actions_addclosefrom_np(&files_, 3);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  /// 0 or an errno.
  int spawn(pid_t& child, std::vector<std::string> arguments) {
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    return posix_spawnp(&child, argv[0], &files_, &attributes_, argv.data(), environ);
  }

 private:
  posix_spawnattr_t attributes_{};
  posix_spawn_file_actions_t files_{};
};

/// setpriv (util-linux) changes the account in the child, where it is no matter if that takes time.
std::vector<std::string> with_account(const ChildCommand& command) {
  std::vector<std::string> arguments;
  if (!command.user.empty()) {
    arguments = {"setpriv", "--reuid", command.user, "--init-groups", "--regid"};
    arguments.push_back(command.group.empty() ? command.user : command.group);
  }
  arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
  return arguments;
}

ChildOutcome outcome_of(const siginfo_t& info, bool timed_out) {
  if (timed_out) return {ChildOutcome::End::kTimedOut, 0};
  return {info.si_code == CLD_EXITED ? ChildOutcome::End::kExited : ChildOutcome::End::kSignalled, info.si_status};
}

}  // namespace

std::string ChildOutcome::to_string() const {
  switch (end) {
    case End::kExited: return "exited with status " + std::to_string(number);
    case End::kSignalled: return "ended by signal " + std::to_string(number);
    case End::kTimedOut: return "timed out";
    case End::kNotStarted: return std::string("could not be started: ") + std::strerror(number);
  }
  return "?";
}

struct ChildProcesses::Impl : std::enable_shared_from_this<Impl> {
  /// One child. Its process descriptor becomes readable when it ends.
  struct Child {
    Child(asio::io_context& io, pid_t its_pid, int fd, Done its_done)
        : pid(its_pid), descriptor(io, fd), timer(io), done(std::move(its_done)) {}
    pid_t pid;
    asio::posix::stream_descriptor descriptor;
    asio::steady_timer timer;
    Done done;
    bool timed_out = false;
    bool has_timeout = false;
  };
  using ChildPtr = std::shared_ptr<Child>;

  explicit Impl(asio::io_context& its_io) : io(its_io) {}

  void run(const ChildCommand& command, std::optional<std::chrono::microseconds> timeout, Done done);
  void fail(int error, Done done);
  void wait(const ChildPtr& child);
  void limit(const ChildPtr& child, std::chrono::microseconds time, int signal);
  void reap(const ChildPtr& child);

  asio::io_context& io;
  std::unordered_set<ChildPtr> children;
};

void ChildProcesses::Impl::run(const ChildCommand& command, std::optional<std::chrono::microseconds> timeout,
                               Done done) {
  pid_t pid = 0;
  if (const int error = SpawnSetup().spawn(pid, with_account(command)); error != 0) return fail(error, std::move(done));
  const auto fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) {
    const int error = errno;
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);  // it is dying: this is no wait
    return fail(error, std::move(done));
  }
  const auto child = std::make_shared<Child>(io, pid, fd, std::move(done));
  children.insert(child);
  wait(child);
  if (!timeout) return;
  child->has_timeout = true;
  limit(child, *timeout, SIGTERM);
}

void ChildProcesses::Impl::fail(int error, Done done) {
  asio::post(io, [weak = weak_from_this(), error, done = std::move(done)] {
    if (weak.lock()) done({ChildOutcome::End::kNotStarted, error});
  });
}

void ChildProcesses::Impl::wait(const ChildPtr& child) {
  child->descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                               [weak = weak_from_this(), child](boost::system::error_code error) {
                                 const auto self = weak.lock();
                                 if (self && !error) self->reap(child);
                               });
}

/// After `time` the child's whole group gets the signal; after SIGTERM comes SIGKILL.
void ChildProcesses::Impl::limit(const ChildPtr& child, std::chrono::microseconds time, int signal) {
  child->timer.expires_after(time);
  child->timer.async_wait([weak = weak_from_this(), child, signal](boost::system::error_code error) {
    const auto self = weak.lock();
    if (!self || error || !self->children.contains(child)) return;
    child->timed_out = true;
    ::kill(-child->pid, signal);
    if (signal == SIGTERM) self->limit(child, kGrace, SIGKILL);
  });
}

void ChildProcesses::Impl::reap(const ChildPtr& child) {
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(child->pid), &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) {
    return wait(child);
  }
  // What it started and left behind in its group has had the same time.
  if (child->timed_out) ::kill(-child->pid, SIGKILL);
  child->timer.cancel();
  children.erase(child);
  child->done(outcome_of(info, child->timed_out));
}

ChildProcesses::ChildProcesses(asio::io_context& io) : impl_(std::make_shared<Impl>(io)) {}

ChildProcesses::~ChildProcesses() {
  for (const auto& child : impl_->children) {
    boost::system::error_code ignored;
    child->descriptor.close(ignored);
    child->timer.cancel();
    if (child->has_timeout) ::kill(-child->pid, SIGKILL);
  }
}

void ChildProcesses::run(const ChildCommand& command, std::optional<std::chrono::microseconds> timeout, Done done) {
  impl_->run(command, timeout, std::move(done));
}

size_t ChildProcesses::running() const {
  return impl_->children.size();
}

}  // namespace lbdp::control
