// SPDX-License-Identifier: BSD-2-Clause
#include "control/ndp.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

namespace lbdp::control {
namespace {

using Bytes = std::vector<uint8_t>;

// What Linux sends: a solicitation (2001:db8::1 asks who has 2001:db8::77) and the advertisement that answers it, as
// tcpdump -xx shows them.
const Bytes kSolicitation{0x33, 0x33, 0xff, 0x00, 0x00, 0x77, 0x02, 0x00, 0xac, 0x12, 0xfa, 0x0a, 0x86, 0xdd, 0x60,
                          0x00, 0x00, 0x00, 0x00, 0x20, 0x3a, 0xff, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00,
                          0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00,
                          0x00, 0x00, 0x00, 0x00, 0x01, 0xff, 0x00, 0x00, 0x77, 0x87, 0x00, 0x75, 0x20, 0x00, 0x00,
                          0x00, 0x00, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                          0x00, 0x00, 0x77, 0x01, 0x01, 0x02, 0x00, 0xac, 0x12, 0xfa, 0x0a};
const Bytes kAdvertisement{0x02, 0x00, 0xac, 0x12, 0xfa, 0x0a, 0x02, 0x00, 0xac, 0x12, 0xfa, 0x4d, 0x86, 0xdd, 0x60,
                           0x00, 0x00, 0x00, 0x00, 0x20, 0x3a, 0xff, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00,
                           0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x77, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00,
                           0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x88, 0x00, 0xe3, 0x28, 0x60, 0x00,
                           0x00, 0x00, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                           0x00, 0x00, 0x77, 0x02, 0x01, 0x02, 0x00, 0xac, 0x12, 0xfa, 0x4d};
constexpr MacAddress kOwn{{2, 0, 0xac, 0x12, 0xfa, 0x0a}};
constexpr MacAddress kServerMac{{2, 0, 0xac, 0x12, 0xfa, 0x4d}};

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

NdpFrame solicitation() {
  return {.frame_destination = {{0x33, 0x33, 0xff, 0, 0, 0x77}},
          .frame_source = kOwn,
          .source = ip("2001:db8::1"),
          .destination = ip("ff02::1:ff00:77"),
          .type = NdpType::kSolicitation,
          .target = ip("2001:db8::77"),
          .link_address = kOwn};
}

NdpFrame advertisement() {
  return {.frame_destination = kOwn,
          .frame_source = kServerMac,
          .source = ip("2001:db8::77"),
          .destination = ip("2001:db8::1"),
          .type = NdpType::kAdvertisement,
          .solicited = true,
          .override_cache = true,
          .target = ip("2001:db8::77"),
          .link_address = kServerMac};
}

TEST(Ndp, EncodesTheBytesThatLinuxSends) {
  EXPECT_EQ(encode(solicitation()), kSolicitation);
  EXPECT_EQ(encode(advertisement()), kAdvertisement);
}

TEST(Ndp, DecodesTheBytesThatLinuxSends) {
  EXPECT_EQ(decode_ndp(kSolicitation), solicitation());
  EXPECT_EQ(decode_ndp(kAdvertisement), advertisement());
  auto padded = kAdvertisement;
  padded.resize(padded.size() + 10);
  EXPECT_EQ(decode_ndp(padded), advertisement());
}

TEST(Ndp, AsksEverybodyOrOneHost) {
  NeighbourQuestion question{.target = ip("2001:db8::77"), .at = {}, .own_address = ip("2001:db8::1"), .own_mac = kOwn};
  EXPECT_EQ(ndp_protocol().encode(question), kSolicitation);
  question.at = kServerMac;
  auto unicast = solicitation();
  unicast.frame_destination = kServerMac;
  unicast.destination = ip("2001:db8::77");
  EXPECT_EQ(decode_ndp(ndp_protocol().encode(question)), unicast);
}

TEST(Ndp, AdvertisementsClaimTheirTarget) {
  auto frame = advertisement();
  frame.source = ip("fe80::77");  // of the same host
  frame.frame_source = {{2, 0, 0, 0, 0, 9}};
  NeighbourClaim claim{.address = frame.target, .mac = kServerMac, .frame_source = frame.frame_source};
  EXPECT_EQ(ndp_protocol().decode(encode(frame)), claim);
  frame.link_address.reset();  // as Linux answers a unicast solicitation
  claim.mac = frame.frame_source;
  EXPECT_EQ(ndp_protocol().decode(encode(frame)), claim);
}

TEST(Ndp, SolicitationsClaimTheirSource) {
  const NeighbourClaim claim{.address = ip("2001:db8::1"), .mac = kOwn, .frame_source = kOwn};
  EXPECT_EQ(ndp_protocol().decode(kSolicitation), claim);
  auto detection = solicitation();
  detection.source = ip("::");
  detection.link_address.reset();
  ASSERT_TRUE(decode_ndp(encode(detection)));
  EXPECT_FALSE(ndp_protocol().decode(encode(detection)));
}

TEST(Ndp, RefusesShortFramesAndFlippedBits) {
  for (size_t length = 0; length < kAdvertisement.size(); ++length) {
    EXPECT_FALSE(decode_ndp(std::span(kAdvertisement).first(length))) << length;
  }
  // What the checksum does not cover: MACs, traffic class, flow label.
  for (size_t at = 12; at < kAdvertisement.size(); ++at) {
    if (at >= 15 && at <= 17) continue;
    auto bent = kAdvertisement;
    bent[at] ^= 0x10;
    EXPECT_FALSE(decode_ndp(bent)) << at;
  }
}

struct Bad {
  const char* name;
  std::function<void(NdpFrame&)> change;
};

class NdpInvalid : public testing::TestWithParam<Bad> {};

TEST_P(NdpInvalid, IsRefusedThoughItsChecksumIsRight) {
  auto frame = advertisement();
  GetParam().change(frame);
  EXPECT_FALSE(decode_ndp(encode(frame)));
}

INSTANTIATE_TEST_SUITE_P(Rfc4861, NdpInvalid,
                         testing::Values(Bad{"target_is_a_group", [](NdpFrame& f) { f.target = ip("ff02::1"); }},
                                         Bad{"source_is_a_group", [](NdpFrame& f) { f.source = ip("ff02::1"); }},
                                         Bad{"advertisement_from_nowhere", [](NdpFrame& f) { f.source = ip("::"); }},
                                         Bad{"solicited_by_everybody",
                                             [](NdpFrame& f) { f.destination = ip("ff02::1"); }},
                                         Bad{"detection_tells_a_mac",
                                             [](NdpFrame& f) {
                                               f = solicitation();
                                               f.source = ip("::");
                                             }},
                                         Bad{"detection_asks_one_host",
                                             [](NdpFrame& f) {
                                               f = solicitation();
                                               f.source = ip("::");
                                               f.link_address.reset();
                                               f.destination = f.target;
                                             }},
                                         Bad{"another_message", [](NdpFrame& f) { f.type = NdpType{137}; }}),
                         [](const auto& given) { return given.param.name; });

/// An advertisement with these bytes behind its target, and a right checksum.
Bytes with_options(const Bytes& options) {
  auto frame = advertisement();
  frame.link_address.reset();
  Bytes out = encode(frame);
  out.insert(out.end(), options.begin(), options.end());
  out[19] = static_cast<uint8_t>(24 + options.size());
  out[56] = out[57] = 0;
  uint32_t sum = 58 + static_cast<uint32_t>(out.size()) - 54;
  for (size_t i = 22; i < out.size(); ++i) sum += i % 2 == 0 ? out[i] * 256U : out[i];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  out[56] = static_cast<uint8_t>(~sum >> 8);
  out[57] = static_cast<uint8_t>(~sum);
  return out;
}

TEST(Ndp, WalksOptions) {
  const Bytes nonce{14, 1, 1, 2, 3, 4, 5, 6}, mac{2, 1, 2, 0, 0xac, 0x12, 0xfa, 0x4d};
  Bytes both = nonce;
  both.insert(both.end(), mac.begin(), mac.end());
  const auto frame = decode_ndp(with_options(both));
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->link_address, kServerMac);
  EXPECT_EQ(decode_ndp(with_options({1, 1, 2, 0, 0, 0, 0, 9}))->link_address, std::nullopt)
      << "the other message's option";
  for (const Bytes& bad : {Bytes{2, 0, 0, 0, 0, 0, 0, 0}, Bytes{2}, Bytes{2, 1, 2, 0}, Bytes{14, 2, 0, 0, 0, 0, 0, 0},
                           Bytes{2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}) {
    EXPECT_FALSE(decode_ndp(with_options(bad))) << bad.size();
  }
}

/// A filter is the same on every kind of socket.
class FilteredSocket {
 public:
  explicit FilteredSocket(std::span<const sock_filter> filter) {
    const sock_fprog program{static_cast<unsigned short>(filter.size()), const_cast<sock_filter*>(filter.data())};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends_.data()), 0);
    EXPECT_EQ(::setsockopt(ends_[1], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
  }
  ~FilteredSocket() {
    for (const int end : ends_) ::close(end);
  }
  FilteredSocket(const FilteredSocket&) = delete;
  FilteredSocket& operator=(const FilteredSocket&) = delete;

  bool takes(const Bytes& frame) {
    std::array<uint8_t, 256> buffer{};
    (void)::send(ends_[0], frame.data(), frame.size(), 0);
    return ::recv(ends_[1], buffer.data(), buffer.size(), 0) == static_cast<ssize_t>(frame.size());
  }

 private:
  std::array<int, 2> ends_{};
};

TEST(Ndp, TheSocketFilterTakesNothingElse) {
  FilteredSocket socket(ndp_protocol().filter());
  EXPECT_TRUE(socket.takes(kSolicitation));
  EXPECT_TRUE(socket.takes(kAdvertisement));
  for (const auto& [at, value] : {std::pair{20, 6}, {21, 254}, {54, 128}, {54, 134}, {54, 137}}) {
    auto other = kAdvertisement;
    other[static_cast<size_t>(at)] = static_cast<uint8_t>(value);
    EXPECT_FALSE(socket.takes(other)) << at << " " << value;
  }
}

}  // namespace
}  // namespace lbdp::control
