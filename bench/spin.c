/*
 * Burns CPU time and prints how much it was, by its own measurement.
 *
 * usage: spin MS [THREADS [PROCESSES]]   prints {"cpuMs":X,"wallMs":Y}; MS is the CPU time of each
 *                                        process, 0: for ever; cpuMs is the sum of all
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double until_ms;

static double clock_ms(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static void *spin(void *unused) {
  (void)unused;
  while (until_ms == 0 || clock_ms(CLOCK_PROCESS_CPUTIME_ID) < until_ms) {
    for (volatile int i = 0; i < 2000; i++) continue;
  }
  return NULL;
}

/* Children begin with no CPU time, and write how much they have burnt. */
static void spin_in_child(int result) {
  double own_ms;
  spin(NULL);
  own_ms = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
  _exit(write(result, &own_ms, sizeof own_ms) != sizeof own_ms);
}

int main(int argc, char **argv) {
  double cpu_ms = clock_ms(CLOCK_PROCESS_CPUTIME_ID), wall_ms = clock_ms(CLOCK_MONOTONIC);
  double wanted_ms = argc > 1 ? atof(argv[1]) : 0, other_ms, others_ms = 0;
  int threads = argc > 2 ? atoi(argv[2]) : 1, processes = argc > 3 ? atoi(argv[3]) : 1, results[2];
  pthread_t others[64];

  if (threads < 1 || threads > 64 || processes < 1 || pipe(results) != 0) return 2;
  until_ms = wanted_ms;
  for (int i = 1; i < processes; i++) {
    int pid = fork();
    if (pid < 0) return 2;
    if (pid == 0) spin_in_child(results[1]);
  }
  until_ms = wanted_ms == 0 ? 0 : cpu_ms + wanted_ms;
  for (int i = 1; i < threads; i++) {
    if (pthread_create(&others[i], NULL, spin, NULL) != 0) return 2;
  }
  spin(NULL);
  for (int i = 1; i < threads; i++) pthread_join(others[i], NULL);
  for (int i = 1; i < processes; i++) {
    if (read(results[0], &other_ms, sizeof other_ms) != sizeof other_ms) return 2;
    others_ms += other_ms;
  }
  while (processes > 1 && wait(NULL) > 0) continue;
  printf("{\"cpuMs\":%.3f,\"wallMs\":%.3f}\n",
         clock_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu_ms + others_ms,
         clock_ms(CLOCK_MONOTONIC) - wall_ms);
  return 0;
}
