// SPDX-License-Identifier: BSD-2-Clause
#include "control/table_publisher.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "control/fake_dataplane.h"

namespace lbdp::control {
namespace {

class TablePublisherTest : public testing::Test {
 protected:
  TablePublisherTest() {
    ServiceInput service;
    service.key = ServiceKey::parse("tcp/172.18.250.99:80").value();
    service.instances = {"VI_1"};
    backends.configure({.services = {service}}, [](const RealServerKey&) { return true; });
    EXPECT_TRUE(publisher.flush());
  }

  asio::io_context io;
  BackendSet backends;
  FakeDataplane dataplane;
  spdlog::logger log{"test"};
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

}  // namespace
}  // namespace lbdp::control
