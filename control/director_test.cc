// SPDX-License-Identifier: BSD-2-Clause
// A whole director on a fake dataplane, with the running kernel: in a network namespace of the test's own.
#include "control/director.h"

#include <gmock/gmock.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <sstream>

#include "control/cli_client.h"
#include "control/fake_dataplane.h"

namespace lbdp::control {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

bool shell(const std::string& command) {
  return std::system(("{ " + command + "; } >/dev/null 2>&1").c_str()) == 0;  // NOLINT(concurrency-mt-unsafe)
}

/// Without the right to administer networks, for this thread and while it lives: the kernel refuses every address.
class Powerless {
 public:
  Powerless() {
    get();
    before_ = data_;
    data_[0].effective &= ~(1U << CAP_NET_ADMIN);
    set();
  }
  ~Powerless() {
    data_ = before_;
    set();
  }
  Powerless(const Powerless&) = delete;
  Powerless& operator=(const Powerless&) = delete;

 private:
  void get() { EXPECT_EQ(::syscall(SYS_capget, &header_, data_.data()), 0); }
  void set() { EXPECT_EQ(::syscall(SYS_capset, &header_, data_.data()), 0); }

  __user_cap_header_struct header_{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> data_{}, before_{};
};

/// Remembers whether each publication had every virtual server as ours.
class WatchedDataplane : public FakeDataplane {
 public:
  Result<void> publish(const dataplane::Tables& tables) override {
    auto published = FakeDataplane::publish(tables);
    if (published) note();
    return published;
  }
  Result<void> publish_changes(std::span<const dataplane::VirtualServerParams> changed) override {
    auto published = FakeDataplane::publish_changes(changed);
    if (published) note();
    return published;
  }
  std::vector<bool> all_owned;

 private:
  void note() {
    const auto& servers = last.virtual_servers;
    all_owned.push_back(std::all_of(servers.begin(), servers.end(), [](const auto& s) { return s.owned; }));
  }
};

const std::string kInstance = R"(
vrrp_instance VI_1 {
    state MASTER
    interface eth0
    virtual_router_id 51
    priority 255
    virtual_ipaddress {
        10.1.0.99
    }
}
)";
const std::string kService = R"(
virtual_server 10.1.0.99 80 {
    lb_algo rr
    lb_kind DR
    delay_loop 1
    protocol TCP
    real_server 10.1.0.77 80 {
        weight 1
        TCP_CHECK { connect_timeout 1 }
    }
}
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t place = text.find(from);
  EXPECT_NE(place, std::string::npos) << from;
  return text.replace(place, from.size(), to);
}

class DirectorTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::geteuid(), 0U) << "makes a network namespace: needs root";
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
    ASSERT_TRUE(
        shell("ip link set lo up; ip link add eth0 type veth peer name far && ip link set far up && "
              "ip link set eth0 up && ip address add 10.1.0.75/24 dev eth0"));
    std::array<char, 32> name{"/tmp/director_test.XXXXXX"};
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory = name.data();
    options.config_file = directory + "/lb.conf";
    options.control_socket = directory + "/control.sock";
    write(kInstance + kService);
    start();
    run_until([&] { return vrrp()["state"] == "MASTER" && dataplane->last.virtual_servers.at(0).owned; });
  }

  void TearDown() override {
    director.reset();
    std::filesystem::remove_all(directory);
  }

  void start() {
    const auto loaded = config::load_file(options.config_file);
    ASSERT_TRUE(loaded.ok());
    const auto make = [this](const dataplane::StartupParams&) -> Result<std::unique_ptr<dataplane::Dataplane>> {
      auto made = std::make_unique<WatchedDataplane>();
      dataplane = made.get();
      dataplane->port_list.resize(1);
      dataplane->port_list[0].link_up = true;
      dataplane->port_list[0].interface = "eth0";
      dataplane->port_list[0].interface_index = static_cast<int>(::if_nametoindex("eth0"));
      return made;
    };
    auto started = Director::start(io, options, *loaded.model, make, log);
    ASSERT_TRUE(started) << started.error().message;
    director = std::move(*started);
  }

  void write(const std::string& text) {
    std::ofstream(options.config_file + ".new") << text;
    std::filesystem::rename(options.config_file + ".new", options.config_file);
  }

  template <class Condition>
  void run_until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + 15s;
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << log_text.str();
      io.restart();
      io.run_one_for(20ms);
    }
  }

  /// What lbdp-cli would be told.
  CliResult<json> ask(const json& request) {
    auto answer = std::async(std::launch::async, [&] { return CliClient(options.control_socket).ask(request); });
    run_until([&] { return answer.wait_for(0s) == std::future_status::ready; });
    return answer.get();
  }
  json show(const std::string& what) {
    const auto answer = ask({{"command", "show"}, {"what", what}});
    EXPECT_TRUE(answer);
    return answer ? answer->at("rows") : json::array();
  }
  json vrrp() {
    const json rows = show("vrrp");
    return rows.empty() ? json::object() : rows[0];
  }
  json config() { return show("config")[0]; }

  static std::string addresses() {
    const std::unique_ptr<FILE, decltype(&::pclose)> pipe(::popen("ip -o -4 address show dev eth0", "r"), ::pclose);
    std::string text(4096, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), pipe.get()));
    return text;
  }

  std::string directory;
  Options options;
  asio::io_context io;
  std::ostringstream log_text;
  spdlog::logger log{"test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_text)};
  WatchedDataplane* dataplane = nullptr;
  std::unique_ptr<Director> director;
};

TEST_F(DirectorTest, AReloadTellsAndDoesWhatHasChanged) {
  write(replaced(kInstance, "priority 255", "priority 200") + replaced(kService, "weight 1", "weight 3"));
  const auto dry = ask({{"command", "reload"}, {"dry_run", true}});
  ASSERT_TRUE(dry) << dry.error().message;
  EXPECT_EQ(dry->at("change_count"), 2);
  EXPECT_EQ(dataplane->last.virtual_servers[0].real_servers[0].weight, 1);
  EXPECT_EQ(vrrp()["priority"], 255);
  EXPECT_TRUE(config()["last_reload"].is_null());
  const auto wet = ask({{"command", "reload"}});
  ASSERT_TRUE(wet) << wet.error().message;
  EXPECT_EQ(wet->at("changes"), dry->at("changes"));
  EXPECT_EQ(dataplane->last.virtual_servers[0].real_servers[0].weight, 3);
  EXPECT_EQ(vrrp()["priority"], 200);
  EXPECT_EQ(vrrp()["state"], "MASTER");
  EXPECT_EQ(vrrp()["became_master"], 1);
  EXPECT_THAT(log_text.str(), HasSubstr("changed: vrrp_instance VI_1: priority 255 -> 200"));
}

TEST_F(DirectorTest, AReloadOfTheSameFilePublishesNothing) {
  const auto publications = dataplane->publications;
  write("# a line more\n" + kInstance + kService);
  const auto answer = ask({{"command", "reload"}});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_THAT(answer->at("message"), HasSubstr("nothing has changed"));
  EXPECT_EQ(dataplane->publications, publications);
  EXPECT_EQ(config()["reloads"], 1);
}

TEST_F(DirectorTest, WhenTheTablesAreNotTakenNothingHasChanged) {
  run_until([&] { return show("checks")[0]["probes"] == 1; });
  const json instance = vrrp(), checks = show("checks");
  const std::string kernel = addresses();
  dataplane->refuse_tables = true;
  // Something of everything: an address and a service more, a server less, another check.
  const std::string more =
      replaced(kInstance, "10.1.0.99", "10.1.0.99\n        10.1.0.98") +
      replaced(replaced(kService, "10.1.0.77", "10.1.0.78"), "connect_timeout 1", "connect_timeout 4") +
      replaced(kService, "99 80", "99 81");
  write(more);
  const auto refused = ask({{"command", "reload"}});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("not taken, nothing has changed: no more ids"));
  EXPECT_EQ(vrrp()["virtual_addresses"], instance["virtual_addresses"]);
  EXPECT_EQ(vrrp()["last_transition"], instance["last_transition"]);
  EXPECT_EQ(addresses(), kernel);
  EXPECT_EQ(show("checks")[0]["real"], checks[0]["real"]);
  EXPECT_GE(show("checks")[0]["probes"], checks[0]["probes"]);
  EXPECT_EQ(show("services").size(), 1U);
  EXPECT_EQ(show("backends")[0]["real"], "10.1.0.77:80");
  EXPECT_EQ(config()["reloads"], 0);
  EXPECT_EQ(config()["last_reload"]["ok"], false);
  write(kInstance + replaced(kService, "weight 1", "weight 3"));  // the short way
  ASSERT_FALSE(ask({{"command", "reload"}}));
  EXPECT_EQ(show("backends")[0]["configured_weight"], 1);
  dataplane->refuse_tables = false;
  write(more);
  ASSERT_TRUE(ask({{"command", "reload"}}));
  EXPECT_EQ(show("services").size(), 2U);
  EXPECT_THAT(addresses(), HasSubstr("10.1.0.98/32"));
  EXPECT_EQ(dataplane->last.virtual_servers.size(), 2U);
  EXPECT_EQ(vrrp()["became_master"], 1);
}

TEST_F(DirectorTest, WhenTheKernelTakesNoAddressNothingHasChanged) {
  const auto publications = dataplane->publications;
  write(replaced(kInstance, "10.1.0.99", "10.1.0.99\n        10.1.0.98") + replaced(kService, "weight 1", "weight 3"));
  {
    const Powerless thread;
    const auto refused = ask({{"command", "reload"}});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("nothing has changed: eth0: cannot add address 10.1.0.98/32"));
  }
  EXPECT_EQ(dataplane->publications, publications);
  EXPECT_EQ(vrrp()["virtual_addresses"].size(), 1U);
  EXPECT_EQ(show("backends")[0]["configured_weight"], 1);
  EXPECT_THAT(addresses(), Not(HasSubstr("10.1.0.98")));
  ASSERT_TRUE(ask({{"command", "reload"}}));
  EXPECT_THAT(addresses(), HasSubstr("10.1.0.98/32"));
  EXPECT_EQ(vrrp()["virtual_addresses"].size(), 2U);
}

TEST_F(DirectorTest, OneWeightIsPublishedByItself) {
  const auto whole = dataplane->whole_publications;
  const std::string three = kService + replaced(kService, "99 80", "99 81") + replaced(kService, "99 80", "99 82");
  write(kInstance + three);
  ASSERT_TRUE(ask({{"command", "reload"}}));
  EXPECT_GT(dataplane->whole_publications, whole);
  const auto before = dataplane->whole_publications;
  write(kInstance + replaced(three, "weight 1", "weight 3"));
  ASSERT_TRUE(ask({{"command", "reload"}}));
  EXPECT_EQ(dataplane->whole_publications, before);
  ASSERT_EQ(dataplane->last_changes.size(), 1U);
  EXPECT_EQ(dataplane->last_changes[0].key.to_string(), "tcp/10.1.0.99:80");
  EXPECT_EQ(show("backends")[0]["configured_weight"], 3);
}

TEST_F(DirectorTest, WhenTheCheckThatFailedGoesTheServerIsBack) {
  run_until([&] { return show("backends")[0]["state"] == "DOWN"; });
  write(kInstance + replaced(kService, "TCP_CHECK { connect_timeout 1 }", ""));
  ASSERT_TRUE(ask({{"command", "reload"}}));
  EXPECT_TRUE(dataplane->last.virtual_servers[0].real_servers[0].in_table);
  EXPECT_THAT(show("checks"), IsEmpty());
  write(kInstance + kService);
  ASSERT_TRUE(ask({{"command", "reload"}}));
  EXPECT_EQ(show("checks").size(), 1U);
  run_until([&] { return !dataplane->last.virtual_servers[0].real_servers[0].in_table; });
}

TEST_F(DirectorTest, AnInstanceMayGetAnotherNameWhileItIsMaster) {
  dataplane->all_owned.clear();
  write(replaced(kInstance, "VI_1", "VI_renamed") + replaced(kService, "weight 1", "weight 3"));
  ASSERT_TRUE(ask({{"command", "reload"}}));
  EXPECT_EQ(vrrp()["name"], "VI_renamed");
  EXPECT_EQ(vrrp()["state"], "MASTER");
  run_until([&] { return show("services")[0]["owned"] == true; });
  EXPECT_THAT(dataplane->all_owned, Not(IsEmpty()));
  EXPECT_THAT(dataplane->all_owned, Not(Contains(false))) << "for a moment nobody served";
}

TEST_F(DirectorTest, AnInstanceThatGoesTakesItsAddressesWithIt) {
  write(kInstance + replaced(replaced(replaced(kInstance, "VI_1", "VI_2"), "51", "52"), "10.1.0.99", "10.1.0.97") +
        kService);
  ASSERT_TRUE(ask({{"command", "reload"}}));
  EXPECT_THAT(addresses(), HasSubstr("10.1.0.97/32"));
  write(kInstance + kService);
  const auto answer = ask({{"command", "reload"}});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->at("changes")[0]["what"], "vrrp_instance VI_2");
  EXPECT_THAT(addresses(), Not(HasSubstr("10.1.0.97")));
  EXPECT_THAT(addresses(), HasSubstr("10.1.0.99/32"));
  EXPECT_EQ(vrrp()["became_master"], 1);
}

TEST_F(DirectorTest, AStormOfHangupsIsAFewReloadsAndTheLastFileCounts) {
  for (int priority = 100; priority <= 150; ++priority) {
    write(replaced(kInstance, "priority 255", "priority " + std::to_string(priority)) + kService);
    ASSERT_EQ(std::raise(SIGHUP), 0);
  }
  run_until([&] { return vrrp()["priority"] == 150; });
  EXPECT_LE(config()["reloads"], 51);
}

}  // namespace
}  // namespace lbdp::control
