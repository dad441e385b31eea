// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "config/schema.h"

namespace lbdp::config {

// One file of rows for each.
extern const Block kGlobalDefsBlock;          // scope GlobalSpec
extern const Block kVrrpInstanceBlock;        // scope VrrpInstanceSpec
extern const Block kVirtualServerBlock;       // scope VirtualServerSpec
extern const Block kVirtualServerGroupBlock;  // scope VirtualServerGroupSpec
extern const Block kCheckerTcpBlock;          // scope CheckerSpec
extern const Block kCheckerHttpBlock;         // scope CheckerSpec
extern const Block kDataplaneBlock;           // scope DataplaneSpec

}  // namespace lbdp::config
