// SPDX-License-Identifier: BSD-2-Clause
#include "checks/http_get.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "checks/connection.h"
#include "checks/http_response.h"

namespace lbdp::checks {
namespace {

using StatusRanges = std::vector<HttpUrl::StatusRange>;

class HttpGet : public Connection {
 public:
  HttpGet(asio::io_context& io, const HttpGetParams& params, const HttpUrl& url, OnProbeDone done)
      : Connection(io, params.connect, params.timing.connect_timeout, std::move(done)),
        request_(http_request(url)),
        wanted_(url.status_code) {}

 private:
  void connected() override;
  [[nodiscard]] std::string progress() const override;
  void read();
  void received(const boost::system::error_code& error, size_t length);
  void judge();

  auto self() { return std::static_pointer_cast<HttpGet>(shared_from_this()); }

  std::string request_;
  StatusRanges wanted_;
  HttpResponseReader reader_;
  std::array<char, 2048> buffer_{};
};

void HttpGet::connected() {
  asio::async_write(socket(), asio::buffer(request_),
                    [self = self()](const boost::system::error_code& error, size_t /*length*/) {
                      if (self->done()) {
                        return;
                      }
                      if (error) {
                        self->fail("send: " + describe(error));
                        return;
                      }
                      self->read();
                    });
}

std::string HttpGet::progress() const {
  return reader_.started() ? "no complete response header" : "no answer";
}

void HttpGet::read() {
  socket().async_read_some(asio::buffer(buffer_),
                           [self = self()](const boost::system::error_code& error, size_t length) {
                             if (!self->done()) {
                               self->received(error, length);
                             }
                           });
}

void HttpGet::received(const boost::system::error_code& error, size_t length) {
  if (error == asio::error::eof) {
    fail(reader_.started() ? "connection closed within the response header" : "connection closed without an answer");
    return;
  }
  if (error) {
    fail("receive: " + describe(error));
    return;
  }
  switch (reader_.feed({buffer_.data(), length})) {
    case HttpResponseReader::State::kIncomplete: read(); return;
    case HttpResponseReader::State::kNotHttp: fail("not an HTTP response"); return;
    case HttpResponseReader::State::kTooLarge:
      fail(fmt::format("response header larger than {} bytes", HttpResponseReader::kHeaderLimit));
      return;
    case HttpResponseReader::State::kComplete: judge(); return;
  }
}

void HttpGet::judge() {
  const auto status = reader_.status();
  const bool wanted = std::any_of(wanted_.begin(), wanted_.end(),
                                  [&](const auto& range) { return range.first <= status && status <= range.last; });
  if (wanted) {
    succeed(fmt::format("HTTP {}", status));
  } else {
    fail(fmt::format("HTTP {}, wanted {}", status, to_string(wanted_)));
  }
}

}  // namespace

std::string http_request(const HttpUrl& url) {
  return fmt::format("GET {} HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: {}\r\n\r\n", url.path, url.host);
}

std::string to_string(const StatusRanges& ranges) {
  std::string text;
  for (const auto& range : ranges) {
    text += text.empty() ? "" : ", ";
    text += range.first == range.last ? fmt::format("{}", range.first) : fmt::format("{}-{}", range.first, range.last);
  }
  return text;
}

std::unique_ptr<Probe> start_http_get(asio::io_context& io, const HttpGetParams& params, size_t url, OnProbeDone done) {
  return run_probe(std::make_shared<HttpGet>(io, params, params.urls.at(url), std::move(done)));
}

}  // namespace lbdp::checks
