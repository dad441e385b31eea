// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lbdp::checks {

/// Reads a response up to the end of its header, as lenient as keepalived about what it does not need (a missing reason
/// phrase, bare LF, odd header fields), strict about size. Interim responses (1xx, RFC 9110 section 15.2) are skipped.
class HttpResponseReader {
 public:
  static constexpr size_t kHeaderLimit = 16384;  // bytes of status line and header fields, all interim ones included

  enum class State : uint8_t { kIncomplete, kComplete, kNotHttp, kTooLarge };

  /// Takes the next bytes; bytes after the end of the header are ignored.
  State feed(std::string_view bytes);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool started() const { return total_ != 0; }
  /// Only when complete: 200-999.
  [[nodiscard]] unsigned status() const { return status_; }

 private:
  enum class Where : uint8_t { kStatusLine, kLineStart, kInLine };

  void take(char c);
  void status_line_ended();
  void header_ended();

  State state_ = State::kIncomplete;
  Where where_ = Where::kStatusLine;
  std::string status_line_;  // of the response being read; bounded by kHeaderLimit
  size_t total_ = 0;
  unsigned status_ = 0;
};

}  // namespace lbdp::checks
