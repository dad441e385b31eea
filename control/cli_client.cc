// SPDX-License-Identifier: BSD-2-Clause
#include "control/cli_client.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstring>

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
    boost::system::error_code ignored;
    socket_.close(ignored);
    return no_director(path_, error.message());
  }
  const timeval patience{.tv_sec = static_cast<time_t>(patience_.count()), .tv_usec = 0};
  ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  return {};
}

CliResult<std::string> CliClient::read_line() {
  std::array<char, 65536> chunk{};
  size_t end = std::string::npos;
  while ((end = buffer_.find('\n')) == std::string::npos) {
    const ssize_t length = ::recv(socket_.native_handle(), chunk.data(), chunk.size(), 0);
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
  if (auto connected = connect(); !connected) return tl::unexpected(connected.error());
  const std::string line = request.dump() + "\n";
  // A director that hangs up at once may have said why: reading tells.
  (void)::send(socket_.native_handle(), line.data(), line.size(), MSG_NOSIGNAL);
  const auto text = read_line();
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
