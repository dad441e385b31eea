// SPDX-License-Identifier: BSD-2-Clause
#include "control/options.h"

#include <gmock/gmock.h>

namespace lbdp::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<Options> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "lbdp");
  return parse_options(arguments);
}

TEST(Options, EalOptionsStandBeforeTheSeparator) {
  const auto options = parse({"-l", "2-5", "-c", "ff", "--", "-c", "lb.conf", "-i", "blue"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_THAT(options->eal_arguments, ElementsAre("lbdp", "-l", "2-5", "-c", "ff"));
  EXPECT_EQ(options->config_file, "lb.conf");
  EXPECT_EQ(options->config_id, "blue");
  EXPECT_EQ(options->action, Options::Action::kRun);
  EXPECT_EQ(options->control_socket, kDefaultControlSocket);
}

TEST(Options, EverythingOfOursIsRead) {
  const auto options = parse(
      {"--", "-c", "f", "--lenient", "--control-socket", "/tmp/s", "--log-level", "debug", "--log-format", "json"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_TRUE(options->lenient);
  EXPECT_EQ(options->control_socket, "/tmp/s");
  EXPECT_EQ(options->log_level, "debug");
  EXPECT_EQ(options->log_format, LogFormat::kJson);
}

TEST(Options, TestVersionAndHelpNeedNoSeparator) {
  EXPECT_EQ(parse({"-t", "-c", "f"})->action, Options::Action::kTestConfig);
  EXPECT_EQ(parse({"-V"})->action, Options::Action::kVersion);
  EXPECT_EQ(parse({"-h"})->action, Options::Action::kHelp);
  EXPECT_EQ(parse({"-l", "0-1", "--", "-t", "-c", "f"})->action, Options::Action::kTestConfig);
}

TEST(Options, DumpConfigIsTextUnlessJsonIsAskedFor) {
  for (const auto& [argument, format] :
       {std::pair("--dump-config", DumpFormat::kText), std::pair("--dump-config=text", DumpFormat::kText),
        std::pair("--dump-config=json", DumpFormat::kJson)}) {
    for (const auto& options : {parse({argument, "-c", "f"}), parse({"-c", "f", argument}),
                                parse({"-l", "0-1", "--", "-c", "f", argument, "-i", "blue"})}) {
      ASSERT_TRUE(options) << argument << ": " << options.error().message;
      EXPECT_EQ(options->action, Options::Action::kDumpConfig);
      EXPECT_EQ(options->config_file, "f");
      EXPECT_EQ(options->dump_format, format) << argument;
    }
  }
}

struct BadCase {
  std::vector<const char*> arguments;
  const char* says;
};

TEST(Options, WrongUsageIsRefusedWithTheReason) {
  const BadCase cases[] = {
      {{}, "-c FILE is missing"},
      {{"--"}, "-c FILE is missing"},
      {{"-t"}, "-c FILE is missing"},
      {{"-c", "f"}, "\"--\" is missing"},
      {{"-l", "2-5", "-c", "f"}, "EAL's options can be told from lbdp's own, \"--\" is needed"},
      {{"--", "-c"}, "usage: lbdp"},
      {{"--", "-c", "f", "--nonsense"}, "nonsense"},
      {{"--", "-c", "f", "stray"}, "stray"},
      {{"--", "-c", "f", "--log-level", "loud"}, "loud"},
      {{"--", "-c", "f", "--log-format", "xml"}, "xml"},
      {{"--dump-config"}, "-c FILE is missing"},
      {{"-c", "f", "--dump-config=xml"}, "xml"},
      {{"-c", "f", "--dump-config", "json"}, "json"},  // with '=' only: a word of its own is no value
      {{"-t", "-c", "f", "--dump-config"}, "choose one"},
      {{"--", "-c", "f", "--control-socket", ""}, "usage: lbdp"},
  };
  for (const auto& bad : cases) {
    const auto options = parse(bad.arguments);
    ASSERT_FALSE(options) << bad.says;
    EXPECT_THAT(options.error().message, HasSubstr(bad.says));
  }
}

TEST(Options, HelpNamesEveryOption) {
  for (const char* option :
       {"-c", "-t", "-i", "--dump-config", "--lenient", "--control-socket", "--log-level", "--log-format", "-V"}) {
    EXPECT_THAT(help_text(), HasSubstr(option));
  }
}

}  // namespace
}  // namespace lbdp::control
