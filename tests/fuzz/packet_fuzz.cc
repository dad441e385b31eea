// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as a frame: parsed without harm, the short cut like the long way, and an ICMP reply that stays in bounds.
// The first two bytes are the VLAN tag that a driver took out, the third how much of the rest lies in the first
// segment.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "dataplane/icmp_reply.h"
#include "dataplane/internet_checksum.h"
#include "dataplane/packet.h"

using namespace lbdp;
using namespace lbdp::dataplane;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  const auto tag = static_cast<uint16_t>(data[0] << 8 | data[1]);
  const auto frame_length = static_cast<uint32_t>(size - 3);
  const uint32_t segment_length = data[2] == 0 ? frame_length : std::min<uint32_t>(data[2], frame_length);
  // A copy of its own length, so that the sanitizer sees a read of one byte too many.
  const std::vector<uint8_t> segment(data + 3, data + 3 + segment_length);
  const FrameView view(segment.data(), segment_length, frame_length, tag);
  const MacAddress us{{0x02, 0, 0, 0, 0, 0xa0}};
  const Parsed parsed = parse(view, MacWord(us));
  const PlainFlow plain = parse_plain(view, MacWord(us));
  const bool same = plain.source_port() == parsed.source_port && plain.destination_port() == parsed.destination_port &&
                    plain.ip_length == parsed.ip_length && plain.tcp_flags == parsed.flags;
  if (plain.protocol != 0 && (parsed.verdict != Verdict::kFlow || !same)) std::abort();
  if (parsed.verdict == Verdict::kFlow && (!parsed.unicast || parsed.version == IpVersion::kNone)) std::abort();
  if (parsed.version != IpVersion::kNone && parsed.ip_length > frame_length) std::abort();
  if (parsed.verdict == Verdict::kFlow && parsed.l4_offset + 8 > segment_length) std::abort();

  std::array<uint8_t, kMaxIcmpReply> reply{};
  if (parsed.version != IpVersion::k4) return 0;  // icmp_fuzz has the rest
  const IcmpErrorInput input{.kind = IcmpErrorKind::kPortUnreachable,
                             .place = {parsed.l3_offset, parsed.l4_offset, false},
                             .protocol = parsed.protocol,
                             .later_fragment = parsed.verdict == Verdict::kFragment};
  const uint32_t length = build_icmp_error(view, input, us, reply);
  if (length > reply.size()) std::abort();
  const uint32_t l3 = kEthernetHeader + (reply[12] == 0x81 ? 4 : 0);  // the frame's VLAN tag comes back
  if (length > 0 && internet_checksum({reply.data() + l3, kMinIpv4Header}).host() != 0) std::abort();
  return 0;
}
