// SPDX-License-Identifier: BSD-2-Clause
#include "control/notify_fifo.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

namespace lbdp::control {
namespace {

tl::unexpected<Error> fail_errno(const std::string& path, const char* what) {
  return fail("FIFO " + path + ": " + what + ": " + std::strerror(errno));
}

Result<void> give_to(const std::string& path, const std::string& user, const std::string& group) {
  if (user.empty() && group.empty()) return {};
  uid_t uid = static_cast<uid_t>(-1);
  gid_t gid = static_cast<gid_t>(-1);
  if (!user.empty()) {
    const passwd* known = ::getpwnam(user.c_str());
    if (known == nullptr) return fail("FIFO " + path + ": there is no user '" + user + "'");
    uid = known->pw_uid;
    gid = known->pw_gid;
  }
  if (!group.empty()) {
    const ::group* known = ::getgrnam(group.c_str());
    if (known == nullptr) return fail("FIFO " + path + ": there is no group '" + group + "'");
    gid = known->gr_gid;
  }
  if (::chown(path.c_str(), uid, gid) != 0) return fail_errno(path, "cannot be given to its owner");
  return {};
}

}  // namespace

NotifyFifo::~NotifyFifo() {
  if (fd_ >= 0) ::close(fd_);
  if (made_) ::unlink(path_.c_str());
}

NotifyFifo::NotifyFifo(NotifyFifo&& other) noexcept {
  *this = std::move(other);
}

NotifyFifo& NotifyFifo::operator=(NotifyFifo&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  std::swap(made_, other.made_);
  std::swap(dropped_, other.dropped_);
  return *this;
}

Result<NotifyFifo> NotifyFifo::open(const std::string& path, const std::string& user, const std::string& group) {
  NotifyFifo fifo;
  fifo.path_ = path;
  fifo.made_ = ::mkfifo(path.c_str(), 0600) == 0;
  if (!fifo.made_ && errno != EEXIST) return fail_errno(path, "cannot be made");
  if (fifo.made_) {
    if (auto given = give_to(path, user, group); !given) return tl::unexpected(given.error());
  }
  // For reading too: the pipe is open then whether or not somebody reads it, and a write never ends us by SIGPIPE.
  fifo.fd_ = ::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
  if (fifo.fd_ < 0) return fail_errno(path, "cannot be opened");
  struct stat status {};
  if (::fstat(fifo.fd_, &status) != 0 || !S_ISFIFO(status.st_mode)) return fail("FIFO " + path + ": not a FIFO");
  return fifo;
}

bool NotifyFifo::write(std::string_view line) {
  std::string text(line);
  text += '\n';
  // Up to PIPE_BUF a write is whole or not at all.
  const bool whole = text.size() <= PIPE_BUF && fd_ >= 0 && ::write(fd_, text.data(), text.size()) > 0;
  if (!whole) ++dropped_;
  return whole;
}

}  // namespace lbdp::control
