// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lbdp::dataplane {

/// Those of EAL's options that decide what lbdp has to say when EAL does not start, and to clean up when it stops.
struct EalOptions {
  bool no_huge = false;
  bool in_memory = false;
  bool secondary = false;
  std::string file_prefix = "rte";

  /// Does EAL leave hugepage files of ours behind when it ends?
  [[nodiscard]] bool keeps_files() const { return !no_huge && !in_memory && !secondary; }
};

[[nodiscard]] EalOptions read_eal_options(std::span<const std::string> arguments);

/// The host's hugepages, all sizes together.
struct Hugepages {
  uint64_t total = 0;
  uint64_t free = 0;
  uint64_t free_mib = 0;
  std::vector<std::string> mounts;  // hugetlbfs mount points
};

[[nodiscard]] Hugepages read_hugepages();

/// Removes the files that EAL made under `prefix` in the hugetlbfs mounts and that no process holds locked: EAL keeps
/// them at an orderly end, and they hold memory that no other program can use.
void remove_hugepage_files(const std::string& prefix);

}  // namespace lbdp::dataplane
