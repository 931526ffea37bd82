/* Leaves a process behind that nobody waits for, and that ignores all signals. */
#include <signal.h>
#include <unistd.h>

int main(void) {
  pid_t child = fork();
  if (child != 0) return child < 0;
  setsid();
  if (fork() != 0) _exit(0);
  for (int number = 1; number < 65; number++) signal(number, SIG_IGN);
  for (;;) pause();
}
