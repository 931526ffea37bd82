/* Should print the sum of 1 to the number on standard input. */
#include <stdio.h>

int main(void) {
  long n, sum = 0;
  if (scanf("%ld", &n) != 1) return 1;
  for (long i = 1; i < n; i++) sum += i;
  printf("%ld\n", sum);
  return 0;
}
