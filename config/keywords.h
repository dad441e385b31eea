// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "config/schema.h"

namespace lbdp::config {

// One file of rows for each.
extern const Block kGlobalDefsBlock;          // scope GlobalSpec
extern const Block kVrrpInstanceBlock;        // scope VrrpInstanceSpec
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
