// SPDX-License-Identifier: BSD-2-Clause
#include "config/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace lbdp::config {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Report {
  std::string out;
  std::string err;
  int status;
};

Report report(const LoadResult& result, bool verbose = false) {
  std::ostringstream out;
  std::ostringstream err;
  const int status = report_check(out, err, "f", result, {verbose});
  return {out.str(), err.str(), status};
}

TEST(Report, GoodFile) {
  const LoadResult result = load_file(LBDP_TEST_DATA "/reference/lb1.conf");
  const Report r = report(result);
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(r.out, "f: ok: 1 virtual server, 2 real servers, 1 VRRP instance; 0 warnings, 3 notes\n");
  EXPECT_EQ(r.err, "");
  EXPECT_THAT(report(result, true).err, HasSubstr(":41:13: note: nb_get_retry is keepalived's old name of 'retry'\n"));
}

TEST(Report, WarningsLeaveTheFileUsable) {
  const Report r = report(load_text("global_defs {\n\trouter_id a\n\trouter_id b\n}\n", "f"));
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(r.err,
            "f:3:2: warning: 'router_id' is set again, after line 2; this one, the last, counts\n"
            "     router_id b\n"
            "     ^\n");
  EXPECT_EQ(r.out, "f: ok: 0 virtual servers, 0 real servers, 0 VRRP instances; 1 warning, 0 notes\n");
}

TEST(Report, AllErrorsAtOnce) {
  const Report r = report(load_text("global_defs {\n  smtp_alert 1\n}\nvrrp {\n}\n}\n", "f"));
  EXPECT_EQ(r.status, 3);
  EXPECT_EQ(r.out, "");
  EXPECT_EQ(r.err,
            "f:2:14: error: smtp_alert: found '1', wanted on, off, true, false, yes or no\n"
            "      smtp_alert 1\n"
            "                 ^\n"
            "f:4:1: error: unknown keyword 'vrrp' at the top level; its block is skipped\n"
            "    vrrp {\n"
            "    ^\n"
            "f:6:1: error: unexpected '}': no block is open here\n"
            "    }\n"
            "    ^\n"
            "f: not usable: 3 errors, 0 warnings\n");
}

TEST(Report, MissingFileHasNoExcerpt) {
  const Report r = report(load_file("/nowhere/lb.conf"));
  EXPECT_EQ(r.status, 3);
  EXPECT_EQ(
      r.err,
      "/nowhere/lb.conf: error: cannot be opened: No such file or directory\nf: not usable: 1 error, 0 warnings\n");
}

TEST(Report, ColumnsAreBytesAndTheCaretStandsUnderTheCharacter) {
  const Report r = report(load_text("global_defs { router_id \"\xc3\xa4\xc3\xb6\" x\n}\n", "f"));
  EXPECT_THAT(r.err, HasSubstr("f:1:32: error: "));
  EXPECT_THAT(r.err, HasSubstr("\n    " + std::string(29, ' ') + "^\n"));
}

TEST(Report, PasswordsAreNotRepeated) {
  const std::string text =
      "vrrp_instance V {\nauthentication {\nauth_type PASS\nauth_pass topsecret more\n}\n"
      "authentication {\nauth_pass topsecret\nauth_pass = topsecret\nauth_pass topsecret {\n}\n}\n}\n";
  const Report r = report(load_text(text, "f"), true);
  EXPECT_EQ(r.status, 3);
  EXPECT_THAT(r.err, HasSubstr("auth_pass"));
  EXPECT_THAT(r.err, Not(HasSubstr("topsecret")));
}

}  // namespace
}  // namespace lbdp::config
