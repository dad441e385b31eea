// SPDX-License-Identifier: BSD-2-Clause
#include "control/watched_file.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace lbdp::control {
namespace {

// Not IN_MODIFY: who rewrites a file empties it first, and an empty one means something else.
constexpr uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF;
constexpr std::chrono::seconds kLookAgain{1};

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// What stands at the start of the file; blanks before it and anything behind it are no matter, as for keepalived.
std::optional<int> read_number(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return {};
  struct stat status {};
  std::array<char, 64> buffer{};
  const bool regular = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  const ssize_t got = regular ? ::read(fd, buffer.data(), buffer.size()) : -1;
  ::close(fd);
  if (got <= 0) return {};
  std::string_view text(buffer.data(), static_cast<size_t>(got));
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  if (text.starts_with('+')) text.remove_prefix(1);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return {};
  return number;
}

}  // namespace

struct WatchedFile::Impl : std::enable_shared_from_this<Impl> {
  Impl(asio::io_context& io, std::string its_path, Changed its_changed)
      : path(std::move(its_path)), changed(std::move(its_changed)), watch(io), timer(io) {}

  void open();
  void wait();
  void look_later();
  void look() {
    if (changed) changed(read_number(path));
  }

  std::string path;
  Changed changed;
  asio::posix::stream_descriptor watch;
  asio::steady_timer timer;
};

void WatchedFile::Impl::open() {
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd >= 0 && ::inotify_add_watch(fd, directory_of(path).c_str(), kEvents) >= 0) {
    boost::system::error_code error;
    watch.assign(fd, error);
    if (!error) return wait();
  }
  if (fd >= 0) ::close(fd);
  look_later();
}

void WatchedFile::Impl::wait() {
  watch.async_wait(
      asio::posix::stream_descriptor::wait_read, [weak = weak_from_this()](boost::system::error_code error) {
        const auto self = weak.lock();
        if (!self || error) return;
        alignas(inotify_event) std::array<char, 4096> events{};
        bool directory_gone = false;
        for (ssize_t got = 0; (got = ::read(self->watch.native_handle(), events.data(), events.size())) > 0;) {
          for (ssize_t at = 0; at < got;) {
            const auto* event = reinterpret_cast<const inotify_event*>(events.data() + at);
            directory_gone |= (event->mask & (IN_DELETE_SELF | IN_IGNORED)) != 0;
            at += static_cast<ssize_t>(sizeof *event + event->len);
          }
        }
        self->look();
        if (!directory_gone) return self->wait();
        boost::system::error_code ignored;
        self->watch.close(ignored);
        self->look_later();
      });
}

void WatchedFile::Impl::look_later() {
  timer.expires_after(kLookAgain);
  timer.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (!self || error) return;
    self->look();
    self->open();  // the directory may be there now
  });
}

WatchedFile::WatchedFile(asio::io_context& io, std::string path, Changed changed)
    : impl_(std::make_shared<Impl>(io, std::move(path), std::move(changed))) {
  impl_->open();
}

WatchedFile::~WatchedFile() {
  impl_->changed = nullptr;
  boost::system::error_code ignored;
  impl_->watch.close(ignored);
  impl_->timer.cancel();
}

const std::string& WatchedFile::path() const {
  return impl_->path;
}

std::optional<int> WatchedFile::value() const {
  return read_number(impl_->path);
}

}  // namespace lbdp::control
