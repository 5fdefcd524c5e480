/* faults: what the files of the fault core share. A point is a place where something may be refused: an allocation of
   Lua's, of libcurl's or of the core's, or a system call. Points are counted while they are armed. */
#ifndef BRAZE_PROOF_FAULTS_H
#define BRAZE_PROOF_FAULTS_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <stddef.h>

#include "shim.h"

enum fault_source { FAULT_LUA, FAULT_CURL, FAULT_CORE, FAULT_SYSTEM, FAULT_SOURCES };

/* Lua 5.4 collects after a refusal and asks once more: ONCE tests that collection, TWICE refuses the second time too. */
enum fault_mode { FAULT_ONCE, FAULT_TWICE, FAULT_ON, FAULT_MODES };

struct fault_plan {
  enum fault_source source;
  enum fault_mode mode;
  int function, error; /* of a system call */
  long n;              /* from 1 */
};

#define FAULT_MAX_PLANS 2

/* fault_points.c */

/* Once in a process, before anything else uses libcurl. */
void fault_points_open(void);

/* Counts from 0 again, and refuses by these plans. */
void fault_arm(const struct fault_plan *plans, int count);

/* No more; which of the plans were reached, as bits. */
unsigned fault_disarm(void);

/* How many points were passed since fault_arm. */
long fault_passed(enum fault_source source, int function);

/* What is allocated now; bytes of Lua's alone. */
long fault_blocks(enum fault_source source);
long fault_lua_bytes(void);

void *fault_lua_allocator(void *data, void *block, size_t old_size, size_t new_size);

bool fault_has_shim(void);
long fault_posts(void);
long fault_closed(enum shim_close kind);

/* fault_run.c */

struct fault_result {
  unsigned hit; /* as of fault_disarm */
  bool good;
  bool upstream; /* a known defect of a library showed: see spec/proof/faults/upstream */
  char reason[600]; /* where not good */
  char outcome[64]; /* "result", the kind of an error, ... */
};

/* Finds the modules that paths need, and the names of the paths of one bar; false with a message on stderr. */
bool fault_paths_open(const char *bar, char names[][32], int most, int *count);

/* Runs one path on a Lua state of its own. */
void fault_run(const char *path, const struct fault_plan *plans, int count, struct fault_result *result);

/* fault_plan.c */

extern const char *const fault_source_names[FAULT_SOURCES];
extern const char *const fault_mode_names[FAULT_MODES];
extern const char *const fault_function_names[SHIM_FUNCTIONS];

/* The index-th error that a function is made to fail with; 0 = there are no more. */
int fault_error_at(int function, int index);

void fault_describe(const struct fault_plan *plan, char *text, size_t size);

#endif
