// SPDX-License-Identifier: BSD-2-Clause
#include "control/dataplane_health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lbdp::control {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

struct Health : testing::Test {
  Health() : workers(2), ports(2) {
    for (auto& worker : workers) worker.polled_ports = {dataplane::PortId{}};
    workers[1].id = dataplane::WorkerId{1};
    workers[1].lcore = 3;
    for (auto& port : ports) port.link_up = true;
  }
  [[nodiscard]] std::vector<std::string> faults() const { return dataplane_faults(params, published, workers, ports); }

  DataplaneHealthParams params;
  bool published = true;
  std::vector<dataplane::WorkerStatus> workers;
  std::vector<dataplane::PortStatus> ports;
};

TEST_F(Health, AllIsWell) {
  workers[1].last_loop_age_us = 500'000;
  EXPECT_THAT(faults(), IsEmpty());
}

TEST_F(Health, AWorkerThatIsAwayTooLong) {
  workers[1].last_loop_age_us = 500'001;
  EXPECT_THAT(faults(), ElementsAre("dataplane: worker 1 on lcore 3 has not run for more than 500 ms"));
  params.workers = false;
  EXPECT_THAT(faults(), IsEmpty());
}

TEST_F(Health, AWorkerWithoutAQueueMayRest) {
  workers[1].last_loop_age_us = 5'000'000;
  workers[1].polled_ports.clear();
  EXPECT_THAT(faults(), IsEmpty());
}

TEST_F(Health, OneLinkIsEnough) {
  ports[0].link_up = false;
  EXPECT_THAT(faults(), IsEmpty());
  ports[1].link_up = false;
  EXPECT_THAT(faults(), ElementsAre("dataplane: no port has a link"));
  params.ports = false;
  EXPECT_THAT(faults(), IsEmpty());
}

TEST_F(Health, WithoutASnapshotThereIsNothingToForwardTo) {
  published = false;
  EXPECT_THAT(faults(), ElementsAre("dataplane: nothing has been published to the workers yet"));
}

TEST(WorkerLimit, IsHalfAnIntervalWithinBounds) {
  EXPECT_EQ(worker_limit(1s), 500ms);
  EXPECT_EQ(worker_limit(400ms), 200ms);
  EXPECT_EQ(worker_limit(10ms), 100ms);
  EXPECT_EQ(worker_limit(60s), 500ms);
}

}  // namespace
}  // namespace lbdp::control
