// SPDX-License-Identifier: BSD-2-Clause
#include "config/source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace lbdp::config {
namespace {

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

tl::unexpected<Error> fail_errno(const std::string& what) {
  return fail(what + ": " + std::strerror(errno));
}

tl::unexpected<Error> fail_too_large() {
  return fail("cannot be read: larger than " + std::to_string(Source::kMostBytes >> 20) + " MiB");
}

}  // namespace

Source::Source(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {
  size_t start = 0;
  while (start < text_.size()) {
    starts_.push_back(static_cast<uint32_t>(start));
    const size_t end = text_.find('\n', start);
    start = end == std::string::npos ? text_.size() : end + 1;
  }
}

std::string_view Source::line(uint32_t number) const {
  if (number == 0 || number > starts_.size()) return {};
  const size_t start = starts_[number - 1];
  const size_t end = number < starts_.size() ? starts_[number] : text_.size();
  std::string_view line = std::string_view(text_).substr(start, end - start);
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

uint32_t Sources::add(std::string name, std::string text, Place included_at) {
  files_.emplace_back(std::move(name), std::move(text));
  included_at_.push_back(included_at);
  return static_cast<uint32_t>(files_.size() - 1);
}

uint32_t Sources::add_expansion(std::string_view text, Place used_at) {
  expansions_.push_back({text, used_at});
  return static_cast<uint32_t>(expansions_.size());
}

std::string_view Sources::expanded(Place place) const {
  return place.expansion == 0 ? std::string_view() : expansions_[place.expansion - 1].text;
}

Place Sources::used_at(Place place) const {
  return place.expansion == 0 ? Place{} : expansions_[place.expansion - 1].used_at;
}

Result<std::string> read_file(const std::string& path, Executable executable) {
  // O_NONBLOCK: a FIFO that somebody put there must not hang us.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return fail_errno("cannot be opened");
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return fail_errno("cannot be read");
  if (!S_ISREG(status.st_mode)) return fail("cannot be read: not a regular file");
  if (executable == Executable::kRefuse && (status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0) {
    return fail("is not read: it is executable");
  }
  if (static_cast<size_t>(status.st_size) > Source::kMostBytes) return fail_too_large();

  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t got = read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("cannot be read");
    if (got == 0) return text;
    text.append(buffer, static_cast<size_t>(got));
    if (text.size() > Source::kMostBytes) return fail_too_large();  // it grew meanwhile
  }
}

}  // namespace lbdp::config
