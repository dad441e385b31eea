// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include "config/types/ip_address.h"
#include "config/types/result.h"
#include "vrrp/packet.h"

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

/// A raw socket for IP protocol 112 on one interface: receives what is sent to the groups and to the interface's own
/// addresses. IPv4: takes and gives whole datagrams; IPv6: VRRP messages.
[[nodiscard]] Result<UniqueFd> open_advertisement_socket(Family family, const std::string& interface, unsigned index,
                                                         const std::set<IpAddress>& groups);
/// A packet socket that sends Ethernet frames and receives nothing.
[[nodiscard]] Result<UniqueFd> open_frame_socket();

/// Hands the kernel one advertisement on the interface with that index; never waits.
[[nodiscard]] std::error_code send_advertisement(int fd, unsigned index, const OutgoingAdvertisement& advertisement);
[[nodiscard]] std::error_code send_frame(int fd, unsigned index, std::span<const uint8_t> frame);

/// What one look into an advertisement socket gave.
struct Received {
  bool any = false;                // false: nothing waits, or an error that comes once (ENETDOWN)
  std::optional<Message> message;  // into the buffer; nothing: something that is no whole datagram
};
[[nodiscard]] Received receive_message(int fd, Family family, std::span<uint8_t> buffer);

}  // namespace lbdp::vrrp
