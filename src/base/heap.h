/* timetable: calls by the time when they must be looked at, the earliest first. A pairing heap whose links are in the
   calls, so that nothing here can run out of memory. */
#ifndef BRAZE_TIMETABLE_H
#define BRAZE_TIMETABLE_H

#include "http/call.h"

struct braze_timetable {
  struct braze_call *first; /* the earliest due, or NULL */
};

/* Enters a call under call->due. It must not be in a timetable. */
void braze_timetable_add(struct braze_timetable *timetable, struct braze_call *call);

/* Takes a call out; one that is not in it is left as it is. */
void braze_timetable_remove(struct braze_timetable *timetable, struct braze_call *call);

#endif
