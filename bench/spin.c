/*
 * Burns CPU time and says how much it was, by its own measurement.
 *
 * usage: spin MS [THREADS]   prints {"cpuMs":X,"wallMs":Y}; MS is CPU time, 0: for ever
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

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

int main(int argc, char **argv) {
  double cpu_ms = clock_ms(CLOCK_PROCESS_CPUTIME_ID), wall_ms = clock_ms(CLOCK_MONOTONIC);
  double wanted_ms = argc > 1 ? atof(argv[1]) : 0;
  int threads = argc > 2 ? atoi(argv[2]) : 1;
  pthread_t others[64];

  until_ms = wanted_ms == 0 ? 0 : cpu_ms + wanted_ms;
  if (threads < 1 || threads > 64) return 2;
  for (int i = 1; i < threads; i++) {
    if (pthread_create(&others[i], NULL, spin, NULL) != 0) return 2;
  }
  spin(NULL);
  for (int i = 1; i < threads; i++) pthread_join(others[i], NULL);
  printf("{\"cpuMs\":%.3f,\"wallMs\":%.3f}\n", clock_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu_ms,
         clock_ms(CLOCK_MONOTONIC) - wall_ms);
  return 0;
}
