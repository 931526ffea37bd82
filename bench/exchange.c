/*
 * One half of a conversation: says a line and waits for the answer, or answers every line.
 *
 * usage: exchange ask LINES      prints the numbers 1 to LINES, and after each reads a line
 *        exchange answer         reads lines until there are no more, and prints one for each
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char line[4096];

int main(int argc, char **argv) {
  long lines = argc > 2 ? atol(argv[2]) : 0;
  if (argc > 1 && strcmp(argv[1], "ask") == 0) {
    for (long i = 1; i <= lines; i++) {
      printf("%ld\n", i);
      fflush(stdout);
      if (!fgets(line, sizeof line, stdin) || atol(line) != i) return 1;
    }
    return 0;
  }
  while (fgets(line, sizeof line, stdin)) {
    fputs(line, stdout);
    fflush(stdout);
  }
  return 0;
}
