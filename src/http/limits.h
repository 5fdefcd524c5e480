/* limits: how long a call may take and how often it is tried again. Copied whole from a client's settings to each of its calls. */
#ifndef BRAZE_LIMITS_H
#define BRAZE_LIMITS_H

struct braze_limits {
  double timeout;         /* seconds, for the whole call with all of its attempts */
  double connect_timeout; /* seconds, for the connection of one attempt */
  int retries;            /* further attempts at most */
};

#endif
