/* Runs a command on a pseudo-terminal, as somebody's shell would, and prints what it wrote, then
 * "queue: N": how many bytes there are that the shell would now read as if its user had typed them.
 * First argument: "controlling" (the terminal is the session's) or "bare" (it is nobody's). */
#include "attack.h"

#include <sys/ioctl.h>
#include <termios.h>

int main(int argc, char **argv) {
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  grantpt(master);
  unlockpt(master);
  int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  struct termios raw;
  tcgetattr(slave, &raw);
  cfmakeraw(&raw);
  tcsetattr(slave, TCSANOW, &raw);
  int child = fork();
  if (child == 0) {
    setsid();
    if (!strcmp(argv[1], "controlling")) {
      ioctl(slave, TIOCSCTTY, 0);
      tcsetpgrp(slave, getpid());
    }
    dup2(slave, 0);
    dup2(slave, 1);
    dup2(slave, 2);
    execvp(argv[2], argv + 2);
    _exit(127);
  }
  int status = 0, done = 0, flags = fcntl(master, F_GETFL);
  fcntl(master, F_SETFL, flags | O_NONBLOCK);
  char text[4096];
  for (;;) {
    ssize_t length = read(master, text, sizeof text);
    if (length > 0) {
      write(1, text, length);
    } else if (done) {
      break;
    } else {
      done = waitpid(child, &status, WNOHANG) == child;
      usleep(2000);
    }
  }
  /* What was typed ahead. A terminal that somebody has hung up has none. */
  int queued = 0;
  ioctl(slave, FIONREAD, &queued);
  printf("\nqueue: %d\n", queued);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
