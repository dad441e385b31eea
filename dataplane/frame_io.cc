// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/frame_io.h"

#include <rte_ether.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "config/types/be.h"

namespace lbdp::dataplane {
namespace {

constexpr size_t kMaxSegments = 32;
constexpr uint16_t kAddresses = 2 * RTE_ETHER_ADDR_LEN;                // what stands before a VLAN tag
constexpr uint16_t kMinFrame = RTE_ETHER_MIN_LEN - RTE_ETHER_CRC_LEN;  // 60

struct VlanTag {
  uint16_t ether_type;
  uint16_t tci;
};

/// Collects the pieces of a frame for writev().
class Pieces {
 public:
  bool add(const void* data, size_t length) {
    if (count_ == pieces_.size()) {
      return false;
    }
    pieces_[count_++] = {.iov_base = const_cast<void*>(data), .iov_len = length};
    return true;
  }
  [[nodiscard]] ssize_t write_to(int tap) const { return writev(tap, pieces_.data(), static_cast<int>(count_)); }

 private:
  std::array<iovec, kMaxSegments + 2> pieces_;
  size_t count_ = 0;
};

/// What a read that failed says. Only EBADFD and its like are final: a tap that is down gives other errors.
FrameRead failed_read(int error) {
  return {.status = error == EBADFD || error == EBADF ? FrameRead::Status::kGone : FrameRead::Status::kEmpty};
}

/// Reads and forgets one frame.
FrameRead discard_frame(int tap) {
  std::array<char, 1> scrap;
  const ssize_t length = read(tap, scrap.data(), scrap.size());
  if (length < 0) {
    return failed_read(errno);
  }
  return {.status = FrameRead::Status::kDropped};
}

void pad(rte_mbuf* frame) {
  if (frame->data_len < kMinFrame) {
    std::memset(rte_pktmbuf_mtod_offset(frame, char*, frame->data_len), 0, size_t{kMinFrame} - frame->data_len);
    frame->data_len = kMinFrame;
    frame->pkt_len = kMinFrame;
  }
}

}  // namespace

bool write_frame(int tap, const rte_mbuf& frame) {
  Pieces pieces;
  VlanTag tag{};
  const auto* first = rte_pktmbuf_mtod(&frame, const char*);
  if ((frame.ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0) {
    if (frame.data_len < kAddresses) {
      return false;
    }
    tag = {.ether_type = Be<uint16_t>::from_host(RTE_ETHER_TYPE_VLAN).raw(),
           .tci = Be<uint16_t>::from_host(frame.vlan_tci).raw()};
    pieces.add(first, kAddresses);
    pieces.add(&tag, sizeof tag);
    pieces.add(first + kAddresses, size_t{frame.data_len} - kAddresses);
  } else {
    pieces.add(first, frame.data_len);
  }
  for (const rte_mbuf* segment = frame.next; segment != nullptr; segment = segment->next) {
    if (!pieces.add(rte_pktmbuf_mtod(segment, const char*), segment->data_len)) {
      return false;
    }
  }
  return pieces.write_to(tap) > 0;
}

FrameRead read_frame(int tap, rte_mempool* pool) {
  rte_mbuf* frame = rte_pktmbuf_alloc(pool);
  if (frame == nullptr) {
    return discard_frame(tap);
  }
  // The second piece tells a frame that is too long for the mbuf from one that just fits.
  const uint16_t room = rte_pktmbuf_tailroom(frame);
  std::array<char, 1> excess;
  const std::array<iovec, 2> pieces{{{.iov_base = rte_pktmbuf_mtod(frame, char*), .iov_len = room},
                                     {.iov_base = excess.data(), .iov_len = excess.size()}}};
  const ssize_t length = readv(tap, pieces.data(), static_cast<int>(pieces.size()));
  if (length <= 0 || length > room) {
    const int error = errno;
    rte_pktmbuf_free(frame);
    return length < 0 ? failed_read(error) : FrameRead{.status = FrameRead::Status::kDropped};
  }
  frame->data_len = static_cast<uint16_t>(length);
  frame->pkt_len = static_cast<uint32_t>(length);
  pad(frame);
  return {.status = FrameRead::Status::kFrame, .frame = frame};
}

}  // namespace lbdp::dataplane
