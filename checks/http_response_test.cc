// SPDX-License-Identifier: BSD-2-Clause
#include "checks/http_response.h"

#include <gtest/gtest.h>

#include <string>

namespace lbdp::checks {
namespace {

using State = HttpResponseReader::State;

struct Row {
  std::string name;
  std::string bytes;
  State state;
  unsigned status;
};

const Row kRows[] = {
    {"Plain", "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nbody", State::kComplete, 200},
    {"NoFields", "HTTP/1.0 503 Service Unavailable\r\n\r\n", State::kComplete, 503},
    {"NoReasonPhrase", "HTTP/1.1 204\r\n\r\n", State::kComplete, 204},
    {"EmptyReasonPhrase", "HTTP/1.1 204 \r\n\r\n", State::kComplete, 204},
    {"BareLineFeeds", "HTTP/1.0 200 OK\nA: b\n\nrest", State::kComplete, 200},
    {"WrongContentLength", "HTTP/1.0 200 OK\r\nContent-Length: -7,x\r\n\r\n", State::kComplete, 200},
    {"FieldWithoutColon", "HTTP/1.0 200 OK\r\nnonsense\r\n\r\n", State::kComplete, 200},
    {"InterimThenFinal", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 404 No\r\n\r\n", State::kComplete, 404},
    {"InterimOnly", "HTTP/1.1 100 Continue\r\n\r\n", State::kIncomplete, 100},
    {"SwitchingProtocolsIsFinal", "HTTP/1.1 101 Switching\r\n\r\n", State::kComplete, 101},
    {"HeaderNotEnded", "HTTP/1.1 200 OK\r\nA: b\r\n", State::kIncomplete, 200},
    {"Empty", "", State::kIncomplete, 0},
    {"Garbage", "\x16\x03\x01", State::kNotHttp, 0},
    {"Ssh", "SSH-2.0-OpenSSH_9.2\r\n", State::kNotHttp, 0},
    {"Http09", "<html>hello</html>", State::kNotHttp, 0},
    {"AlmostHttp", "HTTQ/1.1 200 OK\r\n\r\n", State::kNotHttp, 0},
    {"NoVersion", "HTTP/ 200 OK\r\n\r\n", State::kNotHttp, 0},
    {"NoStatus", "HTTP/1.1\r\n\r\n", State::kNotHttp, 0},
    {"ShortStatus", "HTTP/1.1 20 OK\r\n\r\n", State::kNotHttp, 0},
    {"LongStatus", "HTTP/1.1 2000 OK\r\n\r\n", State::kNotHttp, 0},
    {"StatusWithLetters", "HTTP/1.1 2x0 OK\r\n\r\n", State::kNotHttp, 0},
    {"StatusBelow100", "HTTP/1.1 099 OK\r\n\r\n", State::kNotHttp, 0},
    {"GarbageAfterInterim", "HTTP/1.1 100 Continue\r\n\r\nfoo", State::kNotHttp, 100},
};

class ResponseTable : public testing::TestWithParam<Row> {};

TEST_P(ResponseTable, WholeAndByteByByte) {
  const auto& row = GetParam();
  HttpResponseReader whole;
  EXPECT_EQ(whole.feed(row.bytes), row.state);
  HttpResponseReader bytewise;
  for (const char c : row.bytes) {
    bytewise.feed({&c, 1});
  }
  EXPECT_EQ(bytewise.state(), row.state);
  EXPECT_EQ(whole.status(), row.status);
  EXPECT_EQ(bytewise.status(), row.status);
}

INSTANTIATE_TEST_SUITE_P(Responses, ResponseTable, testing::ValuesIn(kRows),
                         [](const auto& param_info) { return param_info.param.name; });

TEST(HttpResponseReader, LimitsTheHeader) {
  const std::string start = "HTTP/1.1 200 OK\r\nA: ";
  HttpResponseReader fits;
  fits.feed(start);
  EXPECT_EQ(fits.feed(std::string(HttpResponseReader::kHeaderLimit - start.size() - 4, 'a') + "\r\n\r\n"),
            State::kComplete);
  HttpResponseReader too_large;
  too_large.feed(start);
  EXPECT_EQ(too_large.feed(std::string(HttpResponseReader::kHeaderLimit - start.size() - 3, 'a') + "\r\n\r\n"),
            State::kTooLarge);
}

TEST(HttpResponseReader, LimitsInterimResponsesAsAWhole) {
  HttpResponseReader reader;
  size_t fed = 0;
  const std::string interim = "HTTP/1.1 100 Continue\r\n\r\n";
  while (reader.feed(interim) == State::kIncomplete) {
    fed += interim.size();
    ASSERT_LE(fed, HttpResponseReader::kHeaderLimit);
  }
  EXPECT_EQ(reader.state(), State::kTooLarge);
}

TEST(HttpResponseReader, LimitsAnEndlessStatusLine) {
  HttpResponseReader reader;
  EXPECT_EQ(reader.feed("HTTP/1.1 200 " + std::string(20000, 'x')), State::kTooLarge);
}

}  // namespace
}  // namespace lbdp::checks
