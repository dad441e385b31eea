// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "config/model.h"
#include "config/types/result.h"

namespace lbdp::control {

/// Refuses a configuration that says something which lbdp does not do yet and must not leave out: advertisements that
/// the other routers would not take, addresses and routes that would be missing or in the wrong place. One line for
/// each instance and reason. What may be left out for now is only warned about when the file is read.
Result<void> check_supported(const config::Model& model);

}  // namespace lbdp::control
