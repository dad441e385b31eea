// SPDX-License-Identifier: BSD-2-Clause
#include "config/document.h"

namespace lbdp::config {
namespace {

constexpr std::string_view kHead =
    R"(.\" made by scripts/documents from config/keywords_*.cc; do not edit
.TH LB.CONF 5 "" "lbdp )" LBDP_VERSION R"(" "File Formats"
.nh
.ad l
.SH NAME
lb.conf \- configuration of the LVS-DR director lbdp
.SH DESCRIPTION
.B lb.conf
is keepalived.conf, with the block
.B dataplane
beside what keepalived knows.
It is checked by
.BR "lbdp \-t \-c" " \fIFILE\fR,"
which needs neither root nor a network card, and reports everything that is wrong at once.
A file with an error is not used, neither at a start nor by a reload.
.PP
One statement stands on a line: a keyword and its values, separated by blanks.
.B {
and
.B }
open and close a block.
.B #
and
.B !
start a comment.
A value in double quotes may have blanks in it.
Keywords and values are case-sensitive.
.I BOOL
is on, off, true, false, yes or no; a keyword with
.I [BOOL]
alone means on.
.I SECONDS
is a decimal number.
.BI @ "ID line"
is there only for a director with this config-id;
.BI @^ "ID line"
only for the others.
A line behind
.B @lbdp
is there for lbdp, whatever its config-id is.
.SH EXAMPLE
.nf
virtual_server 192.0.2.99 80 {
    delay_loop 6
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 192.0.2.77 80 {
        TCP_CHECK {
        }
    }
}
@lbdp dataplane { connections 4194304 }
.fi
.SH KEYWORDS
A keyword works as it is told here unless it is marked as not yet active, without effect, or refused.
)";

constexpr std::string_view kTail = R"(.SH FILES
.TP
.I /etc/lbdp/lb.conf
What the systemd unit starts lbdp with.
.SH SEE ALSO
.BR keepalived.conf (5),
.BR ipvsadm (8),
/usr/share/doc/lbdp/configuration.md
)";

/// `text` as roff shows it, with places to break at the bars.
std::string plain(std::string_view text) {
  std::string result;
  if (text.starts_with('.') || text.starts_with('\'')) result += "\\&";
  for (const char c : text) {
    switch (c) {
      case '\\': result += "\\e"; break;
      case '-': result += "\\-"; break;
      case '^': result += "\\(ha"; break;
      case '~': result += "\\(ti"; break;
      case '`': result += "\\(ga"; break;
      case '|': result += "|\\:"; break;
      default: result += c;
    }
  }
  return result;
}

std::string bold(std::string_view text) {
  return "\\fB" + plain(text) + "\\fR";
}

/// What becomes of a keyword that does not simply work.
std::string remark(const Keyword& keyword) {
  if (keyword.effect == Effect::kWorks) return "";
  const std::string note = keyword.note.empty() ? "." : ": " + plain(sentence(keyword.note));
  return "\\fI" + std::string(name_of(keyword.effect)) + "\\fR" + note + "\n";
}

void write_row(std::string& out, const Keyword& keyword) {
  out += ".TP\n" + bold(keyword.name) + (keyword.syntax.empty() ? "" : " ") + plain(keyword.syntax) + "\n";
  out += plain(keyword.text) + "\n";
  if (!keyword.fallback.empty()) out += "Default: " + plain(keyword.fallback) + ".\n";
  out += remark(keyword);
}

void write_section(std::string& out, const std::vector<Section>& sections, const Section& section) {
  out += ".SS \"" + plain(section.title) + "\"\n";
  std::string parents;
  for (const std::string_view parent : section.parents) {
    if (parent != kFileBlock.name) parents += (parents.empty() ? "In " : ", ") + bold(parent);
  }
  if (!parents.empty()) out += parents + ".\n";
  if (section.effect != Effect::kWorks) out += std::string(name_of(section.effect)) + ", the block as a whole.\n";
  for (const Keyword* row : section.rows) write_row(out, *row);
  for (const Section::Shared& shared : section.shared) {
    std::string names;
    for (const Keyword* row : shared.rows) names += (names.empty() ? "" : ", ") + bold(row->name);
    out += ".PP\nAs in " + bold(sections[shared.section].title) + ": " + names + ".\n";
  }
}

void write_exceptions(std::string& out, const std::vector<Section>& sections, Effect effect, std::string_view title,
                      std::string_view introduction) {
  const std::vector<Exception> all = exceptions(sections, effect);
  if (all.empty()) return;
  out += ".SH \"" + std::string(title) + "\"\n" + std::string(introduction) + "\n";
  for (const Exception& exception : all) {
    const Keyword& keyword = *exception.keyword;
    std::string places;
    for (const std::string& at : exception.titles) places += (places.empty() ? "" : ", ") + plain(at);
    out += ".TP\n" + bold(keyword.name) + " (" + places + ")\n";
    out += plain(keyword.note.empty() ? std::string(keyword.text) : sentence(keyword.note)) + "\n";
  }
}

}  // namespace

std::string manual_page(const Block& file) {
  const std::vector<Section> all = sections(file);
  std::string out(kHead);
  for (const Section& section : all) write_section(out, all, section);
  write_exceptions(out, all, Effect::kNotYet, "NOT YET ACTIVE", "These are read and checked, and do nothing yet.");
  write_exceptions(out, all, Effect::kNone, "ACCEPTED WITHOUT EFFECT",
                   "These are read, because keepalived.conf files have them, and have no effect here.");
  write_exceptions(out, all, Effect::kRefused, "REFUSED",
                   "These are errors: to go on without what they ask for would do harm.");
  return out.append(kTail);
}

}  // namespace lbdp::config
