// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <gtest/gtest.h>
#include <rte_eal.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

namespace lbdp::testing {

/// Starts EAL without root, hugepages or devices, once for the whole test program; `extra` are further EAL options.
class InMemoryEal : public ::testing::Environment {
 public:
  explicit InMemoryEal(std::vector<std::string> extra) : extra_(std::move(extra)) {}

  void SetUp() override {
    std::vector<std::string> arguments{"test",           "--no-huge",
                                       "--no-shconf",    "--no-pci",
                                       "--no-telemetry", "--file-prefix=lbdp_test_" + std::to_string(getpid())};
    arguments.insert(arguments.end(), extra_.begin(), extra_.end());
    std::vector<char*> argv;
    for (std::string& argument : arguments) {
      argv.push_back(argument.data());
    }
    argv.push_back(nullptr);
    ASSERT_GE(rte_eal_init(static_cast<int>(arguments.size()), argv.data()), 0);
  }
  void TearDown() override {
    const std::string runtime_directory = rte_eal_get_runtime_dir();
    rte_eal_cleanup();
    std::filesystem::remove_all(runtime_directory);
  }

 private:
  std::vector<std::string> extra_;
};

}  // namespace lbdp::testing
