// SPDX-License-Identifier: BSD-2-Clause
#include <spdlog/fmt/fmt.h>

#include <nlohmann/json.hpp>

#include "control/cli_tables.h"

namespace lbdp::control {
namespace {

using nlohmann::json;

/// What becomes of the packet, in one sentence.
std::string verdict(const json& answer) {
  const std::string outcome = answer.value("outcome", "");
  const std::string real = cell(answer, "real");
  if (outcome == "no_service") return "to the kernel: no virtual server takes it";
  if (outcome == "not_owned") return "dropped: another director owns the address";
  if (outcome == "no_real_server") return "refused with ICMP port unreachable: no real server is usable";
  if (outcome == "known_connection") return "forwarded to " + real + ", as the connection it belongs to";
  if (outcome == "persistent") return "forwarded to " + real + ", as the client's template says";
  if (outcome == "scheduled") return "forwarded to " + real + ", the scheduler's next pick";
  if (outcome == "server_gone") return "dropped: its connection's server " + real + " has left the table";
  if (outcome == "no_neighbor") return "dropped: the MAC of its connection's server " + real + " is not known";
  return outcome + " " + real;
}

std::string frame(const json& answer) {
  std::string out = "to " + cell(answer, "mac") + " through port " + cell(answer, "port");
  if (cell(answer, "interface") != "-") out += " (" + cell(answer, "interface") + ")";
  if (cell(answer, "vlan") != "-") out += ", VLAN " + cell(answer, "vlan");
  return out;
}

std::string line(const std::string& name, const std::string& text) {
  return fmt::format("  {:<12} {}\n", name, text);
}

}  // namespace

std::string format_explanation(const json& answer) {
  std::string out = fmt::format("{} {} -> {}\n{}\n", cell(answer, "protocol"), cell(answer, "client"),
                                cell(answer, "virtual"), verdict(answer));
  if (const auto service = cell(answer, "service"); service != "-") {
    const auto destination = cell(answer, "destination");
    out += line("service", service + (destination == "-" || destination == service ? "" : ", by " + destination));
  }
  if (cell(answer, "real") != "-") out += line("real server", cell(answer, "real"));
  if (cell(answer, "mac") != "-") out += line("frame", frame(answer));
  if (const auto c = answer.find("connection"); c != answer.end() && c->is_object()) {
    out += line("connection", fmt::format("{} to {}, expires in {} s, worker {}", cell(*c, "state"), cell(*c, "real"),
                                          cell(*c, "expires_s"), cell(*c, "worker")));
  }
  if (const auto t = answer.find("template"); t != answer.end() && t->is_object()) {
    out += line("template", fmt::format("{} to {}, expires in {} s, {} connections", cell(*t, "client"),
                                        cell(*t, "real"), cell(*t, "expires_s"), cell(*t, "connections")));
  }
  unsigned number = 0;
  const json reasons = answer.value("reasons", json::array());
  for (const auto& reason : reasons) {
    ++number;
    out += fmt::format("{}{}. {}\n", number == 1 ? "why:\n  " : "  ", number, cell({{"text", reason}}, "text"));
  }
  return out;
}

}  // namespace lbdp::control
