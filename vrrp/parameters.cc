// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/parameters.h"

namespace lbdp::vrrp {

const char* to_string(State state) {
  switch (state) {
    case State::kInit: return "INIT";
    case State::kBackup: return "BACKUP";
    case State::kMaster: return "MASTER";
    case State::kFault: return "FAULT";
    case State::kStopped: return "STOPPED";
  }
  return "?";
}

}  // namespace lbdp::vrrp
