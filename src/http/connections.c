/* connections: see connections.h. */
#include "http/connections.h"

#define QUIET_SECONDS 0.05        /* what a service sends behind an answer has come by then */
#define MAX_UNNOTICED_SECONDS 1.0 /* how long libcurl may take to find a dead connection */
#define DISTRUST_SECONDS 600.0    /* after the service has sent what nobody asked for */

void braze_connections_look(struct braze_connections *connections, double now) {
  struct braze_sockets *sockets = &connections->sockets;
  bool dropped;
  if (connections->looked) return;
  connections->looked = true;
  dropped = braze_sockets_drop_dead(sockets, now - QUIET_SECONDS);
  connections->dead_until = dropped && braze_libcurl_finds_dead_connections_late() ? now + MAX_UNNOTICED_SECONDS : 0;
  if (sockets->strayed) {
    connections->distrusted_until = now + DISTRUST_SECONDS;
    connections->quiet_at = 0;
  }
  connections->proven = (connections->proven || sockets->quiet) && !sockets->strayed;
  sockets->strayed = sockets->quiet = false;
}

bool braze_connections_need_new(const struct braze_connections *connections, double now) {
  return now < connections->dead_until || now < connections->distrusted_until;
}

bool braze_connections_hold(struct braze_connections *connections, double deadline, double now) {
  if (connections->proven || connections->sockets.kept == 0) return false;
  if (connections->quiet_at == 0) connections->quiet_at = now + QUIET_SECONDS;
  if (now >= connections->quiet_at || connections->quiet_at >= deadline) return false;
  connections->holding = true;
  return true;
}

void braze_connections_free(struct braze_connections *connections) {
  braze_sockets_free(&connections->sockets);
}
