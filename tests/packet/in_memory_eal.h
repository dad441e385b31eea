// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <gtest/gtest.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lbdp::testing {

/// EAL without root, hugepages or PCI devices, on one lcore, from construction to destruction; once a process. `extra`
/// are further EAL options. Leaves nothing behind in EAL's runtime directory.
class InMemoryEal {
 public:
  explicit InMemoryEal(const std::vector<std::string>& extra) {
    std::vector<std::string> arguments{"test",
                                       "--no-huge",
                                       "--no-shconf",
                                       "--no-pci",
                                       "--no-telemetry",
                                       "--log-level=error",
                                       "-l",
                                       "0",
                                       "--file-prefix=lbdp_test_" + std::to_string(getpid())};
    arguments.insert(arguments.end(), extra.begin(), extra.end());
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    if (rte_eal_init(static_cast<int>(arguments.size()), argv.data()) >= 0) return;
    std::cerr << "test set-up: rte_eal_init: " << rte_strerror(rte_errno) << std::endl;
    std::abort();
  }
  ~InMemoryEal() {
    const std::string runtime_directory = rte_eal_get_runtime_dir();
    rte_eal_cleanup();
    std::error_code ignored;
    std::filesystem::remove_all(runtime_directory, ignored);
  }
  InMemoryEal(const InMemoryEal&) = delete;
  InMemoryEal& operator=(const InMemoryEal&) = delete;
};

/// The same for the time of all tests of a program.
class EalEnvironment : public ::testing::Environment {
 public:
  explicit EalEnvironment(std::vector<std::string> extra) : extra_(std::move(extra)) {}
  void SetUp() override { eal_.emplace(extra_); }
  void TearDown() override { eal_.reset(); }

 private:
  std::vector<std::string> extra_;
  std::optional<InMemoryEal> eal_;
};

}  // namespace lbdp::testing
