// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The normalised configuration, for `lbdp --dump-config`: what the model holds, defaults included. describe() turns the
// model into one document, from which both forms are printed; load_text() of the text form gives the same model again.
//
// A field of the model is one line in the dump_*.cc of its part, in the order in which it is to be printed:
//
//   block.set("priority", instance.priority);              keyword VALUE; std::nullopt: no line, null in JSON
//   block.set("notify", or_nothing(instance.notify));      the same for texts that are empty if they are not set
//   block.secret("auth_pass", instance.auth_pass);         JSON has only whether it is set
//   block.flag("nopreempt", instance.nopreempt);           a word without value: no line unless true
//   block.words("status_code", codes);                     keyword VALUE VALUE ...: an array
//   block.line("smtp_server", {{"address", a}, {"port", p}});           arguments with names: an object
//   block.line("lvs_timeouts", {named("tcp", t), named("udp", u)});     the names stand in the text, too
//   block.line("notify_master", command_arguments(script));             a command, its user and group
//   block.set("misc_path", in_shell_quotes(command.text));              a command or regular expression alone
//   block.list("virtual_ipaddress").entry({{"address", a}, named("dev", d)});   a block of lines: an array
//   block.one("dataplane").set(...);                       a block: an object
//   block.many("real_server", {{"address", a}}).set(...);  a block that may repeat: an array of objects; begin with
//   block.none_yet("real_server");                         so that it is an empty array, not missing, without any
//
// .hidden() after any of them puts the line behind @lbdp, for what keepalived does not take; .unsaid() leaves it out of
// the text, for values that a file can say only by silence.

#include <concepts>
#include <cstdint>
#include <list>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "config/model.h"
#include "config/quoting.h"

namespace lbdp::config {

/// A password: only the text form has it.
struct DumpSecret {
  std::string text;
};

/// Written into the text as it is, with a syntax of its own (commands, regular expressions); JSON has `value`.
struct DumpRaw {
  std::string written;
  std::string value;
};

/// One value. A Duration is seconds; nothing is null in JSON and not in the text.
struct DumpValue {
  using Variant = std::variant<std::monostate, bool, int64_t, Duration, std::string, DumpSecret, DumpRaw>;
  Variant held;

  // Whatever the model has is a value. NOLINTBEGIN(google-explicit-constructor)
  DumpValue() = default;
  DumpValue(std::nullopt_t) {}
  DumpValue(Duration duration) : held(duration) {}
  DumpValue(std::string text) : held(std::move(text)) {}
  DumpValue(const char* text) : held(std::string(text)) {}
  DumpValue(std::string_view text) : held(std::string(text)) {}
  DumpValue(const IpAddress& address) : held(address.to_string()) {}
  DumpValue(const IpPrefix& prefix) : held(prefix.to_string()) {}
  DumpValue(DumpSecret secret) : held(std::move(secret)) {}
  DumpValue(DumpRaw raw) : held(std::move(raw)) {}
  template <std::integral T>
  DumpValue(T number) {
    if constexpr (std::is_same_v<T, bool>) {
      held = number;
    } else {
      held = static_cast<int64_t>(number);
    }
  }
  template <class T>
  DumpValue(const std::optional<T>& value) {
    if (value) *this = DumpValue(*value);
  }
  // NOLINTEND(google-explicit-constructor)

  [[nodiscard]] bool nothing() const { return held.index() == 0; }
};

/// Nothing for an empty text.
[[nodiscard]] inline DumpValue or_nothing(const std::string& text) {
  return text.empty() ? DumpValue() : DumpValue(text);
}

/// For keywords that split their line as quoting.h does: commands, regular expressions.
[[nodiscard]] DumpRaw in_shell_quotes(const std::string& text);

/// An argument of a line or block.
struct DumpArgument {
  std::string name;  // the key in JSON; empty: the argument is the line's value
  DumpValue value;
  bool written = false;  // the name stands before the value in the text; a bool is then the name alone, or nothing

  template <class T>
  requires std::convertible_to<T, DumpValue> DumpArgument(T only)  // NOLINT(google-explicit-constructor): so is a value
      : value(std::move(only)) {}
  DumpArgument(std::string key, DumpValue its, bool is_written = false)
      : name(std::move(key)), value(std::move(its)), written(is_written) {}
};

/// "dev eth0": an argument whose name stands in the text.
[[nodiscard]] inline DumpArgument named(std::string name, DumpValue value) {
  return {std::move(name), std::move(value), true};
}

/// A command as the arguments of block.line(): command, user, group.
[[nodiscard]] std::vector<DumpArgument> command_arguments(const CommandLine& line);

class DumpBlock;

/// A keyword with its arguments and block.
class DumpStatement {
 public:
  enum class Shape : uint8_t {
    kLine,  // JSON: the value, or an object of the named arguments
    kFlag,  // JSON: a boolean
    kWords,
    kList,  // JSON: an array of entries
    kOne,   // JSON: an object
    kMany,  // JSON: with the others of its keyword an array of objects
  };
  enum class Place : uint8_t { kPlain, kHidden, kUnsaid };

  /// Behind @lbdp in the text, with all that is in it.
  DumpStatement& hidden();
  /// Not in the text.
  DumpStatement& unsaid();
  /// For a list: one more line.
  DumpStatement& entry(std::vector<DumpArgument> arguments);

  [[nodiscard]] const std::string& keyword() const { return keyword_; }
  [[nodiscard]] Shape shape() const { return shape_; }
  [[nodiscard]] Place place() const { return place_; }
  [[nodiscard]] bool present() const { return present_; }
  [[nodiscard]] const std::vector<DumpArgument>& arguments() const { return arguments_; }
  [[nodiscard]] const std::vector<std::vector<DumpArgument>>& entries() const { return entries_; }
  /// The block's; for kOne and kMany.
  [[nodiscard]] const DumpBlock& block() const;

 private:
  friend class DumpBlock;
  std::string keyword_;
  Shape shape_ = Shape::kLine;
  Place place_ = Place::kPlain;
  bool present_ = true;
  std::vector<DumpArgument> arguments_;
  std::vector<std::vector<DumpArgument>> entries_;
  std::vector<DumpBlock> block_;  // one; a vector, as the type is not complete yet
};

/// Statements in order. Those of one keyword need not be neighbours; JSON has them together, at the place of the first.
class DumpBlock {
 public:
  DumpStatement& set(std::string keyword, DumpValue value);
  DumpStatement& secret(std::string keyword, const std::optional<std::string>& value);
  DumpStatement& flag(std::string keyword, bool value);
  DumpStatement& words(std::string keyword, std::vector<DumpArgument> values);
  DumpStatement& line(std::string keyword, std::vector<DumpArgument> arguments);
  DumpStatement& list(std::string keyword, std::vector<DumpArgument> arguments = {});
  DumpBlock& one(std::string keyword, std::vector<DumpArgument> arguments = {});
  DumpBlock& many(std::string keyword, std::vector<DumpArgument> arguments = {});
  void none_yet(std::string keyword);
  /// Puts the statement added last behind @lbdp: for blocks, whose one() returns the inside.
  void hide_last() { statements_.back().hidden(); }

  [[nodiscard]] const std::list<DumpStatement>& statements() const { return statements_; }

 private:
  DumpStatement& add(std::string keyword, DumpStatement::Shape shape, std::vector<DumpArgument> arguments);
  std::list<DumpStatement> statements_;  // a list: references to its elements stay
};

/// The whole model.
DumpBlock describe(const Model& model);
// Its parts, one file each; they add to the top level.
void describe_global(const Model& model, DumpBlock& file);
void describe_vrrp(const Model& model, DumpBlock& file);
void describe_services(const Model& model, DumpBlock& file);
void describe_ssl(const Model& model, DumpBlock& file);
void describe_dataplane(const Model& model, DumpBlock& file);
/// The checkers of a real server, into its block.
void describe_checks(const RealServer& server, DumpBlock& block);

/// lb.conf. keepalived can read it, too.
std::string dump_text(const Model& model);
/// One object; its keys are keywords, see docs/configuration.md.
nlohmann::ordered_json dump_json(const Model& model);

}  // namespace lbdp::config
