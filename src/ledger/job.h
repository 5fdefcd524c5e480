/* job: the guard of a call with a job: it claims the job before a request leaves, and records what came of it. */
#ifndef BRAZE_JOB_H
#define BRAZE_JOB_H

#include "http/call.h"
#include "ledger/ledger.h"

struct braze_guard;

/* Gives the call, whose request is filled in, the job of that name. A call that makes a send ID and names none is given one. False: no
   memory. */
bool braze_job_attach(struct braze_call *call, struct braze_ledger *ledger, const char *name, size_t length);

/* Gives a call without a job, if it makes a send ID, a guard that asks nothing: what the service says of its quota goes to the ledger.
   False: no memory. */
bool braze_job_attach_lesson(struct braze_call *call, struct braze_ledger *ledger);

/* The functions below are for the guard of a call that is done: braze_call_guard. */

/* Whether the answer is the recorded one, and nothing was sent. */
bool braze_job_is_replayed(const struct braze_guard *guard);

/* The same, and a person said that the job is done: what the service answered is not known. */
bool braze_job_is_settled(const struct braze_guard *guard);

/* The ledger of the job. */
struct braze_ledger *braze_job_ledger(const struct braze_guard *guard);

/* Why what came of the call could not be recorded; NULL: it was. */
const char *braze_job_failure(const struct braze_guard *guard);

/* Says in words why the call has no answer, where it is the ledger that knows. False: the outcome's own words are to be used. */
bool braze_job_explain(const struct braze_guard *guard, const struct braze_outcome *outcome, struct braze_buffer *message,
                       struct braze_buffer *hint);

/* Adds to the hint of an error what the ledger has to say. */
void braze_job_advise(const struct braze_guard *guard, struct braze_buffer *hint);

#endif
