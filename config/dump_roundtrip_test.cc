// SPDX-License-Identifier: BSD-2-Clause
// What --dump-config=text prints makes the same model again: over the files of the tree and of keepalived's package,
// and over files made at random.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>

#include "config/dump.h"
#include "config/load.h"
#include "config/random_file.h"

namespace lbdp::config {
namespace {

std::string findings(const LoadResult& result) {
  std::string text;
  for (const Diagnostic& diagnostic : result.diagnostics) {
    if (diagnostic.severity == Severity::kError) text += diagnostic.to_string() + "\n";
  }
  return text;
}

void expect_same_again(const Model& model) {
  const std::string text = dump_text(model);
  SCOPED_TRACE("dump:\n" + text);
  const LoadResult again = load_text(text, "dump.conf");
  ASSERT_TRUE(again.ok()) << findings(again);
  EXPECT_EQ(dump_json(*again.model).dump(1), dump_json(model).dump(1));
  EXPECT_TRUE(*again.model == model);
  EXPECT_EQ(dump_text(*again.model), text);
}

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// How many of the files load; those are dumped.
size_t check_all(const std::filesystem::path& folder, const std::string& in_name) {
  size_t loaded = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().filename().string().find(in_name) == std::string::npos) continue;
    const LoadResult result = load_file(entry.path());
    if (!result.ok()) continue;
    SCOPED_TRACE(entry.path());
    ++loaded;
    expect_same_again(*result.model);
  }
  return loaded;
}

TEST(DumpRoundTrip, FilesOfTheTree) {
  EXPECT_GE(check_all(std::filesystem::path(LBDP_TREE) / "tests", ".conf"), 5U);
}

TEST(DumpRoundTrip, SamplesOfKeepalived) {
  const std::filesystem::path samples = "/usr/share/doc/keepalived/samples";
  ASSERT_TRUE(std::filesystem::exists(samples)) << "Debian's package keepalived has them";
  std::printf("%zu of keepalived's samples load\n", check_all(samples, "keepalived.conf"));
}

TEST(DumpRoundTrip, ExamplesInTheDocumentation) {
  size_t loaded = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(LBDP_TREE) / "docs")) {
    const std::string page = contents(entry.path());
    for (size_t begin = page.find("\n```"); begin != std::string::npos; begin = page.find("\n```", begin + 1)) {
      const size_t first = page.find('\n', begin + 1) + 1;
      const size_t end = page.find("\n```", first - 1);
      if (first == 0 || end == std::string::npos) break;
      const LoadResult result = load_text(page.substr(first, end - first + 1), entry.path());
      begin = end;
      if (!result.ok()) continue;
      SCOPED_TRACE(entry.path().string() + ":\n" + page.substr(first, end - first + 1));
      ++loaded;
      expect_same_again(*result.model);
    }
  }
  EXPECT_GE(loaded, 1U);
}

/// LBDP_SEED repeats a run.
uint64_t chosen_seed() {
  const char* wanted = std::getenv("LBDP_SEED");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : std::random_device{}();
}

TEST(DumpRoundTrip, FilesMadeAtRandom) {
  constexpr int kFiles = 400;
  const uint64_t seed = chosen_seed();
  std::printf("LBDP_SEED=%llu\n", static_cast<unsigned long long>(seed));
  RandomFile random(seed);
  int good = 0;
  size_t instances = 0, servers = 0;
  for (int i = 0; i < kFiles && !HasFailure(); ++i) {
    const std::string text = without_errors(random.make());
    const LoadResult result = load_text(text, "random.conf");
    if (!result.ok()) continue;
    SCOPED_TRACE("LBDP_SEED=" + std::to_string(seed) + ", file " + std::to_string(i) + ":\n" + text);
    ++good;
    instances += result.model->vrrp_instances.size();
    servers += result.model->virtual_servers.size();
    expect_same_again(*result.model);
  }
  if (HasFailure()) return;
  std::printf("%d of %d files load; %zu instances, %zu virtual servers\n", good, kFiles, instances, servers);
  EXPECT_GE(good, kFiles * 8 / 10);
  EXPECT_GE(instances, kFiles / 4U);
  EXPECT_GE(servers, kFiles / 4U);
}

}  // namespace
}  // namespace lbdp::config
