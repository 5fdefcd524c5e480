/* processes: runs commands in turn (A B C A B C ...) and prints what each run took, from its start to its end, as JSON.
   processes ROUNDS -- COMMAND [-- COMMAND]...; NAME=VALUE in front of a command sets its environment. */
#define _GNU_SOURCE /* clock_gettime and wait4 under -std=c11 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_COMMANDS 32
#define MAX_ROUNDS 1000

struct command {
  char **words; /* ended by NULL */
  int bad;
  double cpu_us[MAX_ROUNDS], wall_us[MAX_ROUNDS];
};

static struct command commands[MAX_COMMANDS];

static double wall_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double microseconds(struct timeval time) {
  return (double)time.tv_sec * 1e6 + (double)time.tv_usec;
}

/* The child's part: never returns. What the command prints is dropped, but not what it complains about. */
static void become(char **words) {
  int nothing = open("/dev/null", O_WRONLY);
  if (nothing >= 0) dup2(nothing, STDOUT_FILENO);
  while (*words && strchr(*words, '=')) putenv(*words++);
  if (*words) execvp(*words, words);
  perror(*words ? *words : "no command");
  _exit(127);
}

/* The CPU time is what the kernel counted for the child and those that it waited for. */
static void run(struct command *command, int round) {
  struct rusage usage;
  int status = -1;
  double begun = wall_us();
  pid_t child = fork();
  memset(&usage, 0, sizeof usage);
  if (child == 0) become(command->words);
  if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0) command->bad++;
  command->wall_us[round] = wall_us() - begun;
  command->cpu_us[round] = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
}

/* Splits the words at each "--". */
static int read_commands(int count, char **words) {
  int commands_found = 0, i;
  for (i = 0; i < count; i++) {
    if (strcmp(words[i], "--") != 0) continue;
    if (commands_found == MAX_COMMANDS) return 0;
    words[i] = NULL;
    commands[commands_found++].words = &words[i + 1];
  }
  return commands_found;
}

static void print_numbers(const char *name, const double *numbers, int count) {
  int i;
  printf("\"%s\":[", name);
  for (i = 0; i < count; i++) printf("%s%.0f", i == 0 ? "" : ",", numbers[i]);
  printf("]");
}

int main(int count, char **words) {
  int rounds = count > 1 ? atoi(words[1]) : 0, command_count, round, i;
  if (rounds < 1 || rounds > MAX_ROUNDS || (command_count = read_commands(count - 2, words + 2)) == 0) {
    fprintf(stderr, "usage: processes ROUNDS -- COMMAND [-- COMMAND]..., at most %d rounds and %d commands\n",
            MAX_ROUNDS, MAX_COMMANDS);
    return 2;
  }
  for (i = 0; i < command_count; i++) run(&commands[i], 0); /* reads what the disk holds, and is not counted */
  for (round = 0; round < rounds; round++)
    for (i = 0; i < command_count; i++) run(&commands[(round + i) % command_count], round);
  printf("[");
  for (i = 0; i < command_count; i++) {
    printf("%s\n{\"n\":%d,\"bad\":%d,", i == 0 ? "" : ",", rounds, commands[i].bad);
    print_numbers("cpu_us", commands[i].cpu_us, rounds);
    printf(",");
    print_numbers("wall_us", commands[i].wall_us, rounds);
    printf("}");
  }
  printf("]\n");
  return 0;
}
