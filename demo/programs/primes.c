/* Counts the primes below the number on standard input. */
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  int below, count = 0;
  if (scanf("%d", &below) != 1) return 1;
  char *composite = calloc(below, 1);
  if (!composite) return 1;
  for (int i = 2; i < below; i++) {
    if (composite[i]) continue;
    count++;
    for (long j = (long)i * i; j < below; j += i) composite[j] = 1;
  }
  printf("%d\n", count);
  return 0;
}
