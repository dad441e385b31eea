// SPDX-License-Identifier: BSD-2-Clause
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "dataplane/dataplane.h"
#include "dataplane/hugepages.h"

namespace lbdp::dataplane {
namespace {

constexpr std::string_view kHugepageCommands =
    "\n  reserve some:      echo 1024 > /proc/sys/vm/nr_hugepages"
    "\n  and mount them:    mkdir -p /dev/hugepages && mount -t hugetlbfs none /dev/hugepages"
    "\n  or do without:     lbdp --no-huge -m 512 ... (slower; physical NICs need IOMMU mode VA)";

/// What EAL needs of the machine and does not find, by looking; empty if nothing is amiss.
std::string missing_hugepages(const EalOptions& options) {
  if (options.no_huge) {
    return {};
  }
  const Hugepages pages = read_hugepages();
  if (pages.total == 0) {
    return "no hugepages are reserved" + std::string(kHugepageCommands);
  }
  if (pages.free == 0) {
    return "all " + std::to_string(pages.total) +
           " hugepages are taken (a killed DPDK program leaves files in the hugetlbfs mount that hold them: ls "
           "/dev/hugepages)" +
           std::string(kHugepageCommands);
  }
  if (pages.mounts.empty() && !options.in_memory) {
    return "hugepages are reserved, but no hugetlbfs is mounted" + std::string(kHugepageCommands);
  }
  return {};
}

/// The cause of rte_eal_init's failure, as far as the machine's state tells it.
std::string explain_failure(const EalOptions& options, int error) {
  if (std::string missing = missing_hugepages(options); !missing.empty()) {
    return missing;
  }
  if (geteuid() != 0 && !options.no_huge) {
    return "not running as root: hugepages, VFIO and the taps need it (or CAP_IPC_LOCK, CAP_NET_ADMIN, CAP_NET_RAW and "
           "write access to the hugetlbfs mount)";
  }
  if (error == ENOMEM) {
    return "not enough memory for what -m or --socket-mem asks; free hugepages: " +
           std::to_string(read_hugepages().free_mib) + " MiB" + std::string(kHugepageCommands);
  }
  if (error == EINVAL) {
    return "a wrong option; EAL's own message stands above. lbdp's options come after \"--\": lbdp -l 0,1 -- -c "
           "lb.conf";
  }
  if (error == EALREADY) {
    return "EAL runs already in this process, or an earlier attempt failed";
  }
  return "rte_eal_init: " + std::string(error != 0 ? rte_strerror(error) : "failed") +
         "; EAL's own message stands above. Is another process running with the same --file-prefix (" +
         options.file_prefix + ")?";
}

/// EAL runs, but can lbdp run on it?
Result<void> check_resources() {
  if (rte_lcore_count() < 2) {
    return fail(
        "EAL: one lcore only, but lbdp needs a main lcore for control and at least one worker lcore: -l 0,1, or on a "
        "single CPU --lcores 0@0,1@0");
  }
  if (rte_eth_dev_count_avail() == 0) {
    return fail(
        "EAL: no port; if a device was named, EAL's messages above say why it cannot be used\n  bind a NIC to "
        "vfio-pci: dpdk-devbind.py --status; dpdk-devbind.py --bind=vfio-pci "
        "0000:03:00.0\n  or name a virtual device: --vdev=net_af_packet0,iface=eth1");
  }
  return {};
}

}  // namespace

Result<Eal> Eal::start(std::span<const std::string> arguments) {
  if (arguments.empty()) {
    return fail("EAL: no argument vector");
  }
  const EalOptions options = read_eal_options(arguments);
  // rte_eal_init permutes argv and keeps pointers to none of it after its return.
  std::vector<std::string> copy(arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& argument : copy) {
    argv.push_back(argument.data());
  }
  argv.push_back(nullptr);
  const int parsed = rte_eal_init(static_cast<int>(copy.size()), argv.data());
  if (parsed < 0) {
    return fail("EAL: " + explain_failure(options, rte_errno));
  }
  Eal eal;
  eal.hugepage_prefix_ = options.keeps_files() ? options.file_prefix : "";
  eal.runtime_directory_ = options.secondary ? "" : rte_eal_get_runtime_dir();
  if (parsed + 1 < static_cast<int>(copy.size())) {
    return fail("EAL: does not know the argument \"" + std::string(argv[static_cast<size_t>(parsed) + 1]) +
                "\"; lbdp's own options come after \"--\"");
  }
  if (Result<void> enough = check_resources(); !enough) {
    return tl::unexpected<Error>(enough.error());
  }
  return eal;
}

Eal::Eal(Eal&& other) noexcept
    : running_(std::exchange(other.running_, false)),
      hugepage_prefix_(std::move(other.hugepage_prefix_)),
      runtime_directory_(std::move(other.runtime_directory_)) {}

Eal::~Eal() {
  if (!running_) {
    return;
  }
  rte_eal_cleanup();
  if (!hugepage_prefix_.empty()) {
    remove_hugepage_files(hugepage_prefix_);
  }
  if (!runtime_directory_.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(runtime_directory_, ignored);
  }
}

}  // namespace lbdp::dataplane
