/*
 * Burns CPU time in several processes at once, and says how much it was, by their own measurement.
 *
 * usage: busy MS PROCESSES   prints {"cpuMs":X}, the sum of all; MS is each one's CPU time
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double cpu_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
  double wanted_ms = argc > 1 ? atof(argv[1]) : 0, own_ms, sum_ms = 0;
  int processes = argc > 2 ? atoi(argv[2]) : 1, results[2];

  if (pipe(results) != 0) return 2;
  for (int i = 0; i < processes; i++) {
    int pid = fork();
    if (pid < 0) return 2;
    if (pid == 0) {
      do {
        for (volatile int k = 0; k < 2000; k++) continue;
        own_ms = cpu_ms();
      } while (own_ms < wanted_ms);
      _exit(write(results[1], &own_ms, sizeof own_ms) != sizeof own_ms);
    }
  }
  for (int i = 0; i < processes; i++) {
    if (read(results[0], &own_ms, sizeof own_ms) != sizeof own_ms) return 2;
    sum_ms += own_ms;
  }
  while (wait(NULL) > 0) continue;
  printf("{\"cpuMs\":%.3f}\n", sum_ms + cpu_ms());
  return 0;
}
