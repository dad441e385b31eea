// SPDX-License-Identifier: BSD-2-Clause
#include "config/accounts.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <vector>

namespace lbdp::config {
namespace {

constexpr size_t kRecordBytes = size_t{16} << 10;

bool is_number(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool has_user(const std::string& name) {
  std::vector<char> buffer(kRecordBytes);
  passwd record{};
  passwd* found = nullptr;
  return ::getpwnam_r(name.c_str(), &record, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
}

bool has_group(const std::string& name) {
  std::vector<char> buffer(kRecordBytes);
  group record{};
  group* found = nullptr;
  return ::getgrnam_r(name.c_str(), &record, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
}

}  // namespace

void check_accounts(const std::string& user, const std::string& group, Place place, Diagnostics& diagnostics) {
  if (!user.empty() && !is_number(user) && !has_user(user)) {
    diagnostics.error(place, "there is no user " + in_quotes(user) + " on this host");
  }
  if (!group.empty() && !is_number(group) && !has_group(group)) {
    diagnostics.error(place, "there is no group " + in_quotes(group) + " on this host");
  }
}

}  // namespace lbdp::config
