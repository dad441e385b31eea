// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What a file says, before defaults, inheritance and checks across keywords: the setters of the schema fill it in,
// resolve makes the model of it. A Setting knows its place, so that every later finding can name it.

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "config/address_range.h"
#include "config/model.h"
#include "config/source.h"

namespace lbdp::config {

/// A value that may be set, and where. `seen` without a value: the keyword is there with a wrong value, which is
/// reported.
template <class T>
struct Setting {
  std::optional<T> value;
  Place place;
  bool seen = false;

  explicit operator bool() const { return value.has_value(); }
  const T& operator*() const { return *value; }
};

/// One value of a list.
template <class T>
struct Item {
  T value;
  Place place;
};

struct TimeoutsSpec {
  Setting<Duration> tcp, tcpfin, udp;
};

struct GlobalSpec {
  std::vector<std::string> notification_email;
  Place notification_email_place;
  Setting<std::string> notification_email_from;
  Setting<Endpoint> smtp_server;
  Setting<std::string> smtp_helo_name;
  Setting<Duration> smtp_connect_timeout;
  Setting<std::string> router_id;
  Setting<IpAddress> vrrp_mcast_group4;
  Setting<bool> smtp_alert, smtp_alert_vrrp, smtp_alert_checker;
  TimeoutsSpec timeouts;
};

enum class AuthType : uint8_t { kPass };

struct VrrpInstanceSpec {
  std::string name;
  Place place;
  Setting<VrrpInstance::State> state;
  Setting<std::string> interface;
  Setting<uint8_t> virtual_router_id;
  Setting<uint8_t> priority;
  Setting<Duration> advert_int;
  Setting<AuthType> auth_type;
  Setting<std::string> auth_pass;
  std::vector<Item<IpPrefix>> virtual_ipaddress;
  bool names_address = false;  // a refused one too: then it does not lack one besides
  Setting<bool> preempt;       // false: nopreempt
  Setting<Duration> preempt_delay;
  Setting<bool> smtp_alert;
};

/// What virtual server, real server and checker can each set, the inner before the outer.
struct CheckDefaultsSpec {
  Setting<Duration> delay_loop;
  Setting<Duration> connect_timeout;
  Setting<unsigned> retry;
  Setting<Duration> delay_before_retry;
  Setting<Duration> warmup;
  Setting<bool> alpha;
  Setting<std::string> virtualhost;
};

struct UrlSpec {
  Place place;
  Setting<std::string> path;
  std::vector<HttpUrl::StatusRange> status_code;
  Setting<std::string> virtualhost;
};

struct CheckerSpec : CheckDefaultsSpec {
  enum class Type : uint8_t { kTcp, kHttp };
  Type type = Type::kTcp;
  Place place;
  Setting<IpAddress> connect_ip;
  Setting<uint16_t> connect_port;
  std::vector<UrlSpec> urls;
};

struct RealServerSpec : CheckDefaultsSpec {
  std::optional<IpAddress> address;  // none: the head was wrong, and is reported
  std::optional<uint16_t> port;
  Place place;
  Setting<int> weight;
  Setting<uint32_t> uthreshold, lthreshold;
  Setting<bool> inhibit_on_failure;
  Setting<bool> smtp_alert;
  std::vector<CheckerSpec> checkers;
};

enum class LbKind : uint8_t { kDirectRouting };

/// A persistence_granularity before the family is known.
struct GranularitySpec {
  bool netmask = false;  // written as 255.255.255.0, IPv4's form
  uint8_t bits = 0;
};

/// virtual_server ADDRESS [PORT], virtual_server fwmark MARK or virtual_server group NAME.
struct VirtualServerHead {
  std::optional<IpAddress> address;
  uint16_t port = 0;
  bool by_mark = false;  // fwmark, be the mark right or wrong
  std::optional<uint32_t> fwmark;
  std::optional<std::string> group;
  Place place;  // of the address, mark or name

  [[nodiscard]] bool known() const { return address || fwmark || group; }  // false: it was wrong, and is reported
};

struct VirtualServerSpec : CheckDefaultsSpec {
  VirtualServerHead head;
  Place place;
  Setting<LbAlgo> lb_algo;
  Setting<LbKind> lb_kind;
  Setting<Protocol> protocol;
  // Flags of one scheduler each, and what ipvsadm calls flag-1 and flag-2: fallback and port of either.
  Setting<bool> sh_port, sh_fallback, mh_port, mh_fallback, flag_1, flag_2, flag_3, hashed;
  Setting<bool> ops;
  Setting<Duration> persistence_timeout;
  Setting<GranularitySpec> persistence_granularity;
  Setting<int> weight;
  Setting<bool> inhibit_on_failure;
  Setting<bool> smtp_alert;
  std::vector<RealServerSpec> real_servers;
};

/// One line of a virtual_server_group: addresses with a port, or a mark.
struct GroupEntrySpec {
  AddressRange range;
  uint16_t port = 0;
  std::optional<uint32_t> fwmark;  // then there is no range
  std::optional<Family> family;    // of a mark, if the line says it
  Place place;
};

struct VirtualServerGroupSpec {
  std::string name;
  Place place;
  std::vector<GroupEntrySpec> entries;
  bool broken = false;  // a line was refused: then nothing is said about the others' being too few
};

/// What has a firewall mark.
struct FwmarkSpec {
  struct Destination {
    Protocol protocol = Protocol::kTcp;
    AddressRange range;
    uint16_t port = 0;
    Place place;
  };
  std::optional<uint32_t> mark;
  Place place;
  std::vector<Destination> destinations;
  bool broken = false;
};

struct PortSpec {
  std::optional<uint16_t> id;
  Place place;
  Setting<std::string> device;
  Setting<std::string> interface;
  Setting<IpPrefix> ipaddress;
  Setting<uint16_t> rx_descriptors;
  Setting<uint16_t> tx_descriptors;
};

struct DataplaneSpec {
  std::vector<PortSpec> ports;
  std::vector<FwmarkSpec> fwmarks;
  Setting<uint32_t> connections;
  Setting<uint32_t> wide_connections;
  Setting<uint32_t> templates;
  Setting<Duration> idle_sleep;
  Setting<uint32_t> mbufs;
  Setting<uint16_t> mbuf_size;
  Setting<bool> expire_nodest_conn;
  Setting<bool> expire_quiescent_template;
  Setting<bool> conn_reuse;
  Setting<bool> sloppy_tcp;
};

/// A whole file.
struct FileSpec {
  GlobalSpec global;
  std::vector<VrrpInstanceSpec> vrrp_instances;
  std::vector<VirtualServerSpec> virtual_servers;
  std::vector<VirtualServerGroupSpec> groups;
  DataplaneSpec dataplane;
};

}  // namespace lbdp::config
