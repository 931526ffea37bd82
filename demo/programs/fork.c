/* Wants a child, and says what the kernel thinks of it. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
  if (fork() >= 0) return 1;
  perror("fork");
  return 0;
}
