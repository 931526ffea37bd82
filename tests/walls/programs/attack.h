/* What the attack programs have in common. Each attempt prints one line: "NAME: denied (REASON)" or
 * "NAME: GOT THROUGH". The program itself ends with 0: a wall that held is no failure. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void got_through(const char *name, const char *detail) {
  printf("%s: GOT THROUGH %s\n", name, detail);
  fflush(stdout);
}

static void denied(const char *name, const char *reason) {
  printf("%s: denied (%s)\n", name, reason);
  fflush(stdout);
}

/* A call that must fail. */
static void tried(const char *name, long result) {
  if (result < 0)
    denied(name, strerror(errno));
  else
    got_through(name, "");
}
#define TRY(name, call) (errno = 0, tried(name, (long)(call)))

/* A condition that must not hold. */
static void checked(const char *name, int broken) {
  if (broken)
    got_through(name, "");
  else
    denied(name, "not so");
}

struct attack {
  const char *name;
  void (*run)(char **arguments);
};

/* Runs the attack that the first argument names. */
static int attack_main(int argc, char **argv, const struct attack *attacks, int count) {
  for (int i = 0; argc > 1 && i < count; i++)
    if (!strcmp(argv[1], attacks[i].name)) {
      attacks[i].run(argv + 2);
      return 0;
    }
  fprintf(stderr, "no such attack\n");
  return 99;
}
#define ATTACK_MAIN(attacks)                                                    \
  int main(int argc, char **argv) {                                             \
    return attack_main(argc, argv, attacks, sizeof attacks / sizeof *attacks);  \
  }
