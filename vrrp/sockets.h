// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include "config/types/ip_address.h"
#include "config/types/result.h"

namespace lbdp::vrrp {

/// A file descriptor that closes itself.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd();

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// A raw socket for IP protocol 112 on one interface: sends whole IPv4 datagrams, receives those to the groups.
[[nodiscard]] Result<UniqueFd> open_advertisement_socket(const std::string& interface, unsigned index,
                                                         const std::set<IpAddress>& groups);
/// A packet socket that sends Ethernet frames and receives nothing.
[[nodiscard]] Result<UniqueFd> open_frame_socket();

/// Hands the kernel one datagram or frame; never waits.
[[nodiscard]] std::error_code send_datagram(int fd, std::span<const uint8_t> datagram, const IpAddress& destination);
[[nodiscard]] std::error_code send_frame(int fd, unsigned index, std::span<const uint8_t> frame);

}  // namespace lbdp::vrrp
