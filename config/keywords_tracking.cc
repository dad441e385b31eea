// SPDX-License-Identifier: BSD-2-Clause
// The setters of the rows that several of VRRP's blocks have.
#include "config/keywords_tracking.h"

#include <algorithm>

#include "config/keywords_garp.h"
#include "config/line_reader.h"

namespace lbdp::config {
namespace {

using TrackedList = std::vector<Item<TrackedSpec>>;
using ReadWeight = Result<int> (*)(std::string_view);

/// N [reverse|noreverse], to the end of the line.
std::optional<WeightSpec> weight_of(LineReader& line, const Word& option, ReadWeight read) {
  const auto number = line.value<int>(option, read);
  WeightSpec weight{number.value_or(0), {}};
  while (!line.done()) {
    const Word& word = line.take();
    if (word.text == "reverse") {
      weight.reverse = true;
    } else if (word.text == "noreverse" || word.text == "no_reverse") {
      weight.reverse = false;
    } else {
      line.report(word, "wanted reverse or noreverse");
    }
  }
  return number ? std::optional(weight) : std::nullopt;
}

/// NAME [weight N [reverse|noreverse]]
void take_tracked(std::string_view keyword, Result<std::string> (*read_name)(std::string_view), ReadWeight read_weight,
                  TrackedList& list, const Statement& entry, Context& context) {
  LineReader line(keyword, entry.words(), context);
  TrackedSpec tracked;
  tracked.name = line.read_as<std::string>(line.take(), read_name).value_or("");
  while (!line.done()) {
    const Word& option = line.take();
    if (option.text == "weight") {
      tracked.weight = weight_of(line, option, read_weight);
    } else {
      line.report(option, "wanted weight");
    }
  }
  if (line.good()) list.push_back({std::move(tracked), entry.place()});
}

void take_interface(void* scope, const Statement& entry, Context& context) {
  take_tracked("track_interface", interface_name, weight_number<kMostTrackWeight>, *static_cast<TrackedList*>(scope),
               entry, context);
}
void take_script(void* scope, const Statement& entry, Context& context) {
  take_tracked("track_script", name, weight_number<kMostTrackWeight>, *static_cast<TrackedList*>(scope), entry,
               context);
}
void take_file(void* scope, const Statement& entry, Context& context) {
  take_tracked("track_file", name, weight_number<kMostFileWeight>, *static_cast<TrackedList*>(scope), entry, context);
}
void take_process(void* scope, const Statement& entry, Context& context) {
  take_tracked("track_process", name, weight_number<kMostFileWeight>, *static_cast<TrackedList*>(scope), entry,
               context);
}
void take_bfd(void* scope, const Statement& entry, Context& context) {
  take_tracked("track_bfd", name, weight_number<kMostTrackWeight>, *static_cast<TrackedList*>(scope), entry, context);
}

std::optional<CommandLine> read_command(const Statement& statement, Context& context) {
  const Word raw = statement.raw_arguments();
  auto read = command_line(raw.text);
  if (read) return std::move(*read);
  context.diagnostics.error(raw.place, std::string(statement.keyword()) + ": " + read.error().message);
  return std::nullopt;
}

}  // namespace

constinit const Block kTrackInterfaceBlock{"track_interface", {}, take_interface};
constinit const Block kTrackScriptBlock{"track_script", {}, take_script};
constinit const Block kTrackFileBlock{"track_file", {}, take_file};
constinit const Block kTrackProcessBlock{"track_process", {}, take_process};
constinit const Block kTrackBfdBlock{"track_bfd", {}, take_bfd};

void* take_weight(Setting<WeightSpec>& setting, ReadWeight read, const Statement& statement, Context& context) {
  std::optional<WeightSpec> value;
  if (expect_arguments(statement, 1, 2, context)) {
    LineReader line(statement.keyword(), statement.words(), context);
    value = weight_of(line, line.take(), read);
    if (!line.good()) value.reset();
  }
  assign_first(setting, value, statement, context);
  return nullptr;
}

void* take_notify(Setting<CommandLine>& setting, const Statement& statement, Context& context) {
  std::optional<CommandLine> value;
  if (expect_arguments(statement, 1, SIZE_MAX, context)) value = read_command(statement, context);
  assign_first(setting, std::move(value), statement, context);
  return nullptr;
}

void* take_notify_deleted(NotifySpec& spec, const Statement& statement, Context& context) {
  std::optional<std::optional<CommandLine>> value;
  if (statement.arguments().empty()) {
    value.emplace();
  } else if (auto command = read_command(statement, context)) {
    value = std::move(command);
  }
  assign_first(spec.notify_deleted, std::move(value), statement, context);
  return nullptr;
}

void* take_garp_extra_if(void* scope, const Statement& statement, Context& context) {
  if (statement.keyword() != "garp_extra_if") note_old_name(statement, "garp_extra_if", context);
  LineReader line(statement.keyword(), statement.words(), context);
  const Word& keyword = line.take();
  GarpExtraIf value;
  value.all = line.skip("all");
  const auto interval = line.value<Duration>(keyword, whole_seconds<0, kSecondsOfADay>);
  if (!line.done()) line.report(line.take(), "which is too much; wanted [all] SECONDS");
  value.interval = interval.value_or(Duration(0));
  assign(static_cast<VrrpInstanceSpec*>(scope)->garp_extra_if, line.good() ? std::optional(value) : std::nullopt,
         statement, context);
  return nullptr;
}

void* nothing(void*, const Statement&, Context&) {
  return nullptr;
}

void note_old_name(const Statement& statement, std::string_view name, Context& context) {
  context.diagnostics.note(statement.place(), in_quotes(statement.keyword()) + " is an old name of " + in_quotes(name));
}

}  // namespace lbdp::config
