// SPDX-License-Identifier: BSD-2-Clause
#include "control/table_publisher.h"

#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>

#include "control/fake_dataplane.h"

namespace lbdp::control {
namespace {

using testing::HasSubstr;

class TablePublisherTest : public testing::Test {
 protected:
  TablePublisherTest() {
    configure();
    EXPECT_TRUE(publisher.flush());
  }

  /// Four virtual servers; the address of the first is VI_1's, of the others VI_2's.
  void configure() {
    BackendInputs inputs;
    for (int i = 0; i < 4; ++i) {
      auto& service = inputs.services.emplace_back();
      service.key = ServiceKey::parse("tcp/172.18.250." + std::to_string(99 + i) + ":80").value();
      service.instances = {i == 0 ? "VI_1" : "VI_2"};
    }
    backends.configure(inputs, [](const RealServerKey&) { return true; });
  }

  asio::io_context io;
  BackendSet backends;
  FakeDataplane dataplane;
  std::ostringstream logged;
  spdlog::logger log{"test", std::make_shared<spdlog::sinks::ostream_sink_st>(logged)};
  TablePublisher publisher{io, backends, dataplane, log};
};

TEST_F(TablePublisherTest, ManyChangesMakeOnePublication) {
  ASSERT_EQ(dataplane.publications, 1U);
  for (int i = 0; i < 5; ++i) {
    backends.set_master("VI_1", i % 2 == 0);
    publisher.touch();
  }
  io.run();
  EXPECT_EQ(dataplane.publications, 2U);
  EXPECT_TRUE(dataplane.last.virtual_servers.at(0).owned);
}

TEST_F(TablePublisherTest, WithoutChangeNothingIsPublished) {
  publisher.touch();
  io.run();
  EXPECT_TRUE(publisher.flush());
  EXPECT_EQ(dataplane.publications, 1U);
}

TEST_F(TablePublisherTest, AChangeAfterAPublicationIsPublishedToo) {
  for (const bool master : {true, false}) {
    backends.set_master("VI_1", master);
    publisher.touch();
    io.run();
    io.restart();
    EXPECT_EQ(dataplane.last.virtual_servers.at(0).owned, master);
  }
  EXPECT_EQ(dataplane.publications, 3U);
}

TEST_F(TablePublisherTest, OnlyWhatHasChangedIsPublished) {
  backends.set_master("VI_1", true);
  ASSERT_TRUE(publisher.flush());
  EXPECT_EQ(dataplane.whole_publications, 1U);
  ASSERT_EQ(dataplane.last_changes.size(), 1U);
  EXPECT_EQ(dataplane.last_changes[0].key.to_string(), "tcp/172.18.250.99:80");
  EXPECT_TRUE(dataplane.last_changes[0].owned);
  EXPECT_TRUE(publisher.flush());
  EXPECT_EQ(dataplane.publications, 2U);
}

TEST_F(TablePublisherTest, MostOfTheTablesArePublishedWhole) {
  backends.set_master("VI_2", true);
  ASSERT_TRUE(publisher.flush());
  EXPECT_EQ(dataplane.whole_publications, 2U);
  EXPECT_TRUE(dataplane.last.virtual_servers.at(3).owned);
}

TEST_F(TablePublisherTest, ANewConfigurationIsPublishedWhole) {
  configure();
  backends.set_master("VI_1", true);
  ASSERT_TRUE(publisher.flush());
  EXPECT_EQ(dataplane.whole_publications, 2U);
  EXPECT_EQ(dataplane.publications, 2U);
}

TEST_F(TablePublisherTest, WhatCannotBePublishedByItselfIsWithTheRest) {
  dataplane.refuse_changes = true;
  for (const bool master : {true, false}) {
    backends.set_master("VI_1", master);
    ASSERT_TRUE(publisher.flush());
    EXPECT_EQ(dataplane.last.virtual_servers.at(0).owned, master);
  }
  EXPECT_EQ(dataplane.whole_publications, 3U);
  EXPECT_THAT(logged.str(), HasSubstr("1 changed virtual servers not published by themselves (not now)"));
  EXPECT_EQ(logged.str().find("not now"), logged.str().rfind("not now")) << "said once";
}

TEST_F(TablePublisherTest, AfterAFailureEverythingIsPublished) {
  configure();
  dataplane.refuse_tables = true;
  EXPECT_FALSE(publisher.flush());
  EXPECT_FALSE(publisher.flush()) << "still due";
  dataplane.refuse_tables = false;
  backends.set_master("VI_1", true);
  ASSERT_TRUE(publisher.flush());
  EXPECT_TRUE(dataplane.last_changes.empty());
  EXPECT_TRUE(dataplane.last.virtual_servers.at(0).owned);
}

}  // namespace
}  // namespace lbdp::control
