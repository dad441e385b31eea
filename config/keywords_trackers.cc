// SPDX-License-Identifier: BSD-2-Clause
// The definitions of what can be tracked.
#include "config/keywords_vrrp.h"
#include "config/line_reader.h"

namespace lbdp::config {
namespace {

constexpr int64_t kSecond = 1'000'000;

// --- vrrp_script

/// script "COMMAND"
void* take_script(void* scope, const Statement& statement, Context& context) {
  std::optional<Command> value;
  if (expect_arguments(statement, 1, SIZE_MAX, context)) {
    const Word raw = statement.raw_arguments();
    auto read = command(raw.text);
    if (read) {
      value = std::move(*read);
    } else {
      context.diagnostics.error(raw.place, "script: " + read.error().message);
    }
  }
  assign(static_cast<VrrpScriptSpec*>(scope)->script, std::move(value), statement, context);
  return nullptr;
}

/// user USER [GROUP]
void* take_user(void* scope, const Statement& statement, Context& context) {
  auto& script = *static_cast<VrrpScriptSpec*>(scope);
  std::optional<std::string> user;
  std::optional<std::string> group;
  if (expect_arguments(statement, 1, 2, context)) {
    LineReader line("user", statement.arguments(), context);
    user = line.read_as<std::string>(line.take(), name);
    if (!line.done()) group = line.read_as<std::string>(line.take(), name);
  }
  assign(script.user, std::move(user), statement, context);
  script.group = {std::move(group), statement.place(), true};
  return nullptr;
}

using S = VrrpScriptSpec;
constexpr Keyword kScriptRows[] = {
    {"script", "COMMAND", "required",
     "The command, in quotes if it has arguments. Exit status 0 is success, all else and a timeout failure.",
     take_script},
    {"interval", "SECONDS", "1", "The time from one start of it to the next, in whole seconds.",
     one<S, &S::interval, whole_seconds<1>>},
    {"timeout", "SECONDS", "interval", "How long it may run, in whole seconds.", one<S, &S::timeout, whole_seconds<1>>},
    {"weight", "-253..253 [reverse]", "0",
     "What a success adds to the priority, or a failure takes from it if it is negative; 0: FAULT after a failure. "
     "reverse turns that round.",
     weight<S, &S::weight, kMostTrackWeight>},
    {"rise", "N", "1", "How many successes in a row make a failed script good.",
     one<S, &S::rise, number<unsigned, 1, 2147483647>>},
    {"fall", "N", "1", "How many failures in a row make a good script failed.",
     one<S, &S::fall, number<unsigned, 1, 2147483647>>},
    {"user", "USER [GROUP]", "script_user", "The user, and group, that it runs as.", take_user},
    {"init_fail", "", "off", "Failed until its first success.", constant<S, &S::init_fail, true>},
};

// --- track_file

/// init_file [VALUE] [overwrite]
void* take_init_file(void* scope, const Statement& statement, Context& context) {
  auto& file = *static_cast<TrackFileSpec*>(scope);
  LineReader line("init_file", statement.arguments(), context);
  int value = 0;
  while (!line.done()) {
    const Word& word = line.take();
    if (word.text == "overwrite") {
      file.overwrite = true;
    } else if (const auto read = weight_number<kMostFileWeight>(word.text)) {
      value = *read;
    } else {
      line.report(word, "wanted overwrite or a whole number from -254 to 254");
    }
  }
  assign(file.init_file, line.good() ? std::optional(value) : std::nullopt, statement, context);
  return nullptr;
}

void* take_file(void* scope, const Statement& statement, Context& context) {
  std::optional<std::string> value;
  if (expect_arguments(statement, 1, 1, context)) {
    LineReader line("file", statement.arguments(), context);
    value = line.read_as<std::string>(line.take(), text);
  }
  assign_first(static_cast<TrackFileSpec*>(scope)->file, std::move(value), statement, context);
  return nullptr;
}

using F = TrackFileSpec;
constexpr Keyword kFileRows[] = {
    {"file", "PATH", "required", "The file. It holds one whole number; one that cannot be read counts as 0.",
     take_file},
    {"weight", "-254..254 [reverse]", "1", "What the number in the file is multiplied with; 0: FAULT unless it is 0.",
     weight<F, &F::weight, kMostFileWeight>},
    {"init_file", "[-254..254] [overwrite]", "off",
     "Make the file at start, with this number or 0; with overwrite, also if there is one.", take_init_file, nullptr,
     Effect::kNotYet},
};

// --- vrrp_track_process

Result<VrrpTrackProcess::Match> match(std::string_view text) {
  if (text == "initial") return VrrpTrackProcess::Match::kInitial;
  if (text == "partial") return VrrpTrackProcess::Match::kPartial;
  return fail("wanted initial or partial");
}

void* take_process(void* scope, const Statement& statement, Context& context) {
  std::optional<std::vector<std::string>> value;
  if (expect_arguments(statement, 1, SIZE_MAX, context)) {
    value.emplace();
    for (const Word& word : statement.arguments()) value->emplace_back(word.text);
  }
  assign_first(static_cast<VrrpTrackProcessSpec*>(scope)->process, std::move(value), statement, context);
  return nullptr;
}

using P = VrrpTrackProcessSpec;
constexpr auto process_delay = seconds<1, 3600 * kSecond>;
constexpr Keyword kProcessRows[] = {
    {"process", "NAME [PARAMETER ...]", "required",
     "The name of the program as in /proc/PID/comm and, if any are given, exactly the parameters that it has.",
     take_process},
    {"param_match", "initial|partial", "all parameters",
     "Compare the first parameters only (partial), or let the last one be the beginning of a longer one (initial). "
     "Without parameters: the process has none.",
     one<P, &P::param_match, match>},
    {"weight", "-254..254 [reverse]", "1",
     "What is added to the priority while enough processes run, or taken from it while not, if negative.",
     weight<P, &P::weight, kMostFileWeight>},
    {"quorum", "1..65535", "1", "How many such processes must run.", one<P, &P::quorum, number<unsigned, 1, 65535>>},
    {"quorum_max", "0..65535", "no limit", "How many may run; 0: none.",
     one<P, &P::quorum_max, number<unsigned, 0, 65535>>},
    {"delay", "SECONDS", "0", "Sets fork_delay and terminate_delay, to 3600 s at most.",
     one<P, &P::delay, process_delay>},
    {"fork_delay", "SECONDS", "delay", "How long enough processes must run before that counts.",
     one<P, &P::fork_delay, process_delay>},
    {"terminate_delay", "SECONDS", "delay", "How long there must be too few before that counts.",
     one<P, &P::terminate_delay, process_delay>},
    {"full_command", "", "off", "Compare with the whole command line, not with the program's name.",
     constant<P, &P::full_command, true>},
};

// --- bfd_instance

/// Milliseconds with decimals, as keepalived's BFD has them.
template <uint32_t kLeastMs>
Result<Duration> milliseconds(std::string_view text) {
  constexpr uint32_t kMostMs = 4294967;  // 32 bits of microseconds, RFC 5880 section 4.1
  Duration value{};                      // of as many seconds
  if (!parse_seconds(text, value) || value < std::chrono::seconds(kLeastMs) || value > std::chrono::seconds(kMostMs)) {
    return fail("wanted milliseconds from " + std::to_string(kLeastMs) + " to " + std::to_string(kMostMs));
  }
  return value / 1000;
}

Result<unsigned> hops(std::string_view text) {
  if (text == "-1") return 255U;
  const auto value = number<unsigned, 0, 255>(text);
  if (!value) return fail("wanted a whole number from 0 to 255, or -1 for any");
  return *value;
}

using B = BfdInstanceSpec;
constexpr Keyword kBfdRows[] = {
    {"neighbor_ip", "ADDRESS", "required", "The other end of the session.", one<B, &B::neighbor_ip, address>},
    {"neighbour_ip", "ADDRESS", "required", "Another spelling of neighbor_ip.", one<B, &B::neighbor_ip, address>},
    {"source_ip", "ADDRESS", "the kernel's choice", "Our own address.", one<B, &B::source_ip, address>},
    {"min_rx", "MILLISECONDS", "10", "The shortest interval at which we take packets.",
     one<B, &B::min_rx, milliseconds<1>>},
    {"min_tx", "MILLISECONDS", "10", "The interval at which we would send.", one<B, &B::min_tx, milliseconds<1>>},
    {"idle_tx", "MILLISECONDS", "1000", "The interval while the session is not up; at least a second.",
     one<B, &B::idle_tx, milliseconds<1000>>},
    {"multiplier", "1..255", "5", "How many missing packets make the session go down.",
     one<B, &B::multiplier, number<unsigned, 1, 255>>},
    {"passive", "", "off", "Wait for the other end to begin.", constant<B, &B::passive, true>},
    {"ttl", "1..255", "255", "The TTL of our packets over IPv4.", one<B, &B::ttl, number<unsigned, 1, 255>>},
    {"hoplimit", "1..255", "64", "The hop limit of our packets over IPv6.",
     one<B, &B::hoplimit, number<unsigned, 1, 255>>},
    {"max_hops", "-1..255", "0", "How far below ours the TTL of what arrives may be; 255 or -1: whatever it is.",
     one<B, &B::max_hops, hops>},
    {"multihop", "[BOOL]", "off", "The other end is behind routers (RFC 5883): UDP port 4784 and not 3784.",
     flag<B, &B::multihop>},
    {"weight", "-253..253 [reverse]", "0", "The weight for track_bfd lines without one.",
     weight<B, &B::weight, kMostTrackWeight>},
    {"vrrp", "", "with checker", "Tell VRRP only, unless checker is there too.", constant<B, &B::vrrp, true>},
    {"checker", "", "with vrrp", "Tell the checkers only, unless vrrp is there too.", constant<B, &B::checker, true>},
};

}  // namespace

constinit const Block kVrrpScriptBlock{"vrrp_script", {kScriptRows}};
constinit const Block kTrackFileObjectBlock{"track_file", {kFileRows}};
constinit const Block kOldTrackFileBlock{"vrrp_track_file", {kFileRows}};
constinit const Block kVrrpTrackProcessBlock{"vrrp_track_process", {kProcessRows}};
constinit const Block kBfdInstanceBlock{"bfd_instance", {kBfdRows}};

}  // namespace lbdp::config
