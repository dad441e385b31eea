// SPDX-License-Identifier: BSD-2-Clause
#include "checks/http_response.h"

#include <algorithm>
#include <optional>

namespace lbdp::checks {
namespace {

constexpr std::string_view kPrefix = "HTTP/";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The code of "HTTP/1.1 200 OK" (RFC 9112 section 4), also without a reason phrase: three digits, 100 or more.
std::optional<unsigned> parse_status(std::string_view line) {
  const auto blank = line.find(' ');
  if (blank == std::string_view::npos || blank == kPrefix.size()) {
    return std::nullopt;
  }
  line.remove_prefix(std::min(line.find_first_not_of(' ', blank), line.size()));
  const auto* end = std::find_if_not(line.begin(), line.end(), is_digit);
  const auto digits = line.substr(0, static_cast<size_t>(end - line.begin()));
  if (digits.size() != 3 || digits[0] == '0' || (digits.size() < line.size() && line[digits.size()] != ' ')) {
    return std::nullopt;
  }
  return static_cast<unsigned>((digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0'));
}

}  // namespace

HttpResponseReader::State HttpResponseReader::feed(std::string_view bytes) {
  for (const char c : bytes) {
    if (state_ != State::kIncomplete) {
      break;
    }
    take(c);
  }
  return state_;
}

void HttpResponseReader::take(char c) {
  if (++total_ > kHeaderLimit) {
    state_ = State::kTooLarge;
    return;
  }
  if (where_ == Where::kStatusLine) {
    if (c == '\n') {
      status_line_ended();
      return;
    }
    status_line_.push_back(c);
    // Noise is recognised by its first bytes, however much of it there is.
    if (status_line_.size() <= kPrefix.size() && status_line_.back() != kPrefix[status_line_.size() - 1]) {
      state_ = State::kNotHttp;
    }
    return;
  }
  if (c == '\n') {
    if (where_ == Where::kLineStart) {
      header_ended();
    }
    where_ = where_ == Where::kStatusLine ? Where::kStatusLine : Where::kLineStart;
  } else if (c != '\r') {
    where_ = Where::kInLine;
  }
}

void HttpResponseReader::status_line_ended() {
  if (!status_line_.empty() && status_line_.back() == '\r') {
    status_line_.pop_back();
  }
  const auto status = parse_status(status_line_);
  if (!status) {
    state_ = State::kNotHttp;
    return;
  }
  status_ = *status;
  status_line_.clear();
  where_ = Where::kLineStart;
}

void HttpResponseReader::header_ended() {
  // 101 would leave HTTP; nobody asked for it, so it is final and no status that a check wants.
  if (status_ < 200 && status_ != 101) {
    where_ = Where::kStatusLine;
    return;
  }
  state_ = State::kComplete;
}

}  // namespace lbdp::checks
