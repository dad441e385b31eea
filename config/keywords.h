// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "config/schema.h"

namespace lbdp::config {

// One file of rows for each.
extern const Block kGlobalDefsBlock;          // scope GlobalSpec
extern const Block kVrrpInstanceBlock;        // scope VrrpInstanceSpec
extern const Block kVrrpSyncGroupBlock;       // scope VrrpSyncGroupSpec
extern const Block kVrrpScriptBlock;          // scope VrrpScriptSpec
extern const Block kTrackFileObjectBlock;     // scope TrackFileSpec
extern const Block kOldTrackFileBlock;        // scope TrackFileSpec
extern const Block kVrrpTrackProcessBlock;    // scope VrrpTrackProcessSpec
extern const Block kBfdInstanceBlock;         // scope BfdInstanceSpec
extern const Block kTrackGroupBlock;          // scope TrackGroupSpec
extern const Block kGarpGroupBlock;           // scope GarpGroupSpec
extern const Block kInterfaceDelaysBlock;     // scope std::vector<Item<InterfaceDelay>>
extern const Block kLinkbeatInterfacesBlock;  // no scope
extern const Block kStaticAddressBlock;       // scope AddressListSpec
extern const Block kStaticRouteBlock;         // scope RouteListSpec
extern const Block kStaticRuleBlock;          // scope RuleListSpec
extern const Block kVirtualServerBlock;       // scope VirtualServerSpec
extern const Block kVirtualServerGroupBlock;  // scope VirtualServerGroupSpec
extern const Block kRealServerBlock;          // scope RealServerSpec
extern const Block kTcpCheckBlock;            // scope TcpCheckSpec
extern const Block kHttpGetBlock;             // scope HttpGetSpec
extern const Block kSslGetBlock;              // scope SslGetSpec
extern const Block kSmtpCheckBlock;           // scope SmtpCheckSpec
extern const Block kDnsCheckBlock;            // scope DnsCheckSpec
extern const Block kUdpCheckBlock;            // scope UdpCheckSpec
extern const Block kPingCheckBlock;           // scope PingCheckSpec
extern const Block kMiscCheckBlock;           // scope MiscCheckSpec
extern const Block kFileCheckBlock;           // scope FileCheckSpec
extern const Block kBfdCheckBlock;            // scope BfdCheckSpec
extern const Block kSslBlock;                 // scope SslSpec
extern const Block kDataplaneBlock;           // scope DataplaneSpec

}  // namespace lbdp::config
