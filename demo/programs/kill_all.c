/* Tries to kill or trace every process it can see. Status 0: it could not. */
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <unistd.h>

int main(void) {
  int hits = 0;
  signal(SIGTERM, SIG_IGN);
  hits += kill(-1, SIGTERM) == 0;
  perror("kill -1");
  hits += kill(1, SIGKILL) == 0;
  perror("kill 1");
  hits += ptrace(PTRACE_ATTACH, 1, 0, 0) == 0;
  perror("ptrace 1");
  return hits;
}
