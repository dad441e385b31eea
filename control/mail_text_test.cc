// SPDX-License-Identifier: BSD-2-Clause
#include "control/mail_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace lbdp::control {
namespace {

constexpr std::time_t kNow = 1795414635;  // Mon, 23 Nov 2026 06:17:15 UTC

RealServerKey key() {
  return {.service = *ServiceKey::parse("tcp/172.18.250.99:80"), .real = *Endpoint::parse("172.18.250.77:80")};
}

// The subjects and first body lines below were taken from the mails of Debian's keepalived 2.2.7.

TEST(MailText, RealServerDownAsKeepalivedWritesIt) {
  const auto mail = real_server_mail("node1", key(), false, "HTTP_GET", "HTTP 503, wanted 200");
  EXPECT_EQ(mail.subject, "[node1] Realserver [172.18.250.77]:tcp:80 of virtual server [172.18.250.99]:tcp:80 - DOWN");
  EXPECT_EQ(mail.body, "=> CHECK failed on service : HTTP request failed <=\nHTTP 503, wanted 200\n");
}

TEST(MailText, RealServerUpAsKeepalivedWritesIt) {
  EXPECT_EQ(real_server_mail("node1", key(), true, "HTTP_GET", "").body, "=> CHECK succeed on service <=\n");
  const auto mail = real_server_mail("node1", key(), true, "TCP_CHECK", "connected");
  EXPECT_EQ(mail.subject, "[node1] Realserver [172.18.250.77]:tcp:80 of virtual server [172.18.250.99]:tcp:80 - UP");
  EXPECT_EQ(mail.body, "=> TCP CHECK succeed on service <=\nconnected\n");
  EXPECT_EQ(real_server_mail("node1", key(), false, "TCP_CHECK", "").body, "=> TCP CHECK failed on service <=\n");
}

TEST(MailText, VrrpAsKeepalivedWritesIt) {
  const auto master = vrrp_mail("node1", "VI_1", "MASTER");
  EXPECT_EQ(master.subject, "[node1] VRRP Instance VI_1 - Entering MASTER state");
  EXPECT_EQ(master.body, "=> VRRP Instance is now owning VRRP VIPs <=\n");
  const auto backup = vrrp_mail("node1", "VI_1", "BACKUP");
  EXPECT_EQ(backup.subject, "[node1] VRRP Instance VI_1 - Entering BACKUP state");
  EXPECT_EQ(backup.body, "=> VRRP Instance is no longer owning VRRP VIPs <=\n");
}

TEST(MailText, EnvelopeAddress) {
  EXPECT_EQ(envelope_address("root@localhost"), "root@localhost");
  EXPECT_EQ(envelope_address("Admin <admin@example.org>"), "admin@example.org");
  EXPECT_EQ(envelope_address("a b@example.org"), "");
  EXPECT_EQ(envelope_address("a@b>\r\nRCPT TO:<evil@example.org"), "");
  EXPECT_EQ(envelope_address("x <a@b\r\nDATA>"), "");
}

TEST(SmtpData, WholeMessage) {
  EXPECT_EQ(smtp_data("a@x", {"b@y", "c@z"}, {"hello", "one\ntwo\n"}, kNow),
            "Date: Mon, 23 Nov 2026 06:17:15 +0000\r\n"
            "From: a@x\r\n"
            "To: b@y, c@z\r\n"
            "Subject: hello\r\n"
            "X-Mailer: lbdp\r\n"
            "\r\n"
            "one\r\ntwo\r\n.\r\n");
}

TEST(SmtpData, StuffsDots) {
  const auto data = smtp_data("a@x", {"b@y"}, {"s", ".\n..\n.QUIT\nx.\n"}, kNow);
  EXPECT_TRUE(data.ends_with("\r\n\r\n..\r\n...\r\n..QUIT\r\nx.\r\n.\r\n")) << data;
}

TEST(SmtpData, NothingInATextEndsTheMessageOrAddsAField) {
  const std::string evil = "x\r\nBcc: evil@example.org\r\n\r\nbody\r\n.\r\nMAIL FROM:<>";
  const auto data = smtp_data(evil, {evil}, {evil, "a\r\n.\r\nb\r.\rc"}, kNow);
  EXPECT_EQ(data.find("\r\nBcc"), std::string::npos);
  EXPECT_EQ(data.find("\r\nMAIL"), std::string::npos);
  EXPECT_EQ(data.find("\r\n.\r\n"), data.size() - 5);
  EXPECT_EQ(std::count(data.begin(), data.end(), '\r'), std::count(data.begin(), data.end(), '\n'));
  EXPECT_TRUE(data.ends_with("\r\n\r\na\r\n..\r\nb . c\r\n.\r\n")) << data;
}

TEST(SmtpData, KeepsLinesShort) {
  const std::vector<std::string> to(100, "somebody@some.where.example.org");
  const auto data =
      smtp_data("a@x", to, {std::string(3000, 's'), std::string(3000, 'b') + "\n." + std::string(2000, '.')}, kNow);
  size_t begin = 0;
  while (begin < data.size()) {
    const auto end = data.find("\r\n", begin);
    ASSERT_NE(end, std::string::npos);
    EXPECT_LE(end - begin, 998U);
    begin = end + 2;
  }
}

TEST(SmtpData, EmptyBody) {
  EXPECT_TRUE(smtp_data("a@x", {"b@y"}, {"s", ""}, kNow).ends_with("lbdp\r\n\r\n.\r\n"));
}

}  // namespace
}  // namespace lbdp::control
