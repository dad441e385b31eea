// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/scheduler_state.h"

#include <algorithm>
#include <vector>

#include "dataplane/scheduler_table.h"

namespace lbdp::dataplane {
namespace {

// Finds the servers of an older table in the next one. The index is made only for the rare cursor whose server has
// moved: with many servers gone, a search for each would take long.
class Survivors {
 public:
  explicit Survivors(const SchedulerTable& next) : next_(next) {}

  std::optional<uint16_t> position_of(const SchedulerTable::Server& server, uint16_t hint) {
    const auto servers = next_.servers();
    if (hint < servers.size() && servers[hint].slot == server.slot) return same_tenant(server, hint);
    if (index_.empty()) make_index();
    const auto found = std::lower_bound(index_.begin(), index_.end(), Entry{server.slot, 0});
    if (found == index_.end() || found->first != server.slot) return std::nullopt;
    return same_tenant(server, found->second);
  }

 private:
  using Entry = std::pair<SlotId, uint16_t>;

  std::optional<uint16_t> same_tenant(const SchedulerTable::Server& server, uint16_t position) const {
    if (next_.servers()[position].tenancy != server.tenancy) return std::nullopt;
    return position;
  }
  void make_index() {
    for (size_t i = 0; i < next_.servers().size(); ++i)
      index_.emplace_back(next_.servers()[i].slot, static_cast<uint16_t>(i));
    std::sort(index_.begin(), index_.end());
  }

  const SchedulerTable& next_;
  std::vector<Entry> index_;
};

// Rounds are 1, 1 + step, ... max_round(). The rule for what lies between them is the kernel's.
uint32_t fitted_round(const SchedulerTable& next, uint32_t round) {
  if (round > next.max_round()) return next.max_round();
  return next.round_step() == 1 ? round : round / next.round_step() * next.round_step() + 1;
}

SchedulerCursor carried(const SchedulerTable& old, Survivors& survivors, const SchedulerTable& next,
                        SchedulerCursor cursor) {
  if (cursor == SchedulerCursor{}) return cursor;
  SchedulerCursor out{SchedulerCursor::kNone, 0, cursor.round == 0 ? 0 : fitted_round(next, cursor.round)};
  const auto at = old.position_of(cursor.last, cursor.position);
  if (!at) return out;
  for (int position = *at; position >= 0; --position) {
    const auto& server = old.servers()[static_cast<size_t>(position)];
    if (const auto found = survivors.position_of(server, static_cast<uint16_t>(position))) {
      out.last = server.slot;
      out.position = *found;
      return out;
    }
  }
  return out;
}

}  // namespace

void carry(const SchedulerTable& old, const SchedulerTable& next, SchedulerState& state) {
  Survivors survivors(next);
  SchedulerCursor before = state.cursor();
  // Workers that pick meanwhile win; then their newer cursor is carried. Not for ever: pick() copes with any cursor.
  for (int attempt = 0; attempt < 64; ++attempt) {
    const SchedulerCursor after = carried(old, survivors, next, before);
    if (after == before || state.replace(before, after)) return;
  }
}

}  // namespace lbdp::dataplane
