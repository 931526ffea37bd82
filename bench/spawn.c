/* usage: spawn ROUNDS PROGRAM ARG...: runs a program again and again, and prints how long it takes from its start to its
 * end, in microseconds. ROUNDS `-`: until the standard input ends, once at least. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS_MAX = 1000000 };

extern char **environ;

static double now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static int input_has_ended(void) {
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  return poll(&input, 1, 0) > 0;
}

int main(int argc, char **argv) {
  int is_endless = argc > 2 && strcmp(argv[1], "-") == 0;
  int rounds = is_endless ? ROUNDS_MAX : argc > 2 ? atoi(argv[1]) : 0, done = 0;
  double *times = calloc((size_t)rounds + 1, sizeof *times);
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  while (done < rounds && !(is_endless && done > 0 && input_has_ended())) {
    double start = now_us();
    pid_t child;
    int status;
    if (posix_spawn(&child, argv[2], &quiet, 0, argv + 2, environ) || waitpid(child, &status, 0) < 0 || status) {
      fprintf(stderr, "%s failed\n", argv[2]);
      return 1;
    }
    times[done++] = now_us() - start;
  }
  qsort(times, (size_t)done, sizeof *times, compare);
  printf("{\"runs\": %d, \"medianUs\": %.1f, \"p99Us\": %.1f}\n", done, times[done / 2], times[(int)(done * 0.99)]);
  return done == 0;
}
