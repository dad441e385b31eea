// SPDX-License-Identifier: BSD-2-Clause
#include "control/cli_client.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "control/connection_filter.h"

namespace lbdp::control {
namespace {

using nlohmann::json;

constexpr int kTornLists = 3;

tl::unexpected<CliError> no_director(const std::string& path, const std::string& why) {
  return tl::unexpected<CliError>({CliExit::kNoDirector, "no director answers at " + path + ": " + why});
}

}  // namespace

CliClient::CliClient(std::string path, std::chrono::seconds patience) : path_(std::move(path)), patience_(patience) {}

CliResult<void> CliClient::connect() {
  if (socket_.is_open()) return {};
  constexpr size_t kLongestPath = 107;
  if (path_.size() > kLongestPath) return no_director(path_, "the path is too long");
  boost::system::error_code error;
  socket_.connect(asio::local::stream_protocol::endpoint(path_), error);
  if (error) {
    disconnect();
    return no_director(path_, error.message());
  }
  const timeval patience{.tv_sec = static_cast<time_t>(patience_.count()), .tv_usec = 0};
  ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  return {};
}

void CliClient::disconnect() {
  boost::system::error_code ignored;
  socket_.close(ignored);
  buffer_.clear();
}

CliResult<std::string> CliClient::exchange(const std::string& line) {
  if (auto connected = connect(); !connected) return tl::unexpected(connected.error());
  // A director that hangs up at once may have said why: reading tells.
  (void)::send(socket_.native_handle(), line.data(), line.size(), MSG_NOSIGNAL);
  return read_line();
}

CliResult<std::string> CliClient::read_line() {
  hung_up_ = false;
  std::array<char, 65536> chunk{};
  size_t end = std::string::npos;
  while ((end = buffer_.find('\n')) == std::string::npos) {
    const ssize_t length = ::recv(socket_.native_handle(), chunk.data(), chunk.size(), 0);
    hung_up_ = buffer_.empty() && (length == 0 || (length < 0 && errno == ECONNRESET));
    if (length == 0) return no_director(path_, "it hung up (too many clients?)");
    if (length < 0 && errno == EINTR) continue;
    if (length < 0 && errno == EAGAIN) {
      return no_director(path_, "no answer in " + std::to_string(patience_.count()) + " s");
    }
    if (length < 0) return no_director(path_, std::strerror(errno));
    buffer_.append(chunk.data(), static_cast<size_t>(length));
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  return line;
}

CliResult<json> CliClient::ask(const json& request) {
  const std::string line = request.dump() + "\n";
  const bool reused = socket_.is_open();
  auto text = exchange(line);
  if (!text && reused && hung_up_) {
    disconnect();
    text = exchange(line);
  }
  if (!text) return tl::unexpected(text.error());
  json answer = json::parse(*text, nullptr, false);
  if (!answer.is_object()) return no_director(path_, "what answers does not speak lbdp's protocol");
  if (answer.value("ok", false)) return answer;
  return tl::unexpected<CliError>({CliExit::kRefused, answer.value("error", std::string("refused without a reason"))});
}

CliResult<json> CliClient::rows(const std::string& what) {
  bool torn = true;
  CliResult<json> all = json::array();
  for (int i = 0; i < kTornLists && torn; ++i) {
    all = rows_once(what, torn);
    if (!all) return all;
  }
  return all;
}

CliResult<uint64_t> CliClient::stream(const std::string& what, const dataplane::ConnectionFilter& filter,
                                      uint64_t limit, const std::function<bool(const json& rows)>& take) {
  json request = {{"command", "show"}, {"what", what}, {"cursor", 0}};
  if (const json members = to_json(filter); !members.empty()) request["filter"] = members;
  uint64_t count = 0;
  do {
    if (limit != 0) request["limit"] = limit - count;
    auto page = ask(request);
    if (!page) return tl::unexpected(page.error());
    json& rows = page->at("rows");
    while (limit != 0 && count + rows.size() > limit) rows.erase(rows.size() - 1);
    count += rows.size();
    if (!take(rows)) return count;
    request["cursor"] = page->value("next_cursor", uint64_t{0});
  } while (request["cursor"] != 0 && (limit == 0 || count < limit));
  return count;
}

CliResult<json> CliClient::rows_once(const std::string& what, bool& torn) {
  json all = json::array();
  uint64_t cursor = 0, generation = 0;
  torn = false;
  do {
    auto page = ask({{"command", "show"}, {"what", what}, {"cursor", cursor}});
    if (!page) return page;
    const uint64_t of_page = page->value("generation", uint64_t{0});
    torn = torn || (cursor != 0 && of_page != generation);
    generation = of_page;
    for (auto& row : page->at("rows")) all.push_back(std::move(row));
    cursor = page->value("next_cursor", uint64_t{0});
  } while (cursor != 0);
  return all;
}

}  // namespace lbdp::control
