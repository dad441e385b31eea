// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "dataplane/buffers.h"
#include "tests/packet/in_memory_eal.h"

namespace lbdp::dataplane {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Port 0: net_ring, each queue a loop; ports 1 and 2: net_null, which receives for ever and swallows what it is given.
const auto* const kEal = ::testing::AddGlobalTestEnvironment(
    new testing::EalEnvironment({"-m", "64", "--vdev=net_ring0", "--vdev=net_null0", "--vdev=net_null1"}));

std::vector<std::string> interfaces(const Result<std::vector<PortPlan>>& plans) {
  std::vector<std::string> names;
  for (const PortPlan& plan : plans.value()) {
    names.push_back(plan.device + "=" + plan.params.interface);
  }
  return names;
}

TEST(PlanPorts, WithoutParametersEveryPortHasItsDefaults) {
  const auto plans = plan_ports({}, 1);
  ASSERT_TRUE(plans) << plans.error().message;
  EXPECT_THAT(interfaces(plans), ElementsAre("net_ring0=lbdp0", "net_null0=lbdp1", "net_null1=lbdp2"));
  EXPECT_EQ((*plans)[0].driver, "net_ring");
  EXPECT_EQ((*plans)[0].queues, 1);
}

TEST(PlanPorts, DevicesAreMatchedByNameAndTheRestInOrder) {
  const std::vector<PortParams> params{{.device = "", .interface = "first"},
                                       {.device = "net_null0", .interface = "named"},
                                       {.device = "", .interface = "second"}};
  EXPECT_THAT(interfaces(plan_ports(params, 1)), ElementsAre("net_ring0=first", "net_null0=named", "net_null1=second"));
}

TEST(PlanPorts, FewerEntriesThanPorts) {
  const std::vector<PortParams> params{{.device = "net_null1", .interface = "eth0"}};
  EXPECT_THAT(interfaces(plan_ports(params, 1)), ElementsAre("net_ring0=lbdp0", "net_null0=lbdp1", "net_null1=eth0"));
}

TEST(PlanPorts, UnknownDeviceNamesThoseThatThereAre) {
  const std::vector<PortParams> params{{.device = "0000:03:00.0", .interface = "eth0"}};
  const auto plans = plan_ports(params, 1);
  ASSERT_FALSE(plans);
  EXPECT_THAT(plans.error().message, HasSubstr("\"0000:03:00.0\""));
  EXPECT_THAT(plans.error().message, HasSubstr("net_ring0, net_null0, net_null1"));
}

TEST(PlanPorts, DeviceNamedTwice) {
  const std::vector<PortParams> params{{.device = "net_null0", .interface = "a"},
                                       {.device = "net_null0", .interface = "b"}};
  const auto plans = plan_ports(params, 1);
  ASSERT_FALSE(plans);
  EXPECT_THAT(plans.error().message, HasSubstr("named twice"));
}

TEST(PlanPorts, InterfaceNamedTwice) {
  const std::vector<PortParams> params{{.device = "", .interface = "eth0"}, {.device = "", .interface = "eth0"}};
  const auto plans = plan_ports(params, 1);
  ASSERT_FALSE(plans);
  EXPECT_THAT(plans.error().message, HasSubstr("interface eth0"));
}

TEST(PlanPorts, MoreEntriesThanPorts) {
  const auto plans = plan_ports(std::vector<PortParams>(4), 1);
  ASSERT_FALSE(plans);
  EXPECT_THAT(plans.error().message, HasSubstr("names 4 ports, EAL has 3"));
}

TEST(PlanPorts, OneQueuePairAWorkerAsFarAsTheDriverGoes) {
  const auto plans = plan_ports({}, 4);
  ASSERT_TRUE(plans);
  rte_eth_dev_info ring{};
  ASSERT_EQ(rte_eth_dev_info_get(0, &ring), 0);
  EXPECT_EQ((*plans)[0].queues, std::min<uint16_t>(4, ring.max_rx_queues));
  EXPECT_EQ((*plans)[1].queues, 4) << "net_null has many";
}

/// "port.queue" of each worker.
std::vector<std::vector<std::string>> assigned(const std::vector<std::pair<uint16_t, uint16_t>>& ports,
                                               uint16_t workers) {
  std::vector<PortPlan> plans;
  for (const auto& [id, queues] : ports) {
    PortPlan plan;
    plan.id = id;
    plan.queues = queues;
    plans.push_back(plan);
  }
  std::vector<std::vector<std::string>> names;
  for (const auto& worker : assign_queues(plans, workers).workers) {
    names.emplace_back();
    for (const auto& queue : worker) {
      names.back().push_back(std::to_string(queue.port) + "." + std::to_string(queue.queue));
    }
  }
  return names;
}

TEST(AssignQueues, AQueueForEveryWorker) {
  EXPECT_THAT(assigned({{0, 2}, {1, 2}}, 2), ElementsAre(ElementsAre("0.0", "1.0"), ElementsAre("0.1", "1.1")));
}

TEST(AssignQueues, SingleQueuePortsSpreadOverTheWorkers) {
  EXPECT_THAT(assigned({{0, 1}, {1, 1}, {2, 1}}, 2), ElementsAre(ElementsAre("0.0", "2.0"), ElementsAre("1.0")));
}

TEST(AssignQueues, WorkersWithoutAQueueIdle) {
  EXPECT_THAT(assigned({{0, 1}}, 3), ElementsAre(ElementsAre("0.0"), IsEmpty(), IsEmpty()));
}

TEST(AssignQueues, FewerQueuesThanWorkers) {
  EXPECT_THAT(assigned({{1, 2}}, 3), ElementsAre(IsEmpty(), ElementsAre("1.0"), ElementsAre("1.1")));
}

TEST(AssignQueues, LooksUpAWorkersQueue) {
  PortPlan plan;
  plan.id = 1;
  plan.queues = 2;
  const QueueAssignment assignment = assign_queues(std::vector{plan}, 3);
  EXPECT_EQ(assignment.queue_of(0, 1), std::nullopt);
  EXPECT_EQ(assignment.queue_of(2, 1), uint16_t{1});
  EXPECT_EQ(assignment.queue_of(2, 7), std::nullopt);
}

TEST(Port, OpensStartsAndCarriesFrames) {
  std::vector<std::string> notes;
  const auto plans = plan_ports({}, 1);
  ASSERT_TRUE(plans);
  auto buffers = create_buffers(*plans, 1, StartupParams{});
  ASSERT_TRUE(buffers) << buffers.error().message;
  rte_mempool* pool = buffers->receive.begin()->second.get();
  auto port = Port::open((*plans)[0], pool, notes);
  ASSERT_TRUE(port) << port.error().message;
  ASSERT_TRUE(port->start(notes));
  EXPECT_TRUE(port->link_up());
  EXPECT_NE(port->mac(), MacAddress{}) << "net_ring has no address, the tap needs one";
  EXPECT_FALSE(port->mac().is_group());

  rte_mbuf* sent = rte_pktmbuf_alloc(pool);
  ASSERT_NE(sent, nullptr);
  ASSERT_NE(rte_pktmbuf_append(sent, 60), nullptr);
  ASSERT_EQ(rte_eth_tx_burst(0, 0, &sent, 1), 1);
  rte_mbuf* received = nullptr;
  ASSERT_EQ(rte_eth_rx_burst(0, 0, &received, 1), 1);
  EXPECT_EQ(received, sent);
  rte_pktmbuf_free(received);

  PortStatus status;
  port->describe(status);
  EXPECT_EQ(status.device, "net_ring0");
  EXPECT_EQ(status.driver, "net_ring");
  EXPECT_EQ(status.mac, port->mac());
  EXPECT_EQ(status.rx_packets, 1U);
  EXPECT_EQ(status.tx_packets, 1U);
  EXPECT_EQ(status.queues, 1);
}

TEST(Buffers, AskingForMoreThanThereIsSaysSo) {
  const auto plans = plan_ports({}, 1);
  ASSERT_TRUE(plans);
  StartupParams params;
  params.mbufs = 10'000'000;
  const auto buffers = create_buffers(*plans, 1, params);
  ASSERT_FALSE(buffers);
  EXPECT_THAT(buffers.error().message, HasSubstr("no memory for 10000000 packet buffers"));
}

TEST(Buffers, SizeCanBeSet) {
  const auto plans = plan_ports({}, 1);
  ASSERT_TRUE(plans);
  StartupParams params;
  params.mbufs = 5000;
  params.mbuf_size = 256;
  const auto buffers = create_buffers(*plans, 1, params);
  ASSERT_TRUE(buffers) << buffers.error().message;
  EXPECT_EQ(buffers->receive.begin()->second->size, 5000U);
  EXPECT_EQ(rte_pktmbuf_data_room_size(buffers->receive.begin()->second.get()), 256);
  EXPECT_GE(rte_pktmbuf_data_room_size(buffers->from_kernel.get()), 1514 + RTE_PKTMBUF_HEADROOM)
      << "what the kernel sends always fits";
}

}  // namespace
}  // namespace lbdp::dataplane
