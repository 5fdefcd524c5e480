/* claim: see claim.h. */
#include "ledger/claim.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

#define USUAL_QUOTA 100 /* a day, until the service has named another number */
#define DAY 86400.0
#define SAME_MOMENT 2.0 /* seconds: the service names whole ones, and clocks differ by the time of an answer */

enum braze_record_state braze_claim_state(const struct braze_record *record) {
  if ((unsigned)record->state >= BRAZE_RECORD_STATE_COUNT) return BRAZE_RECORD_UNKNOWN; /* another program wrote it */
  return record->state == BRAZE_RECORD_HELD && !record->alive ? BRAZE_RECORD_UNKNOWN : record->state;
}

static bool is_over(const struct braze_loaded *loaded) {
  return loaded->quota.window == 0 || loaded->now >= loaded->quota.ends;
}

/* A pair that is on record was counted when that record was made. */
static bool takes_unit(const struct braze_wish *wish, const struct braze_loaded *loaded) {
  return wish->pair[0] && !loaded->pair_known;
}

enum braze_verdict braze_claim_judge(const struct braze_wish *wish, const struct braze_loaded *loaded, const struct braze_entry *entry) {
  switch (loaded->record.state) {
  case BRAZE_RECORD_NONE:
    return takes_unit(wish, loaded) && !is_over(loaded) && loaded->quota.left <= 0 ? BRAZE_CLAIM_USED_UP : BRAZE_CLAIM_TAKE;
  default: break;
  }
  if (strcmp(entry->digest, wish->digest) != 0) return BRAZE_CLAIM_OTHER;
  switch (braze_claim_state(&loaded->record)) {
  case BRAZE_RECORD_DONE: return BRAZE_CLAIM_REPLAY;
  case BRAZE_RECORD_REFUSED: return BRAZE_CLAIM_REFUSED;
  case BRAZE_RECORD_HELD: return BRAZE_CLAIM_HELD;
  default: return wish->repeatable ? BRAZE_CLAIM_REPEAT : BRAZE_CLAIM_UNKNOWN;
  }
}

/* The window after the one that is over: until the next midnight of UTC, unless the service says something else. */
static void begin_window(const struct braze_loaded *loaded, struct braze_change *change) {
  const int64_t total = loaded->quota.total > 0 ? loaded->quota.total : USUAL_QUOTA;
  change->begin = true;
  change->quota.window = loaded->quota.window + 1;
  change->quota.total = change->quota.left = total;
  change->quota.ends = ((double)(int64_t)(loaded->now / DAY) + 1) * DAY;
}

bool braze_claim_take(const struct braze_wish *wish, const char *workspace, const struct braze_loaded *loaded,
                      const struct braze_entry *entry, const char *owner, int64_t token, struct braze_record *to,
                      struct braze_change *change) {
  const struct braze_record *from = &loaded->record;
  const bool again = from->state != BRAZE_RECORD_NONE;
  struct braze_entry next;
  memset(&next, 0, sizeof next);
  memset(change, 0, sizeof *change);
  to->window = 0;
  change->workspace = workspace;
  change->job = wish->job;
  change->expected = from->token;
  change->to = to;
  to->state = BRAZE_RECORD_HELD;
  to->token = token;
  braze_text_print(to->job, sizeof to->job, "%s", wish->job);
  braze_text_print(to->owner, sizeof to->owner, "%s", owner);
  braze_text_print(to->pair, sizeof to->pair, "%s", again ? from->pair : wish->pair);
  if (again) {
    to->window = from->window;
  } else if (takes_unit(wish, loaded)) {
    change->quota = loaded->quota;
    if (is_over(loaded)) begin_window(loaded, change);
    change->take = true;
    to->window = change->quota.window;
  }
  braze_text_print(next.operation, sizeof next.operation, "%s", wish->operation);
  braze_text_print(next.digest, sizeof next.digest, "%s", wish->digest);
  braze_text_print(next.send_id, sizeof next.send_id, "%s", again ? entry->send_id : wish->send_id);
  braze_text_print(next.holder, sizeof next.holder, "%s", wish->holder);
  next.claimed = next.changed = loaded->now;
  return braze_record_write(to, &next);
}

static bool names_quota(const struct braze_became *became) {
  return became->rate_limit.remaining >= 0 && became->resets_at > became->now;
}

static void correct(const struct braze_became *became, int64_t window, struct braze_change *change) {
  change->learn = true;
  change->quota.window = window;
  change->quota.ends = became->resets_at;
  change->quota.left = became->rate_limit.remaining;
  change->quota.total = became->rate_limit.limit >= became->rate_limit.remaining ? became->rate_limit.limit : 0;
}

bool braze_claim_learn(const struct braze_became *became, const char *workspace, const struct braze_loaded *loaded,
                       struct braze_change *change) {
  const struct braze_quota *known = &loaded->quota;
  memset(change, 0, sizeof *change);
  change->workspace = workspace;
  if (!names_quota(became)) return false;
  if (!is_over(loaded)) {
    correct(became, known->window, change);
    return change->quota.left < known->left || (change->quota.total > 0 && change->quota.total != known->total) ||
           fabs(change->quota.ends - known->ends) > SAME_MOMENT;
  }
  begin_window(loaded, change);
  change->quota.ends = became->resets_at;
  change->quota.left = became->rate_limit.remaining;
  if (became->rate_limit.limit >= change->quota.left) change->quota.total = became->rate_limit.limit;
  return true;
}

bool braze_claim_end(const struct braze_became *became, const char *workspace, int64_t token, struct braze_record *to,
                     const struct braze_entry *entry, struct braze_change *change) {
  const bool made_nothing = became->state == BRAZE_RECORD_NONE || became->state == BRAZE_RECORD_REFUSED;
  memset(change, 0, sizeof *change);
  change->workspace = workspace;
  change->job = to->job;
  change->expected = to->token;
  change->quota.window = to->window;
  change->give = made_nothing && !became->repeated && to->window != 0;
  /* The service's own numbers correct the count of the window in which the unit was taken. */
  if (to->window != 0 && names_quota(became)) correct(became, to->window, change);
  to->state = became->state;
  to->token = token;
  if (change->give) to->window = 0;
  change->to = became->state == BRAZE_RECORD_NONE ? NULL : to;
  return braze_record_write(to, entry);
}
