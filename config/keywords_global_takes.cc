// SPDX-License-Identifier: BSD-2-Clause
// Readers of global_defs' longer statements.
#include <grp.h>
#include <pwd.h>

#include <algorithm>

#include "config/keywords_global.h"
#include "config/keywords_global_process.h"
#include "config/keywords_global_vrrp.h"

namespace lbdp::config {
namespace {

constexpr uint32_t kSyncGroup = 0xe0000051;  // 224.0.0.81, where IPVS's sync daemons meet
constexpr std::string_view kNoAccount = "wanted a user and a group that the system has";

Setting<Duration>* timeout_of(TimeoutsSpec& timeouts, std::string_view protocol) {
  if (protocol == "tcp") return &timeouts.tcp;
  if (protocol == "tcpfin") return &timeouts.tcpfin;
  if (protocol == "udp") return &timeouts.udp;
  return nullptr;
}

bool has_user(const std::string& name) {
  return name.empty() || ::getpwnam(name.c_str()) != nullptr;
}
bool has_group(const std::string& name) {
  return name.empty() || ::getgrnam(name.c_str()) != nullptr;
}

/// Reports the first of the two that the system does not have. It is looked for in the system's files alone, so that
/// this cannot wait for a network.
bool check_account(const Statement& statement, const Account& account, Context& context) {
  if (has_user(account.user) && has_group(account.group)) return true;
  const std::string& wrong = has_user(account.user) ? account.group : account.user;
  const auto arguments = statement.arguments();
  const auto word = std::ranges::find(arguments, wrong, &Word::text);
  report_value(statement, word == arguments.end() ? Word{wrong, statement.place()} : *word, {std::string(kNoAccount)},
               context);
  return false;
}

/// The options of lvs_sync_daemon after the interface.
class SyncDaemonReader {
 public:
  SyncDaemonReader(const Statement& statement, Context& context) : statement_(statement), context_(context) {}

  std::optional<LvsSyncDaemon> read() {
    const auto arguments = statement_.arguments();
    take(daemon_.interface, interface_name(arguments[0].text), arguments[0]);
    daemon_.group = IpAddress::v4(Be<uint32_t>::from_host(kSyncGroup));
    for (size_t i = 1; i < arguments.size();) i += option(arguments.subspan(i));
    return good_ ? std::optional(daemon_) : std::nullopt;
  }

 private:
  template <class T, class R>
  void take(T& to, const Result<R>& from, const Word& word) {
    if (from) {
      to = *from;
    } else {
      report(word, from.error());
    }
  }

  void report(const Word& word, const Error& error) {
    report_value(statement_, word, error, context_);
    good_ = false;
  }

  static bool is_option(std::string_view text) {
    constexpr std::string_view kOptions[] = {"inst", "id", "maxlen", "port", "ttl", "group"};
    return std::ranges::find(kOptions, text) != std::end(kOptions);
  }

  /// How many words it took.
  size_t option(std::span<const Word> words) {
    const std::string_view key = words[0].text;
    if (!is_option(key)) {
      bare(words[0]);
      return 1;
    }
    if (words.size() < 2) {
      report(words[0], {"wanted a value after it"});
      return 1;
    }
    const Word& value = words[1];
    if (key == "inst") take(daemon_.instance, name(value.text), value);
    if (key == "id") take(daemon_.id, number<uint8_t>(value.text), value);
    if (key == "maxlen") take(daemon_.maxlen, number<uint16_t, 1, 65507>(value.text), value);
    if (key == "port") take(daemon_.port, number<uint16_t, 1>(value.text), value);
    if (key == "ttl") take(daemon_.ttl, number<uint8_t, 1>(value.text), value);
    if (key == "group") take(daemon_.group, multicast(value.text), value);
    return 2;
  }

  /// The old form: INSTANCE, then the id.
  void bare(const Word& word) {
    if (daemon_.instance.empty()) return take(daemon_.instance, name(word.text), word);
    if (const auto id = number<uint8_t>(word.text); id && !daemon_.id) {
      daemon_.id = *id;
      context_.diagnostics.note(word.place, "lvs_sync_daemon: an id without the word 'id' before it is the old form");
      return;
    }
    report(word, {"wanted inst, id, maxlen, port, ttl or group and its value"});
  }

  static Result<IpAddress> multicast(std::string_view text) {
    auto parsed = IpAddress::parse(text);
    if (!parsed || !parsed->is_multicast()) return fail("wanted a multicast address");
    return parsed;
  }

  const Statement& statement_;
  Context& context_;
  LvsSyncDaemon daemon_;
  bool good_ = true;
};

}  // namespace

Result<IpAddress> ipv6_multicast(std::string_view text) {
  auto parsed = IpAddress::parse(text);
  if (!parsed || parsed->is_v4() || !parsed->is_multicast()) {
    return fail("wanted an IPv6 multicast address, such as ff02::12");
  }
  return parsed;
}

Result<std::string> vmac_prefix(std::string_view text) {
  constexpr size_t kLongest = 11;  // IFNAMSIZ - 1, a dot and three digits less
  auto read = interface_name(text);
  if (!read || read->size() > kLongest) {
    return fail("wanted the beginning of an interface's name, at most " + std::to_string(kLongest) + " characters");
  }
  return read;
}

Result<std::string> only_vs(std::string_view text) {
  if (text == "VS") return std::string(text);
  return fail("wanted VS or nothing");
}

Result<std::string> buffer_policy(std::string_view text) {
  if (text == "MTU" || text == "ADVERT" || number<uint32_t>(text)) return std::string(text);
  return fail("wanted MTU, ADVERT or a number of bytes");
}

Result<std::string> mode_mask(std::string_view text) {
  constexpr std::string_view kBits[] = {"IRUSR", "IWUSR", "IXUSR", "IRGRP", "IWGRP",
                                        "IXGRP", "IROTH", "IWOTH", "IXOTH"};
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  const std::string_view digits = hexadecimal ? text.substr(2) : text;
  unsigned value = 0;
  const int base = hexadecimal ? 16 : text.starts_with('0') ? 8 : 10;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (ec == std::errc{} && end == digits.data() + digits.size() && value <= 0777) return std::string(text);
  const std::string whole(text);
  for (;; text.remove_prefix(text.find('|') + 1)) {
    if (std::ranges::find(kBits, text.substr(0, text.find('|'))) == std::end(kBits)) break;
    if (text.find('|') == std::string_view::npos) return whole;
  }
  return fail("wanted a number up to 0777, or names such as IWGRP|IWOTH");
}

/// lvs_timeouts [tcp N] [tcpfin N] [udp N]
void* take_lvs_timeouts(void* scope, const Statement& statement, Context& context) {
  TimeoutsSpec& timeouts = static_cast<GlobalSpec*>(scope)->timeouts;
  if (!expect_arguments(statement, 2, 6, context)) return nullptr;
  const auto arguments = statement.arguments();
  for (size_t i = 0; i < arguments.size(); i += 2) {
    Setting<Duration>* timeout = timeout_of(timeouts, arguments[i].text);
    if (timeout == nullptr || i + 1 == arguments.size()) {
      report_value(statement, arguments[i], {"wanted pairs of tcp, tcpfin or udp and seconds"}, context);
      return nullptr;
    }
    const auto value = number<uint32_t, 0, 2678400>(arguments[i + 1].text);
    if (!value) {
      report_value(statement, arguments[i + 1], value.error(), context);
      continue;
    }
    assign(*timeout, std::optional<Duration>(std::chrono::seconds(*value)), statement, context);
  }
  return nullptr;
}

/// lvs_sync_daemon INTERFACE [[inst] INSTANCE] [id N] [maxlen N] [port N] [ttl N] [group ADDRESS]
void* take_lvs_sync_daemon(void* scope, const Statement& statement, Context& context) {
  std::optional<LvsSyncDaemon> value;
  if (expect_arguments(statement, 1, 13, context)) value = SyncDaemonReader(statement, context).read();
  assign(static_cast<GlobalSpec*>(scope)->lvs_sync_daemon, std::move(value), statement, context);
  return nullptr;
}

/// vrrp_garp_extra_if [all] SECONDS
void* take_vrrp_garp_extra_if(void* scope, const Statement& statement, Context& context) {
  std::optional<GarpExtraIf> value;
  const auto arguments = statement.arguments();
  const bool all = !arguments.empty() && arguments[0].text == "all";
  if (expect_arguments(statement, all ? 2 : 1, all ? 2 : 1, context)) {
    const auto interval = full_seconds<1, 86400>(arguments.back().text);
    if (interval) {
      value = GarpExtraIf{all, *interval};
    } else {
      report_value(statement, arguments.back(), interval.error(), context);
    }
  }
  assign(static_cast<GlobalSpec*>(scope)->vrrp_garp_extra_if, value, statement, context);
  return nullptr;
}

/// dynamic_interfaces [allow_if_changes]
void* take_dynamic_interfaces(void* scope, const Statement& statement, Context& context) {
  std::optional<DynamicInterfaces> value;
  if (expect_arguments(statement, 0, 1, context)) {
    const auto arguments = statement.arguments();
    if (arguments.empty()) {
      value = DynamicInterfaces::kOn;
    } else if (arguments[0].text == "allow_if_changes") {
      value = DynamicInterfaces::kIfChanges;
    } else {
      report_value(statement, arguments[0], {"wanted allow_if_changes or nothing"}, context);
    }
  }
  assign(static_cast<GlobalSpec*>(scope)->dynamic_interfaces, value, statement, context);
  return nullptr;
}

/// script_user USER [GROUP]
void* take_script_user(void* scope, const Statement& statement, Context& context) {
  std::optional<Account> value;
  if (expect_arguments(statement, 1, 2, context)) {
    const auto arguments = statement.arguments();
    Account account{std::string(arguments[0].text), std::string(arguments.size() > 1 ? arguments[1].text : "")};
    if (check_account(statement, account, context)) value = std::move(account);
  }
  assign(static_cast<GlobalSpec*>(scope)->script_user, std::move(value), statement, context);
  return nullptr;
}

void take_fifo(NotifyFifoSpec& fifo, const Statement& statement, Context& context) {
  std::optional<NotifyFifo> value;
  if (expect_arguments(statement, 1, 3, context)) {
    const auto arguments = statement.arguments();
    const auto path = text(arguments[0].text);
    const auto word = [&](size_t i) { return arguments.size() > i ? std::string(arguments[i].text) : std::string(); };
    if (path) {
      value = NotifyFifo{*path, {word(1), word(2)}, std::nullopt};
    } else {
      report_value(statement, arguments[0], path.error(), context);
    }
  }
  assign(fifo.fifo, std::move(value), statement, context);
}

void take_command(Setting<CommandLine>& to, bool check_user, const Statement& statement, Context& context) {
  std::optional<CommandLine> value;
  const Word raw = statement.raw_arguments();
  if (raw.text.empty()) {
    expect_arguments(statement, 1, SIZE_MAX, context);
  } else if (auto read = command_line(raw.text); !read) {
    report_value(statement, raw, read.error(), context);
  } else if (!check_user || check_account(statement, {read->user, read->group}, context)) {
    value = std::move(*read);
  }
  assign(to, std::move(value), statement, context);
}

}  // namespace lbdp::config
