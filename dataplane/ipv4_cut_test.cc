// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/ipv4_cut.h"

#include <gtest/gtest.h>

#include <vector>

#include "dataplane/internet_checksum.h"

namespace lbdp::dataplane {
namespace {

using Bytes = std::vector<uint8_t>;

// A header of identification 0x1234, TTL 64, UDP, 10.0.0.1 to 10.0.0.2.
Bytes header(uint32_t ip_length, uint16_t fragment_field = 0, const Bytes& options = {}) {
  Bytes h{static_cast<uint8_t>(0x45 + options.size() / 4),
          0,
          static_cast<uint8_t>(ip_length >> 8),
          static_cast<uint8_t>(ip_length),
          0x12,
          0x34,
          static_cast<uint8_t>(fragment_field >> 8),
          static_cast<uint8_t>(fragment_field),
          64,
          17,
          0,
          0,
          10,
          0,
          0,
          1,
          10,
          0,
          0,
          2};
  for (const uint8_t byte : options) h.push_back(byte);
  const auto sum = internet_checksum(h).raw();
  std::memcpy(&h[10], &sum, 2);
  return h;
}
unsigned word(const Ipv4Cut::Piece& p, size_t at) {
  return p.header.at(at) * 256U + p.header.at(at + 1);
}
Bytes options_of(const Ipv4Cut::Piece& p) {
  return {p.header.begin() + 20, p.header.begin() + p.header_length};
}

// What all pieces have to be, whatever the packet was.
void expect_sound(const Bytes& whole, uint32_t ip_length, uint32_t room) {
  const Ipv4Cut cut(whole, ip_length, room);
  ASSERT_GE(cut.count(), 1U);
  const unsigned own = (whole[6] & 0x1fU) * 256U + whole[7];
  uint32_t next = 0;
  for (unsigned i = 0; i < cut.count(); ++i) {
    const auto p = cut.piece(i);
    const bool last = i + 1 == cut.count();
    EXPECT_EQ(p.payload_offset, next);
    EXPECT_LE(p.header_length + p.payload_length, room);
    EXPECT_EQ(word(p, 2), p.header_length + p.payload_length);
    EXPECT_EQ(word(p, 6) & 0x1fffU, own + next / 8);
    EXPECT_EQ((word(p, 6) & 0x2000U) != 0, !last || (whole[6] & 0x20) != 0);
    if (!last) {
      EXPECT_EQ(p.payload_length % 8, 0U);
    }
    EXPECT_GT(p.payload_length, 0U);
    EXPECT_EQ(p.header[0] & 0xfU, p.header_length / 4);
    EXPECT_EQ(internet_checksum({p.header.data(), p.header_length}).raw(), 0) << "the sum over a good header";
    for (size_t at : {1, 4, 5, 8, 9, 12, 15, 16, 19}) EXPECT_EQ(p.header.at(at), whole.at(at)) << at;
    next += p.payload_length;
  }
  EXPECT_EQ(next, ip_length - whole.size());
}

TEST(Ipv4Cut, ByTheBook) {
  const Ipv4Cut cut(header(1500), 1500, 600);
  ASSERT_EQ(cut.count(), 3U);
  EXPECT_EQ(cut.piece(0).payload_length, 576U);
  EXPECT_EQ(cut.piece(1).payload_offset, 576U);
  EXPECT_EQ(cut.piece(2).payload_length, 1480U - 2 * 576U);
  EXPECT_EQ(word(cut.piece(0), 6), 0x2000U);
  EXPECT_EQ(word(cut.piece(1), 6), 0x2000U + 72);
  EXPECT_EQ(word(cut.piece(2), 6), 144U);
}

TEST(Ipv4Cut, PiecesAreSoundWhateverTheLengths) {
  for (uint32_t room = 68; room < 1700; room += 37) {
    for (uint32_t length : {69U, 100U, 577U, 1501U, 2000U, 2996U}) expect_sound(header(length), length, room);
  }
  expect_sound(header(65535), 65535, 1500);
}

TEST(Ipv4Cut, AFragmentIsCutFurther) {
  expect_sound(header(1500, 0x2000 | 185), 1500, 576);  // more are to come
  expect_sound(header(1499, 370), 1499, 576);           // the last one
}

TEST(Ipv4Cut, OptionsThatHaveToBeCopiedAreInEveryPiece) {
  const Bytes record_route{7, 7, 4, 0, 0, 0, 0}, loose_route{0x83, 7, 4, 192, 0, 2, 9}, alert{0x94, 4, 0, 0};
  Bytes options = record_route;
  options.push_back(1);
  options.insert(options.end(), loose_route.begin(), loose_route.end());
  options.push_back(1);
  options.insert(options.end(), alert.begin(), alert.end());
  const Bytes whole = header(1000, 0, options);
  const Ipv4Cut cut(whole, 1000, 400);
  EXPECT_EQ(options_of(cut.piece(0)), options);
  Bytes later = loose_route;
  later.insert(later.end(), alert.begin(), alert.end());
  later.push_back(0);
  EXPECT_EQ(options_of(cut.piece(1)), later);
  expect_sound(whole, 1000, 400);
}

TEST(Ipv4Cut, OptionsThatAreNoneEndThem) {
  for (const Bytes& broken : std::initializer_list<Bytes>{
           {0x83, 0, 0, 0}, {0x83, 1, 0, 0}, {0x83, 9, 0, 0}, {1, 1, 1, 0x83}, {0, 0x94, 4, 0}, {7, 200, 0x94, 4}}) {
    const Ipv4Cut cut(header(1000, 0, broken), 1000, 400);
    EXPECT_EQ(cut.piece(1).header_length, 20U);
    expect_sound(header(1000, 0, broken), 1000, 400);
  }
}

TEST(Ipv4Cut, WhatCannotBeCut) {
  const Bytes options(40, 1);
  EXPECT_EQ(Ipv4Cut(header(100), 100, 27).count(), 0U) << "no room for eight bytes";
  EXPECT_EQ(Ipv4Cut(header(200, 0, options), 200, 67).count(), 0U);
  EXPECT_GT(Ipv4Cut(header(200, 0, options), 200, 68).count(), 0U) << "every link takes 68 bytes (RFC 791)";
  EXPECT_EQ(Ipv4Cut(header(20 + 48 * 64), 20 + 48 * 64, 68).count(), 64U);
  EXPECT_EQ(Ipv4Cut(header(21 + 48 * 64), 21 + 48 * 64, 68).count(), 0U) << "more pieces than anybody should make";
  EXPECT_EQ(Ipv4Cut(header(2000, 0x1fff), 2000, 1500).count(), 0U) << "beyond the longest datagram";
}

}  // namespace
}  // namespace lbdp::dataplane
