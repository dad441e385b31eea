// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/hugepages.h"

#include <fcntl.h>
#include <mntent.h>
#include <sys/file.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string_view>

namespace lbdp::dataplane {
namespace {

namespace fs = std::filesystem;

uint64_t read_number(const fs::path& file) {
  uint64_t number = 0;
  std::ifstream(file) >> number;
  return number;
}

/// From the name of a directory in /sys/kernel/mm/hugepages: "hugepages-2048kB".
uint64_t page_kib(const std::string& name) {
  uint64_t kib = 0;
  const size_t digits = name.find('-') + 1;
  std::from_chars(name.data() + digits, name.data() + name.size(), kib);
  return kib;
}

std::vector<std::string> hugetlbfs_mounts() {
  std::vector<std::string> mounts;
  const std::unique_ptr<FILE, int (*)(FILE*)> table(setmntent("/proc/self/mounts", "r"), endmntent);
  if (!table) {
    return mounts;
  }
  while (const mntent* entry = getmntent(table.get())) {
    if (std::string_view(entry->mnt_type) == "hugetlbfs") {
      mounts.emplace_back(entry->mnt_dir);
    }
  }
  return mounts;
}

/// EAL holds a shared lock on every file that it maps: a file that we can lock alone is nobody's.
void remove_if_unused(const fs::path& file) {
  const int descriptor = open(file.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) {
    return;
  }
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) {
    unlink(file.c_str());
  }
  close(descriptor);
}

}  // namespace

EalOptions read_eal_options(std::span<const std::string> arguments) {
  EalOptions options;
  for (size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    constexpr std::string_view kPrefix = "--file-prefix";
    constexpr std::string_view kType = "--proc-type";
    const auto value = [&](std::string_view name) -> std::string {
      if (argument.size() > name.size()) {
        return std::string(argument.substr(name.size() + 1));
      }
      return i + 1 < arguments.size() ? arguments[i + 1] : std::string();
    };
    if (argument == "--no-huge") {
      options.no_huge = true;
    } else if (argument == "--in-memory") {
      options.in_memory = true;
    } else if (argument == kPrefix || argument.starts_with("--file-prefix=")) {
      options.file_prefix = value(kPrefix);
    } else if (argument == kType || argument.starts_with("--proc-type=")) {
      options.secondary = value(kType) == "secondary";
    }
  }
  return options;
}

Hugepages read_hugepages() {
  Hugepages pages;
  pages.mounts = hugetlbfs_mounts();
  std::error_code ignored;
  for (const fs::directory_entry& size : fs::directory_iterator("/sys/kernel/mm/hugepages", ignored)) {
    pages.total += read_number(size.path() / "nr_hugepages");
    const uint64_t free = read_number(size.path() / "free_hugepages");
    pages.free += free;
    pages.free_mib += free * page_kib(size.path().filename().string()) / 1024;
  }
  return pages;
}

void remove_hugepage_files(const std::string& prefix) {
  for (const std::string& mount : hugetlbfs_mounts()) {
    std::error_code ignored;
    for (const fs::directory_entry& file : fs::directory_iterator(mount, ignored)) {
      if (file.path().filename().string().starts_with(prefix + "map_")) {
        remove_if_unused(file.path());
      }
    }
  }
}

}  // namespace lbdp::dataplane
