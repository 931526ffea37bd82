/* Prints how many thousand times a second this machine's time stamp counter ticks. */
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

int main(void) {
  double start_ms = now_ms(), end_ms;
  unsigned long long start = __rdtsc(), end;

  do {
    end_ms = now_ms();
    end = __rdtsc();
  } while (end_ms - start_ms < 100);
  printf("%.0f\n", (end - start) / (end_ms - start_ms));
  return 0;
}
