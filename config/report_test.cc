// SPDX-License-Identifier: BSD-2-Clause
#include "config/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "config/diagnostics.h"

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
  EXPECT_EQ(r.out,
            "f: ok: 1 virtual server, 2 real servers, 1 VRRP instance; 0 warnings, 3 notes\n"
            "  services: 1 TCP\n"
            "  checkers: 2 HTTP_GET\n");
  EXPECT_EQ(r.err, "");
  EXPECT_THAT(report(result, true).err, HasSubstr(":41:13: note: nb_get_retry is keepalived's old name of 'retry'\n"));
}

TEST(Report, CountsByKind) {
  const LoadResult result = load_text(R"(
virtual_server_group G {
  192.0.2.1-3 53
}
virtual_server group G {
  lb_algo rr
  lb_kind DR
  protocol UDP
  real_server 192.0.2.10 53 {
    TCP_CHECK {
    }
    HTTP_GET {
      url {
        path /
      }
    }
  }
  real_server 192.0.2.11 53 {
    TCP_CHECK {
    }
  }
}
virtual_server 192.0.2.1 80 {
  lb_algo rr
  lb_kind DR
  protocol TCP
  real_server 192.0.2.10 80 {
  }
}
)",
                                      "f");
  const Report r = report(result);
  EXPECT_EQ(r.err, "");
  EXPECT_EQ(r.out,
            "f: ok: 2 virtual servers, 3 real servers, 0 VRRP instances; 0 warnings, 0 notes\n"
            "  services: 3 UDP, 1 TCP\n"
            "  checkers: 2 TCP_CHECK, 1 HTTP_GET; 1 real server without one, always up\n");
}

TEST(Report, EachKeywordOfLittleOrNoEffectOnce) {
  Sources sources;
  sources.add("f", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  Diagnostics diagnostics(sources);
  for (uint32_t line = 1; line <= 9; ++line) {
    EXPECT_EQ(diagnostics.remark(Remark::Kind::kNoEffect, "lvs_flush", "the tables start empty", {line, 5}), line == 1);
  }
  diagnostics.remark(Remark::Kind::kNoEffect, "snmp_name", "There is no agent.", {4, 1});
  diagnostics.remark(Remark::Kind::kNotYet, "notify_up", "", {2, 1});
  diagnostics.remark(Remark::Kind::kNotYet, "notify_up", "", {3, 1});
  diagnostics.fallback({7, 1}, "lb_algo", "wlc");
  LoadResult result = load_text("", "f");
  result.remarks = diagnostics.take_remarks();
  const std::string summary =
      "f: ok: 0 virtual servers, 0 real servers, 0 VRRP instances; 0 warnings, 0 notes\n"
      "  not yet active, read and checked only:\n"
      "    notify_up (2 times): f:2:1, f:3:1\n"
      "  accepted without effect:\n"
      "    lvs_flush (9 times): the tables start empty. f:1:5, f:2:5, f:3:5, f:4:5, f:5:5, f:6:5, f:7:5, f:8:5 and 1 "
      "more\n"
      "    snmp_name: There is no agent. f:4:1\n";
  EXPECT_EQ(report(result).out, summary);
  EXPECT_EQ(report(result, true).out, summary +
                                          "  defaults, where the keyword is missing:\n"
                                          "    lb_algo: wlc. f:7:1\n");
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
            "f:4:1: error: unknown keyword 'vrrp' at the top level (it belongs in bfd_instance); its block is skipped\n"
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
