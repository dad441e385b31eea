// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/hugepages.h"

#include <gtest/gtest.h>

namespace lbdp::dataplane {
namespace {

EalOptions options_of(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "lbdp");
  return read_eal_options(arguments);
}

TEST(EalOptions, Defaults) {
  const EalOptions options = options_of({"-l", "0,1"});
  EXPECT_FALSE(options.no_huge);
  EXPECT_FALSE(options.in_memory);
  EXPECT_EQ(options.file_prefix, "rte");
  EXPECT_TRUE(options.keeps_files());
}

TEST(EalOptions, BothWaysOfWritingAValue) {
  EXPECT_EQ(options_of({"--file-prefix=lb1"}).file_prefix, "lb1");
  EXPECT_EQ(options_of({"--file-prefix", "lb1"}).file_prefix, "lb1");
  EXPECT_EQ(options_of({"--file-prefix"}).file_prefix, "");
  EXPECT_FALSE(options_of({"--proc-type", "secondary"}).keeps_files());
  EXPECT_FALSE(options_of({"--proc-type=secondary"}).keeps_files());
  EXPECT_TRUE(options_of({"--proc-type=primary"}).keeps_files());
}

TEST(EalOptions, MemoryWithoutFiles) {
  EXPECT_FALSE(options_of({"--no-huge"}).keeps_files());
  EXPECT_FALSE(options_of({"--in-memory"}).keeps_files());
  EXPECT_TRUE(options_of({"--no-huge"}).no_huge);
  EXPECT_TRUE(options_of({"--in-memory"}).in_memory);
}

}  // namespace
}  // namespace lbdp::dataplane
