/* userdata: clients and requests as Lua holds them, and what the files about them share. */
#ifndef LBRAZE_USERDATA_H
#define LBRAZE_USERDATA_H

#include "client.h"
#include "lua/binding.h"

/* Both kinds begin with their own address, as no other userdata does: debug.setmetatable gives their metatables to any. */

struct lbraze_client {
  const void *self;
  struct braze_client *handle; /* NULL before it is open and once it is collected */
  bool delivering;             /* an on_done or on_event is running inside step or wait */
  bool has_on_event;
  unsigned generation;         /* of the requests that are kept beside it; see braze_client_generation */
};

/* The table beside a client: the requests that were not delivered, by their references, which are the tags of their calls; and its
 * on_event. */
enum { LBRAZE_CLIENT_REQUESTS = 1, LBRAZE_CLIENT_ON_EVENT };

struct lbraze_request {
  const void *self;
  struct lbraze_client *client; /* kept by the table beside the request */
  struct braze_call *call;      /* NULL before it is started and once it is answered */
  bool answered, good;          /* the answer is in the table: a result, or an error */
};

/* The table beside a request, in which the places LBRAZE_SHARED_* come behind these. */
enum { LBRAZE_REQUEST_CLIENT = 1, LBRAZE_REQUEST_ON_DONE, LBRAZE_REQUEST_ANSWER, LBRAZE_REQUEST_WHERE };

/* hold.c. Nearly every function of Lua's may run a finalizer, or a hook, and either may close or collect the client, answer
   the request, change the parameters, or fork. So what is used after such a function is held, or looked at again. */

struct lbraze_hold {
  double began; /* monotonic: when the method was entered, where it makes a call */
  struct braze_client *client;
  struct braze_settings *settings; /* the client's */
  struct braze_call *call;
};

/* [-0, +1, m] An empty one. It releases nothing by itself: between filling and releasing it nothing may raise. */
struct lbraze_hold *lbraze_push_hold(lua_State *L);

/* Holds a client that is not collected. */
void lbraze_hold_client(struct lbraze_hold *hold, const struct lbraze_client *client);

void lbraze_hold_release(struct lbraze_hold *hold);

/* [-0, +2, e] Calls a function with all that is on the stack and, behind it, a hold of the client, which is
   released when the function has returned one value or raised. `began`: for a method that makes a call, when it was entered:
   the call's deadline counts from there, and so covers what the parameters take to be encoded. Returns 1. */
int lbraze_run(lua_State *L, lua_CFunction function, const struct lbraze_client *client, const char *method, double began);

/* [-0, +0, e] Raises a usage error unless there is room on Lua's stack and C's to make an answer and, if it delivers, to run an on_done or
   on_event. */
void lbraze_check_room(lua_State *L, const char *method, bool delivers);

/* client.c */

/* client:call(name, params [, options]) -> result */
int lbraze_client_call(lua_State *L);

/* [-0, +n, e] Makes the hold's call from the parameters at an index and the options behind them. Returns where on_done is on the
   stack. */
int lbraze_make_call(lua_State *L, int params_index, enum lbraze_scope scope, const struct lbraze_target *target,
                     const struct lbraze_context *context, struct lbraze_hold *hold);

/* [-0, +0, e] The client at index 1, open or closed, ready for this process. */
struct lbraze_client *lbraze_check_client(lua_State *L, const char *method);

/* [-0, +0, e] The same, and it must be open. */
struct lbraze_client *lbraze_check_open_client(lua_State *L, const char *method);

/* [-0, +0, e] Raises unless the client at index 1, which was open, still is. */
void lbraze_check_still_open(lua_State *L, struct lbraze_client *client, const char *method);

/* [-0, +0, m] Makes the client, which stands at index (no negative one), ready for this process: the child of a fork forgets the parent's
   requests. What runs meanwhile may have closed or collected it. */
void lbraze_refresh_client(lua_State *L, int index, struct lbraze_client *client);

/* [-0, +0, e] Raises for a failure of client.h: what a call needs could not be made. */
LBRAZE_RAISES int lbraze_raise_failure(lua_State *L, int failure);

/* request.c */

/* The request at index; NULL for anything else. Never raises. */
struct lbraze_request *lbraze_test_request(lua_State *L, int index);

/* [-0, +1, m] Pushes a request's answer, made when it is first asked for. True: a result; false: an error object. The hold has
   the settings, and is given the call if it has none. */
bool lbraze_push_request_answer(lua_State *L, int index, struct lbraze_request *request, struct lbraze_hold *hold);

/* client:start(name, params [, options]) -> request */
int lbraze_client_start(lua_State *L);

/* [-0, +0, m] Creates the two metatables. */
void lbraze_open_request(lua_State *L);

/* The longest wait, for as long as it takes: seconds that still count on every clock. */
#define LBRAZE_FOR_EVER 1e9

/* [-0, +0, e] The number of seconds at index, LBRAZE_FOR_EVER where none is given. */
double lbraze_check_wait(lua_State *L, int index, const char *method);

/* adapter.c */

/* [-0, +1, m] What the modules for hosts need of C. */
void lbraze_push_core(lua_State *L);

/* inspect.c */

/* core.request(client, name, params [, options]) -> what client:call would send */
int lbraze_inspect_request(lua_State *L);

/* core.probe(client) -> how far a connection comes, without a request */
int lbraze_inspect_probe(lua_State *L);

/* events.c */

/* [-0, +0, m] Lets the call, whose limits are known, write down what happens to it, where its client has an on_event. */
void lbraze_ask_for_events(lua_State *L, const struct lbraze_client *client, struct braze_call *call);

/* [-0, +3, m] What telling the on_event of the client at an index takes, so that nothing is lost for want of memory afterwards. Returns
   where it stands. */
int lbraze_push_teller(lua_State *L, int client);

/* [-0, +0 or 1] Tells an on_event what happened to the hold's call, which is done; the places are those of what lbraze_push_teller has
   pushed, of the hold, and of the call's result or error. True: it raised what is pushed. */
bool lbraze_tell_events(lua_State *L, int teller, int hold, int answer);

/* [-1, +0] Warns of what an on_event has raised where nobody else would hear of it. */
void lbraze_warn_of_event(lua_State *L, int teller, int hold);

/* step.c */

int lbraze_client_step(lua_State *L);
int lbraze_client_wait(lua_State *L);

#endif
