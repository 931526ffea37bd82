/* Looks for descriptors that were left open, and misuses its own. */
#include "attack.h"

static const char *target_of(int fd) {
  static char path[64], target[PATH_MAX];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(path, target, sizeof target - 1);
  target[length < 0 ? 0 : length] = 0;
  return target;
}

static void count(char **arguments) {
  (void)arguments;
  int found = 0;
  for (int fd = 3; fd < 1 << 20; fd++)
    if (fcntl(fd, F_GETFD) >= 0) {
      found++;
      fprintf(stderr, "%d: %s\n", fd, target_of(fd));
    }
  checked("inherit a descriptor above 2", found > 0);
}

/* With --inherit-fds: the caller's are there, the sandbox's are not. */
static void inherited(char **arguments) {
  int callers = 0;
  for (int fd = 3; fd < 4096; fd++) {
    if (fcntl(fd, F_GETFD) < 0)
      continue;
    const char *target = target_of(fd);
    if (!strcmp(target, arguments[0]))
      callers++;
    /* The report socket, the plan, mounts, the lock, directories of the box, epoll sets and timers. */
    struct stat status;
    fstat(fd, &status);
    if (S_ISSOCK(status.st_mode) || S_ISDIR(status.st_mode) || !strncmp(target, "/memfd:", 7) ||
        strstr(target, "anon_inode") || strstr(target, "/locks/"))
      got_through("inherit a descriptor of the sandbox", target);
  }
  printf("callers: %d\n", callers);
}

/* Writes messages as the box's init would to everything that it can find. */
static void forge(char **arguments) {
  (void)arguments;
  unsigned char report[88] = {3 /* ended */};
  int sent = 0;
  for (int fd = 0; fd < 4096; fd++)
    sent += send(fd, report, sizeof report, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
  checked("send a message to the keeper", sent > 0);
  int ends[2];
  socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends);
  for (int fd = 0; fd < 1024; fd++)
    dup2(ends[0], fd);
  for (int fd = 0; fd < 1024; fd++)
    send(fd, report, sizeof report, MSG_DONTWAIT | MSG_NOSIGNAL);
  _exit(7);
}

static void close_all(char **arguments) {
  (void)arguments;
  for (int fd = 0; fd < 1024; fd++)
    close(fd);
  int ends[2];
  while (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0)
    ;
  _exit(8);
}

static const struct attack attacks[] = {
    {"count", count}, {"inherited", inherited}, {"forge", forge}, {"close", close_all}};
ATTACK_MAIN(attacks)
