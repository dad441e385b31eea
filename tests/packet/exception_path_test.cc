// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/exception_path.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <sys/socket.h>

#include <cstring>
#include <optional>
#include <string>

#include "dataplane/buffers.h"
#include "dataplane/file_descriptor.h"
#include "tests/packet/in_memory_eal.h"

namespace lbdp::dataplane {
namespace {

using namespace std::chrono_literals;
using Bytes = std::string;

const auto* const kEal = ::testing::AddGlobalTestEnvironment(new testing::EalEnvironment({"-m", "64"}));

constexpr uint16_t kRoom = 2048;
constexpr unsigned kMbufs = 2047;

/// A frame of `length` bytes that differs from others of another `seed`.
Bytes frame_bytes(size_t length, unsigned seed = 1) {
  Bytes bytes(length, '\0');
  for (size_t i = 0; i < length; ++i) {
    bytes[i] = static_cast<char>(i * 7 + seed * 13 + 1);
  }
  return bytes;
}

/// An exception path on two ports, 0 and 3, whose taps are sockets that keep the bounds of frames as a tap does.
class ExceptionPathTest : public ::testing::Test {
 protected:
  struct FakeTap {
    FileDescriptor inner, kernel;
  };

  void SetUp() override {
    pool_.reset(rte_pktmbuf_pool_create("test_pool", kMbufs, 0, 0, kRoom + RTE_PKTMBUF_HEADROOM, 0));
    ASSERT_NE(pool_, nullptr);
    for (FakeTap& tap : taps_) {
      int ends[2];
      ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends), 0);
      const int buffer = 4 << 20;
      setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
      tap.inner = FileDescriptor(ends[0]);
      tap.kernel = FileDescriptor(ends[1]);
    }
    auto path = ExceptionPath::create(
        {{.port = 0, .descriptor = taps_[0].inner.get()}, {.port = 3, .descriptor = taps_[1].inner.get()}}, pool_.get(),
        0);
    ASSERT_TRUE(path) << path.error().message;
    path_ = std::move(*path);
  }

  void TearDown() override {
    path_.reset();
    EXPECT_EQ(rte_mempool_avail_count(pool_.get()), kMbufs) << "mbufs were lost";
  }

  rte_mbuf* make(const Bytes& bytes, uint16_t port) {
    rte_mbuf* frame = rte_pktmbuf_alloc(pool_.get());
    EXPECT_NE(frame, nullptr);
    std::memcpy(rte_pktmbuf_append(frame, static_cast<uint16_t>(bytes.size())), bytes.data(), bytes.size());
    frame->port = port;
    return frame;
  }
  void punt(PuntClass punt_class, rte_mbuf* frame) {
    ASSERT_EQ(rte_ring_mp_enqueue(path_->rings().punt[static_cast<size_t>(punt_class)], frame), 0);
  }
  /// What the kernel finds on its side next.
  std::optional<Bytes> kernel_reads(FakeTap& tap) {
    Bytes buffer(1 << 16, '\0');
    const ssize_t length = read(tap.kernel.get(), buffer.data(), buffer.size());
    if (length < 0) {
      return std::nullopt;
    }
    buffer.resize(static_cast<size_t>(length));
    return buffer;
  }
  void kernel_writes(FakeTap& tap, const Bytes& bytes) {
    ASSERT_EQ(write(tap.kernel.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  /// What the worker finds in a port's inject ring next.
  std::optional<Bytes> worker_takes(uint16_t port) {
    void* element = nullptr;
    if (rte_ring_sc_dequeue(path_->rings().inject[port], &element) != 0) {
      return std::nullopt;
    }
    auto* frame = static_cast<rte_mbuf*>(element);
    EXPECT_EQ(frame->port, port);
    EXPECT_EQ(frame->nb_segs, 1);
    Bytes bytes(rte_pktmbuf_mtod(frame, const char*), frame->data_len);
    rte_pktmbuf_free(frame);
    return bytes;
  }

  Mempool pool_;
  std::array<FakeTap, 2> taps_;
  std::unique_ptr<ExceptionPath> path_;
};

TEST_F(ExceptionPathTest, FrameGoesToTheTapOfItsPortAsItCame) {
  punt(PuntClass::kBulk, make(frame_bytes(60, 1), 0));
  punt(PuntClass::kBulk, make(frame_bytes(1514, 2), 3));
  EXPECT_EQ(path_->pass(0s), 2U);
  EXPECT_EQ(kernel_reads(taps_[0]), frame_bytes(60, 1));
  EXPECT_EQ(kernel_reads(taps_[0]), std::nullopt);
  EXPECT_EQ(kernel_reads(taps_[1]), frame_bytes(1514, 2));
  EXPECT_EQ(path_->counters(0).to_kernel, 1U);
  EXPECT_EQ(path_->counters(3).to_kernel, 1U);
  EXPECT_EQ(path_->counters(1).to_kernel, 0U) << "a port that there is not";
}

TEST_F(ExceptionPathTest, StrippedVlanTagIsPutBack) {
  const Bytes bytes = frame_bytes(60);
  rte_mbuf* frame = make(bytes, 0);
  frame->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
  frame->vlan_tci = 0x6064;  // priority 3, VLAN 100
  punt(PuntClass::kControl, frame);
  path_->pass(0s);
  EXPECT_EQ(kernel_reads(taps_[0]), bytes.substr(0, 12) + Bytes("\x81\x00\x60\x64", 4) + bytes.substr(12));
}

TEST_F(ExceptionPathTest, TooShortForAVlanTagIsDropped) {
  rte_mbuf* frame = make(frame_bytes(11), 0);
  frame->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
  punt(PuntClass::kControl, frame);
  path_->pass(0s);
  EXPECT_EQ(kernel_reads(taps_[0]), std::nullopt);
  EXPECT_EQ(path_->counters(0).to_kernel_dropped, 1U);
}

TEST_F(ExceptionPathTest, AllSegmentsAreWritten) {
  rte_mbuf* first = make(frame_bytes(1000, 1), 0);
  ASSERT_EQ(rte_pktmbuf_chain(first, make(frame_bytes(700, 2), 0)), 0);
  ASSERT_EQ(rte_pktmbuf_chain(first, make(frame_bytes(3, 3), 0)), 0);
  punt(PuntClass::kBulk, first);
  path_->pass(0s);
  EXPECT_EQ(kernel_reads(taps_[0]), frame_bytes(1000, 1) + frame_bytes(700, 2) + frame_bytes(3, 3));
}

TEST_F(ExceptionPathTest, MoreSegmentsThanOneWriteTakesIsADrop) {
  rte_mbuf* first = make(frame_bytes(60), 0);
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(rte_pktmbuf_chain(first, make("x", 0)), 0);
  }
  punt(PuntClass::kBulk, first);
  path_->pass(0s);
  EXPECT_EQ(kernel_reads(taps_[0]), std::nullopt);
  EXPECT_EQ(path_->counters(0).to_kernel_dropped, 1U);
}

TEST_F(ExceptionPathTest, VrrpThenControlThenALittleBulk) {
  for (unsigned i = 0; i < 100; ++i) {
    punt(PuntClass::kBulk, make("B" + frame_bytes(59, i), 0));
  }
  for (unsigned i = 0; i < 40; ++i) {
    punt(PuntClass::kControl, make("C" + frame_bytes(59, i), 0));
  }
  for (unsigned i = 0; i < 40; ++i) {
    punt(PuntClass::kVrrp, make("V" + frame_bytes(59, i), 0));
  }
  path_->pass(0s);
  std::string order;
  while (const auto frame = kernel_reads(taps_[0])) {
    order += (*frame)[0];
  }
  EXPECT_EQ(order, std::string(40, 'V') + std::string(40, 'C') + std::string(32, 'B'));
  punt(PuntClass::kVrrp, make("V" + frame_bytes(59), 0));
  path_->pass(0s);
  ASSERT_EQ(kernel_reads(taps_[0]).value_or("-")[0], 'V') << "bulk that waits does not hold up VRRP";
}

TEST_F(ExceptionPathTest, BulkFloodIsPaced) {
  const auto begin = Pacer::Clock::now();
  uint64_t offered = 0;
  while (offered < 4000) {
    // Those that the worker would drop for want of room are not counted: the ring stays well filled.
    while (rte_ring_count(path_->rings().punt[2]) < 64) {
      punt(PuntClass::kBulk, make(frame_bytes(60), 0));
      ++offered;
    }
    path_->pass(0s);
    while (kernel_reads(taps_[0])) {
    }
  }
  const std::chrono::duration<double> elapsed = Pacer::Clock::now() - begin;
  const auto written = static_cast<double>(path_->counters(0).to_kernel);
  EXPECT_GE(written, 1024);
  EXPECT_LE(written, 1024 + 100'000 * elapsed.count() + 1);
}

TEST_F(ExceptionPathTest, TapThatTakesNothingIsCounted) {
  { const FileDescriptor closed = std::move(taps_[0].kernel); }
  punt(PuntClass::kBulk, make(frame_bytes(60), 0));
  path_->pass(0s);
  EXPECT_EQ(path_->counters(0).to_kernel_dropped, 1U);
  EXPECT_EQ(path_->counters(0).to_kernel, 0U);
}

TEST_F(ExceptionPathTest, FrameOfAPortWithoutTapIsFreed) {
  punt(PuntClass::kBulk, make(frame_bytes(60), 1));
  punt(PuntClass::kBulk, make(frame_bytes(60), 77));
  EXPECT_EQ(path_->pass(0s), 2U);
}

TEST_F(ExceptionPathTest, FramesFromTheKernelGoToThePortsRing) {
  kernel_writes(taps_[1], frame_bytes(1514, 1));
  kernel_writes(taps_[1], frame_bytes(60, 2));
  EXPECT_EQ(path_->pass(0s), 2U);
  EXPECT_EQ(worker_takes(3), frame_bytes(1514, 1));
  EXPECT_EQ(worker_takes(3), frame_bytes(60, 2));
  EXPECT_EQ(worker_takes(3), std::nullopt);
  EXPECT_EQ(worker_takes(0), std::nullopt);
  EXPECT_EQ(path_->counters(3).from_kernel, 2U);
}

TEST_F(ExceptionPathTest, ShortFrameIsPaddedWithZeros) {
  kernel_writes(taps_[0], frame_bytes(1514, 9));  // leaves other bytes in the mbuf that comes next
  path_->pass(0s);
  (void)worker_takes(0);
  for (unsigned i = 0; i < 2 * kMbufs; ++i) {
    kernel_writes(taps_[0], frame_bytes(42));
    path_->pass(0s);
    ASSERT_EQ(worker_takes(0), frame_bytes(42) + Bytes(18, '\0'));
  }
}

TEST_F(ExceptionPathTest, LongestFrameFitsAndOneByteMoreIsADrop) {
  kernel_writes(taps_[0], frame_bytes(kRoom));
  kernel_writes(taps_[0], frame_bytes(kRoom + 1));
  path_->pass(0s);
  EXPECT_EQ(worker_takes(0), frame_bytes(kRoom));
  EXPECT_EQ(worker_takes(0), std::nullopt);
  EXPECT_EQ(path_->counters(0).from_kernel, 1U);
  EXPECT_EQ(path_->counters(0).from_kernel_dropped, 1U);
}

TEST_F(ExceptionPathTest, FullInjectRingDropsAndCounts) {
  constexpr unsigned kExcess = 5;
  for (unsigned i = 0; i < ExceptionPath::kInjectRingSize + kExcess; ++i) {
    kernel_writes(taps_[0], frame_bytes(60, i));
    path_->pass(0s);
  }
  EXPECT_EQ(path_->counters(0).from_kernel, ExceptionPath::kInjectRingSize);
  EXPECT_EQ(path_->counters(0).from_kernel_dropped, kExcess);
  EXPECT_EQ(worker_takes(0), frame_bytes(60, 0)) << "the oldest are kept";
}

TEST_F(ExceptionPathTest, WithoutMbufsTheTapIsStillDrained) {
  std::vector<rte_mbuf*> taken(kMbufs);
  ASSERT_EQ(rte_pktmbuf_alloc_bulk(pool_.get(), taken.data(), kMbufs), 0);
  kernel_writes(taps_[0], frame_bytes(60));
  path_->pass(0s);
  EXPECT_EQ(path_->counters(0).from_kernel_dropped, 1U);
  rte_pktmbuf_free_bulk(taken.data(), kMbufs);
  EXPECT_EQ(path_->pass(0s), 0U) << "nothing is left";
}

TEST_F(ExceptionPathTest, ThreadMovesFramesBothWaysAndStops) {
  path_->start();
  punt(PuntClass::kVrrp, make(frame_bytes(60, 1), 0));
  kernel_writes(taps_[1], frame_bytes(60, 2));
  std::optional<Bytes> out, in;
  const auto deadline = Pacer::Clock::now() + 10s;
  while ((!out || !in) && Pacer::Clock::now() < deadline) {
    out = out ? out : kernel_reads(taps_[0]);
    in = in ? in : worker_takes(3);
    std::this_thread::yield();
  }
  EXPECT_EQ(out, frame_bytes(60, 1));
  EXPECT_EQ(in, frame_bytes(60, 2));
  path_->stop();
  punt(PuntClass::kVrrp, make(frame_bytes(60, 1), 0));  // freed with the ring
}

TEST(Pacer, BurstThenRate) {
  Pacer pacer(1000, 10);
  const Pacer::Clock::time_point start{1h};
  EXPECT_EQ(pacer.take(25, start), 10U);
  EXPECT_EQ(pacer.take(25, start), 0U);
  EXPECT_EQ(pacer.take(25, start + 5ms), 5U);
  EXPECT_EQ(pacer.take(25, start + 1s), 10U) << "never more than the burst at once";
  pacer.give_back(3);
  EXPECT_EQ(pacer.take(25, start + 1s), 3U);
  EXPECT_EQ(pacer.take(25, start), 0U) << "a clock that went back";
}

}  // namespace
}  // namespace lbdp::dataplane
