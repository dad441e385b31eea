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

namespace {

void demand(bool fact) {
  if (!fact) std::abort();
}

// The short cut says the same as the long way, and says it about all frames that are plain.
void check_short_cut(FrameView view, const Parsed& p, const PlainFlow& plain) {
  const bool of_its_kind = p.verdict == Verdict::kFlow && p.version == IpVersion::k4 && !p.first_fragment &&
                           (p.protocol == kIpProtocolTcp || p.protocol == kIpProtocolUdp) && p.l3_offset == 14 &&
                           p.l4_offset == 34 && p.vlan == 0 && view.covers(0, 54);
  demand(of_its_kind == (plain.protocol != 0));
  if (!of_its_kind) return;
  demand(p.source == WideAddress::from_v4(plain.source()) &&
         p.destination == WideAddress::from_v4(plain.destination()));
  demand(p.source_port == plain.source_port() && p.destination_port == plain.destination_port());
  demand(p.ip_length == plain.ip_length && p.flags == plain.tcp_flags && p.protocol == plain.protocol);
}

// What the worker relies on without looking again.
void check_parsed(FrameView view, const Parsed& p) {
  const bool about_flow =
      p.verdict == Verdict::kFlow || p.verdict == Verdict::kFragment || p.verdict == Verdict::kIcmpError;
  demand(!about_flow || (p.unicast && p.version != IpVersion::kNone));
  demand(p.version == IpVersion::kNone || uint64_t{p.l3_offset} + p.ip_length <= view.frame_length());
  demand(p.vlan < 4096 && (p.l3_offset == 0 || p.l3_offset == 14 || p.l3_offset == 18));
  if (p.verdict == Verdict::kFlow) {
    const uint32_t header = p.protocol == kIpProtocolTcp ? 20 : p.protocol == kIpProtocolUdp ? 8 : 12;
    demand(has_ports(p.protocol) && view.covers(p.l4_offset, header));
    demand(p.l4_offset + header <= p.l3_offset + p.ip_length);
  }
  if (p.verdict == Verdict::kFragment) demand(has_ports(p.protocol) && !p.first_fragment);
  if (p.verdict == Verdict::kIcmpError)
    demand(p.protocol == (p.version == IpVersion::k4 ? kIpProtocolIcmp : kIpProtocolIcmpV6) && !p.first_fragment);
}

}  // namespace

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
  check_parsed(view, parsed);
  check_short_cut(view, parsed, parse_plain(view, MacWord(us)));

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
