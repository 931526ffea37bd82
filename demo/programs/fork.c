/* Tries to fork, and prints what the kernel says. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
  if (fork() >= 0) return 1;
  perror("fork");
  return 0;
}
