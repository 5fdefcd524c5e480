/* faults: runs every public path with every point refused, each path and mode in a process of its own that is started
   again behind a crash: faults BAR STRIDE WORKERS [SEED PAIRS]. BAR is lua, libcurl, core, system or pairs; its result
   is the last line. */
#define _GNU_SOURCE /* fork, mmap, alarm under -std=c11 */
#include <curl/curl.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sanitizer/lsan_interface.h>

#include "faults.h"

#define MAX_PATHS 64
#define MAX_JOBS 2048
#define MAX_STARTS 200  /* of one job, behind crashes */
#define HANG_SECONDS 8   /* of one run */
#define EACH_UP_TO 16    /* points, whatever the stride */
#define LEAK_CHECK_EVERY 64 /* runs */
#define SLICES 3 /* processes that share the points of a job where each of them is tried: most of a run is a wait */
#define ASKS_TWICE (LUA_VERSION_NUM >= 502) /* this Lua, after a collection */

/* One path with one kind of fault; the process that works on it writes down how far it is. */
struct job {
  char path[32];
  enum fault_source source;
  enum fault_mode mode;
  int function;
  long first, step; /* the points that are its own; a step of 0 = see next_point */
  /* Progress. */
  struct fault_plan plans[FAULT_MAX_PLANS];
  int plan_count, error_index, starts;
  long n, runs, sites, bad, upstream, errors, both; /* both: pairs of which both were reached */
  bool done;
};

static struct job *jobs;           /* shared with their processes */
static pid_t processes[MAX_JOBS]; /* 0 = none works on it now */
static int job_count;
static char bar_name[16], logs[64];
static int stride = 1;
static uint64_t seed;
static long pairs;

/* --- One job, in its process -------------------------------------------------------------------------------------- */

static void describe(const struct job *job, char *text, size_t size) {
  char points[2][160] = {"", ""};
  int i;
  for (i = 0; i < job->plan_count; i++) fault_describe(&job->plans[i], points[i], sizeof points[i]);
  snprintf(text, size, "%s: %s%s%s", job->path, points[0], job->plan_count > 1 ? " and " : "", points[1]);
}

static void run_job(struct job *job, struct fault_result *result) {
  char text[400];
  alarm(HANG_SECONDS);
  fault_run(job->path, job->plans, job->plan_count, result);
  alarm(0);
  if (result->hit) job->runs++;
  if (result->hit && strcmp(result->outcome, "result") != 0) job->errors++;
  if (result->upstream) job->upstream++;
  if (!result->good) {
    describe(job, text, sizeof text);
    fprintf(stderr, "BAD %s: %s\n", text, result->reason);
    job->bad++;
  }
  if (job->runs % LEAK_CHECK_EVERY == LEAK_CHECK_EVERY - 1 && __lsan_do_recoverable_leak_check()) {
    describe(job, text, sizeof text);
    fprintf(stderr, "BAD a leak, at or up to %d runs before: %s\n", LEAK_CHECK_EVERY, text);
    job->bad++;
  }
}

/* Without a step of the job's own: every point first, in strides where there are many. */
static long next_point(const struct job *job) {
  if (job->step) return job->n + job->step;
  return job->n < EACH_UP_TO ? job->n + 1 : job->n + stride;
}

static void loop(struct job *job) {
  struct fault_result result;
  struct fault_plan *plan = &job->plans[0];
  bool hit = true;
  while (hit) {
    plan->n = job->n;
    run_job(job, &result);
    hit = (result.hit & 1) != 0;
    if (hit && job->n > job->sites) job->sites = job->n;
    job->n = next_point(job);
  }
  job->n = job->first;
}

static void work_on_points(struct job *job) {
  struct fault_plan *plan = &job->plans[0];
  job->plan_count = 1;
  plan->source = job->source;
  plan->mode = job->mode;
  plan->function = job->function;
  if (job->source != FAULT_SYSTEM) {
    loop(job);
    return;
  }
  for (; (plan->error = fault_error_at(job->function, job->error_index)) != 0; job->error_index++) loop(job);
}

static uint64_t draw(uint64_t *state) {
  uint64_t number = *state += UINT64_C(0x9E3779B97F4A7C15);
  number = (number ^ (number >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  number = (number ^ (number >> 27)) * UINT64_C(0x94D049BB133111EB);
  return number ^ (number >> 31);
}

/* How many points each path has: by source, and for system calls by function. Measured where first needed. */
static struct measure {
  bool taken;
  long memory[FAULT_SOURCES], calls[SHIM_FUNCTIONS];
} measures[MAX_PATHS];

static const struct measure *measure(int path, const char *name) {
  struct fault_result result;
  int i;
  if (measures[path].taken) return &measures[path];
  fault_run(name, NULL, 0, &result);
  measures[path].taken = true;
  for (i = 0; i < FAULT_SYSTEM; i++) measures[path].memory[i] = fault_passed((enum fault_source)i, 0);
  for (i = 0; i < SHIM_FUNCTIONS; i++) measures[path].calls[i] = fault_passed(FAULT_SYSTEM, i);
  return &measures[path];
}

static long draw_plan(uint64_t *state, const struct measure *measured, struct fault_plan *plan) {
  long most;
  do {
    plan->source = (enum fault_source)(draw(state) % FAULT_SOURCES);
    plan->mode = (enum fault_mode)(draw(state) % FAULT_MODES);
    plan->function = (int)(draw(state) % SHIM_FUNCTIONS);
    plan->error = fault_error_at(plan->function, (int)(draw(state) % 4));
    most = plan->source == FAULT_SYSTEM ? measured->calls[plan->function] : measured->memory[plan->source];
  } while (most == 0 || plan->error == 0);
  plan->n = 1 + (long)(draw(state) % (uint64_t)most);
  return most;
}

/* The pair of an index is the same in every run with the same seed. */
static void work_on_pairs(struct job *job, char names[][32], int count, int first, int step) {
  struct fault_result result;
  if (job->n < first) job->n = first;
  for (; job->n < pairs; job->n += step) {
    uint64_t state = seed + (uint64_t)job->n * UINT64_C(0xD1342543DE82EF95);
    int path = (int)(draw(&state) % (uint64_t)count);
    const struct measure *measured = measure(path, names[path]);
    snprintf(job->path, sizeof job->path, "%s", names[path]);
    job->plan_count = 2;
    draw_plan(&state, measured, &job->plans[0]);
    draw_plan(&state, measured, &job->plans[1]);
    run_job(job, &result);
    job->sites += 1;
    if (result.hit == 3) job->both++;
  }
}

static void on_hang(int signal) {
  static const char text[] = "HANG\n";
  ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
  (void)signal, (void)written;
  abort();
}

static void set_environment(void) {
  static const char *const names[] = {"BRAZE_CA_FILE", "BRAZE_TIMEOUT", "https_proxy", "http_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"};
  char endpoint[128];
  size_t i;
  for (i = 0; i < sizeof names / sizeof *names; i++) unsetenv(names[i]);
  snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%s/fast", getenv("HTTP_PORT") ? getenv("HTTP_PORT") : "1");
  setenv("BRAZE_API_KEY", "braze-standin-key", 1);
  setenv("BRAZE_REST_ENDPOINT", endpoint, 1);
  setenv("BRAZE_TIMEOUT", getenv("FAULT_TIMEOUT") ? getenv("FAULT_TIMEOUT") : "1", 1);
}

static void child(int index, char names[][32], int count, int workers) {
  struct job *job = &jobs[index];
  struct fault_result result;
  char log[128];
  int file, i;
  snprintf(log, sizeof log, "%s/%d", logs, index);
  file = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (file < 0 || dup2(file, STDERR_FILENO) < 0) _exit(2);
  close(file);
  signal(SIGALRM, on_hang);
  fault_points_open();
  /* What libraries keep for the life of a process is there before the first comparison. */
  for (i = 0; i < 2; i++) {
    fault_run("https", NULL, 0, &result);
    fault_run("http", NULL, 0, &result);
  }
  if (!result.good) fprintf(stderr, "BAD %s without any fault: %s\n", job->path, result.reason);
  if (!result.good) job->bad++;
  if (strcmp(bar_name, "pairs") == 0)
    work_on_pairs(job, names, count, index, workers);
  else
    work_on_points(job);
  if (__lsan_do_recoverable_leak_check()) {
    fprintf(stderr, "BAD a leak in the last runs of %s\n", job->path);
    job->bad++;
  }
  job->done = true;
  _exit(0);
}

/* --- All jobs -------------------------------------------------------------------------------------------------- */

static struct job *add_job(const char *path, enum fault_source source, int function, enum fault_mode mode) {
  struct job *job = &jobs[job_count];
  if (job_count == MAX_JOBS) abort();
  job_count++;
  snprintf(job->path, sizeof job->path, "%s", path);
  job->source = source;
  job->function = function;
  job->mode = mode;
  job->n = job->first = 1;
  return job;
}

static void add_jobs(const char *path, enum fault_source source, int function, enum fault_mode mode) {
  int slices = source == FAULT_LUA && stride == 1 ? SLICES : 1, i;
  for (i = 0; i < slices; i++) {
    struct job *job = add_job(path, source, function, mode);
    job->n = job->first = 1 + i;
    job->step = slices > 1 ? slices : 0;
  }
}

static void plan_jobs(char names[][32], int count, int workers) {
  int path, function, mode, source = 0;
  if (strcmp(bar_name, "pairs") == 0) {
    for (path = 0; path < workers; path++) add_job("pairs", FAULT_LUA, 0, FAULT_ONCE)->n = 0;
    return;
  }
  while (strcmp(fault_source_names[source], bar_name) != 0) source++;
  for (path = 0; path < count; path++)
    for (function = 0; function < (source == FAULT_SYSTEM ? SHIM_FUNCTIONS : 1); function++)
      for (mode = 0; mode < FAULT_MODES; mode++)
        if (mode != FAULT_TWICE || (source == FAULT_LUA && ASKS_TWICE)) add_jobs(names[path], (enum fault_source)source, function, (enum fault_mode)mode);
}

/* Whether the job's log, from where its last process began, shows a known defect of a library: see spec/proof/faults/upstream. */
static bool is_upstream(int index) {
  char command[256];
  snprintf(command, sizeof command, "spec/proof/faults/upstream %s/%d >/dev/null", logs, index);
  return system(command) == 0;
}

/* A process of the job at index has ended. */
static void reap(int index, int status) {
  struct job *job = &jobs[index];
  char text[400];
  FILE *log;
  char name[128];
  processes[index] = 0;
  if (job->done) return;
  describe(job, text, sizeof text);
  if (is_upstream(index))
    job->upstream++;
  else
    job->bad++;
  job->runs++;
  snprintf(name, sizeof name, "%s/%d", logs, index);
  log = fopen(name, "a");
  if (log) {
    fprintf(log, "%s %s: the process ended with status %d\n", is_upstream(index) ? "UPSTREAM" : "BAD", text, status);
    fclose(log);
  }
  if (strcmp(bar_name, "pairs") == 0) {
    job->sites++;
    job->n += job_count;
  } else {
    if (job->n > job->sites) job->sites = job->n;
    job->n = next_point(job);
  }
  if (++job->starts > MAX_STARTS) job->done = true;
}

static int find_waiting(void) {
  int i;
  for (i = 0; i < job_count; i++)
    if (!jobs[i].done && processes[i] == 0) return i;
  return -1;
}

static void run_jobs(char names[][32], int count, int workers) {
  int running = 0, status, i;
  for (;;) {
    int waiting = find_waiting();
    pid_t ended;
    if (waiting >= 0 && running < workers) {
      processes[waiting] = fork();
      if (processes[waiting] == 0) child(waiting, names, count, workers);
      running++;
      continue;
    }
    if (running == 0) return;
    ended = wait(&status);
    for (i = 0; i < job_count; i++)
      if (processes[i] == ended) reap(i, status);
    running--;
  }
}

/* One line for each path; the sum is the bar's. */
static long print_results(double seconds) {
  long sites = 0, runs = 0, bad = 0, upstream = 0, both = 0;
  int i, k;
  for (i = 0; i < job_count; i = k) {
    long path_sites = 0, path_runs = 0, path_bad = 0, path_errors = 0;
    long most[SHIM_FUNCTIONS] = {0};
    for (k = i; k < job_count && strcmp(jobs[k].path, jobs[i].path) == 0; k++) {
      if (jobs[k].sites > most[jobs[k].function]) most[jobs[k].function] = jobs[k].sites;
      path_runs += jobs[k].runs;
      path_bad += jobs[k].bad;
      path_errors += jobs[k].errors;
      upstream += jobs[k].upstream;
      both += jobs[k].both;
      if (!strcmp(bar_name, "pairs")) path_sites += jobs[k].sites;
    }
    for (int function = 0; strcmp(bar_name, "pairs") != 0 && function < SHIM_FUNCTIONS; function++) path_sites += most[function];
    if (strcmp(bar_name, "pairs") != 0)
      printf("  %-31s %5ld sites %6ld runs %6ld errors %4ld bad\n", jobs[i].path, path_sites, path_runs, path_errors, path_bad);
    sites += path_sites;
    runs += path_runs;
    bad += path_bad;
  }
  printf("  %ld known defects of libraries (spec/proof/faults/upstream); %.0f s\n", upstream, seconds);
  fflush(stdout);
  if (runs == 0) bad++;
  if (bad > 0) {
    char command[256];
    snprintf(command, sizeof command, "sed -n -e 's/ [0-9]* with/ N with/' -e '/^BAD/s/\\(allocation\\) [0-9]*/\\1 N/' -e '/^BAD/p' %s/* | sort | uniq -c | sort -rn | head -n 40", logs);
    if (system(command) != 0) puts("  no reasons were written");
  }
  if (strcmp(bar_name, "pairs") == 0)
    printf("faults-pairs: %ld pairs (both reached in %ld), %ld bad\n", sites, both, bad);
  else
    printf("faults-%s: %ld sites, %ld runs, %ld bad\n", bar_name, sites, runs, bad);
  return bad;
}

int main(int count, char **arguments) {
  static char names[MAX_PATHS][32];
  const char *only = getenv("FAULT_PATH");
  struct timespec began, ended;
  int paths = 0, workers, i, kept = 0;
  if (count < 4) return 2;
  snprintf(bar_name, sizeof bar_name, "%s", arguments[1]);
  snprintf(logs, sizeof logs, "build/proof/logs-%s", bar_name);
  stride = atoi(arguments[2]);
  workers = atoi(arguments[3]);
  seed = count > 4 ? strtoull(arguments[4], NULL, 10) : 0;
  pairs = count > 5 ? atol(arguments[5]) : 0;
  clock_gettime(CLOCK_MONOTONIC, &began);
  set_environment();
  unsetenv("LD_PRELOAD"); /* not for what is run from here */
  if (!fault_paths_open(bar_name, names, MAX_PATHS, &paths)) return 2;
  for (i = 0; only && i < paths; i++)
    if (strcmp(names[i], only) == 0) memmove(names[kept++], names[i], sizeof names[i]);
  if (only) paths = kept;
  jobs = mmap(NULL, MAX_JOBS * sizeof *jobs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (jobs == MAP_FAILED) return 2;
  printf("  %s, gcc %s; stride %d, %d processes\n", curl_version(), __VERSION__, stride, workers);
  if (pairs > 0) printf("  seed %llu\n", (unsigned long long)seed);
  fflush(stdout);
  plan_jobs(names, paths, workers);
  run_jobs(names, paths, workers);
  clock_gettime(CLOCK_MONOTONIC, &ended);
  return print_results((double)(ended.tv_sec - began.tv_sec)) > 0;
}
