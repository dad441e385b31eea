// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What the rows of global_defs take; see keywords_global_*.h for the rows.

#include <cstdint>

#include "config/setters.h"

namespace lbdp::config {

/// keepalived counts some times in whole seconds, up to what 32 bits of microseconds hold.
template <uint32_t kLeast, uint32_t kMost = 4294>
Result<Duration> full_seconds(std::string_view text) {
  const auto value = number<uint32_t, kLeast, kMost>(text);
  if (value) return std::chrono::seconds(*value);
  return fail("wanted whole seconds from " + std::to_string(kLeast) + " to " + std::to_string(kMost));
}

// Their scope is GlobalSpec.
void* take_lvs_timeouts(void* scope, const Statement& statement, Context& context);
void* take_lvs_sync_daemon(void* scope, const Statement& statement, Context& context);
void* take_vrrp_garp_extra_if(void* scope, const Statement& statement, Context& context);
void* take_dynamic_interfaces(void* scope, const Statement& statement, Context& context);
void* take_script_user(void* scope, const Statement& statement, Context& context);

/// PATH [USER [GROUP]]
void take_fifo(NotifyFifoSpec& fifo, const Statement& statement, Context& context);
/// COMMAND [USER [GROUP]]; `check_user`: an account that the system does not have is an error.
void take_command(Setting<CommandLine>& to, bool check_user, const Statement& statement, Context& context);

template <auto kMember>
void* fifo(void* scope, const Statement& statement, Context& context) {
  take_fifo(static_cast<GlobalSpec*>(scope)->*kMember, statement, context);
  return nullptr;
}

template <auto kMember>
void* fifo_script(void* scope, const Statement& statement, Context& context) {
  take_command((static_cast<GlobalSpec*>(scope)->*kMember).script, false, statement, context);
  return nullptr;
}

template <auto kMember>
void* once_script(void* scope, const Statement& statement, Context& context) {
  take_command(static_cast<GlobalSpec*>(scope)->*kMember, true, statement, context);
  return nullptr;
}

/// Checks the number of arguments, and keeps none: for what has no effect here.
template <size_t kLeast, size_t kMost>
void* nothing(void*, const Statement& statement, Context& context) {
  expect_arguments(statement, kLeast, kMost, context);
  return nullptr;
}

/// The same, with each argument read by kRead.
template <size_t kLeast, size_t kMost, auto kRead>
void* nothing_but(void*, const Statement& statement, Context& context) {
  if (!expect_arguments(statement, kLeast, kMost, context)) return nullptr;
  for (const Word& word : statement.arguments()) {
    if (const auto read = kRead(word.text); !read) report_value(statement, word, read.error(), context);
  }
  return nullptr;
}

}  // namespace lbdp::config
