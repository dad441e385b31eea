// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as a frame, with the IP packet at any place in it: the quote of an ICMP error, its checksum, and the errors
// that we would send about it, all of which have to be sound.
// Eight bytes come first: l3 offset; l4 offset behind it; bit 0: IPv6, bit 1: too big, bit 2: a later fragment;
// protocol; MTU (2); bytes of the frame that lie behind the first segment (2, the frame's length is the limit).
#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "dataplane/icmp_error.h"
#include "dataplane/icmp_reply.h"

using namespace lbdp;
using namespace lbdp::dataplane;

namespace {

void demand(bool fact) {
  if (!fact) std::abort();
}

void check_quote(FrameView frame, IpPlace place) {
  const uint32_t length = icmp_message_length(frame, place);
  demand(length == 0 || uint64_t{place.l4_offset} + length <= frame.frame_length());
  const auto flow = parse_icmp_error(frame, place);
  if (flow) {
    demand(length >= 8 + (place.is_v6 ? 40U : 20U) + 4);
    demand(flow->protocol == 6 || flow->protocol == 17 || flow->protocol == 132);
    demand(flow->client.is_v4() != place.is_v6 && flow->virtual_address.is_v4() != place.is_v6);
  }
  const ChecksumVerdict verdict = check_icmp_checksum(frame, place);
  if (verdict != ChecksumVerdict::kUnknown && length >= 8) {
    std::vector<uint8_t> message(length);
    demand(frame.copy(place.l4_offset, length, message.data()));
    InternetSum sum = icmp_pseudo_header_sum(frame, place);
    const size_t cut = length / 3;
    sum.add(std::span(message).first(cut));
    sum.add(std::span(message).subspan(cut));
    demand(sum.good() == (verdict == ChecksumVerdict::kGood));
  }
}

// Our own errors are read back as any other's.
void check_reply(FrameView frame, const IcmpErrorInput& input) {
  const MacAddress us{{2, 0, 0, 0, 0, 0xa0}};
  std::array<uint8_t, kMaxIcmpReply> out{};
  const uint32_t length = build_icmp_error(frame, input, us, out);
  demand(length <= out.size());
  if (length == 0) return;
  const std::vector<uint8_t> reply(out.data(), out.data() + length);
  const FrameView view(reply.data(), length, length, 0);
  const bool is_v6 = input.place.is_v6;
  const uint32_t l3 = kEthernetHeader + (reply[12] == 0x81 ? 4 : 0), l4 = l3 + (is_v6 ? 40 : 20);
  demand(length - l3 <= (is_v6 ? 1280U : 576U));
  demand((reply[0] & 1) == 0 && reply[l3] == (is_v6 ? 0x60 : 0x45));
  const IpPlace place{l3, l4, is_v6};
  demand(icmp_message_length(view, place) == length - l4);
  demand(check_icmp_checksum(view, place) == ChecksumVerdict::kGood);
  if (!is_v6) demand(internet_checksum({reply.data() + l3, 20}).host() == 0);
  IcmpErrorInput again = input;
  again.place = place;
  again.protocol = is_v6 ? 58 : 1;
  demand(build_icmp_error(view, again, us, out) == 0);  // no error about an error
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kHead = 8;
  if (size < kHead) return 0;
  const auto word = [&](size_t at) { return static_cast<uint16_t>(data[at] << 8 | data[at + 1]); };
  const auto frame_length = static_cast<uint32_t>(size - kHead);
  const uint32_t segment_length = frame_length - std::min<uint32_t>(word(6), frame_length);
  // A copy of its own length, so that the sanitizer sees a read of one byte too many.
  const std::vector<uint8_t> segment(data + kHead, data + kHead + segment_length);
  const FrameView frame(segment.data(), segment_length, frame_length, 0);
  const IpPlace place{data[0], uint32_t{data[0]} + data[1], (data[2] & 1) != 0};
  check_quote(frame, place);
  check_reply(frame, {.kind = (data[2] & 2) != 0 ? IcmpErrorKind::kPacketTooBig : IcmpErrorKind::kPortUnreachable,
                      .mtu = word(4),
                      .place = place,
                      .protocol = data[3],
                      .later_fragment = (data[2] & 4) != 0});
  return 0;
}
