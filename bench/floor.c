/*
 * The floor of "one run of `true` in a full box": the clones, mounts and the exec that any sandbox
 * of this kind has to do, and nothing else. No limits, no messages, no clean-up of files, no clock
 * but its own: what a library run takes on top of this is what the library costs.
 *
 * usage: floor [RUNS [ready]]   prints {"medianUs":X}; root only, Linux 5.14
 *
 * With "ready" the box is there before the time begins, and taken down after it has ended: what is left is
 * to wake its init, to clone and execute the program, and to hear that it has ended.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <net/if.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* <sys/mount.h> clashes with <linux/mount.h> in older C libraries: these few are named here. */
#define RECURSIVE_PRIVATE (0x4000 | (1 << 18)) /* MS_REC | MS_PRIVATE */
#define DETACH 2                               /* MNT_DETACH */
#define NOSUID_NODEV (2 | 4)                   /* MS_NOSUID | MS_NODEV */
#define RECURSIVE 0x8000                       /* AT_RECURSIVE */

enum { BOX_ID = 60000 };

static char folder[] = "/tmp/isolate-floor-XXXXXX";
static char box_path[sizeof folder + 8], tmp_path[sizeof folder + 8], root_path[sizeof folder + 8];

static void die(const char *what) {
  fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
  _exit(2);
}

static void must(long result, const char *what) {
  if (result < 0) die(what);
}

static long clone_process(uint64_t flags) {
  struct clone_args args = {.flags = flags, .exit_signal = SIGCHLD};
  return syscall(SYS_clone3, &args, sizeof args);
}

static void mount_fs(const char *type, const char *at, unsigned long flags, const char *data) {
  must(syscall(SYS_mount, type, at, type, flags, data), at);
}

/* One directory rule: the tree at `from` appears at `to` with these mount attributes. */
static void bind_tree(const char *from, const char *to, int recursive, uint64_t attributes) {
  int depth = recursive ? RECURSIVE : 0;
  int tree = syscall(SYS_open_tree, AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | depth);
  must(tree, from);
  struct mount_attr wanted = {.attr_set = attributes};
  must(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | depth, &wanted, sizeof wanted), from);
  must(syscall(SYS_move_mount, tree, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH), to);
  close(tree);
}

/* The default rules, in their order. */
static void build_root(void) {
  static const char *const points[] = {"box", "bin", "dev", "lib", "lib64", "proc", "tmp", "usr"};
  const uint64_t writable = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  const uint64_t readonly = writable | MOUNT_ATTR_RDONLY;

  must(syscall(SYS_mount, "none", "/", NULL, RECURSIVE_PRIVATE, NULL), "private");
  mount_fs("tmpfs", root_path, NOSUID_NODEV, "mode=755");
  must(chdir(root_path), root_path);
  for (unsigned i = 0; i < sizeof points / sizeof *points; i++) {
    must(mkdir(points[i], 0755), points[i]);
  }

  bind_tree(box_path, "box", 1, writable);
  bind_tree("/bin", "bin", 1, readonly);
  bind_tree("/dev", "dev", 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_RDONLY);
  mount_fs("tmpfs", "dev/shm", NOSUID_NODEV, "");
  bind_tree("/lib", "lib", 1, readonly);
  if (access("/lib64", F_OK) == 0) bind_tree("/lib64", "lib64", 1, readonly);
  mount_fs("proc", "proc", NOSUID_NODEV, "hidepid=2");
  bind_tree(tmp_path, "tmp", 1, writable);
  bind_tree("/usr", "usr", 1, readonly);

  must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
  must(syscall(SYS_umount2, ".", DETACH), "umount");
}

static void bring_lo_up(void) {
  struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  must(fd, "socket");
  must(ioctl(fd, SIOCSIFFLAGS, &lo), "lo up");
  close(fd);
}

static void become_program(void) {
  char *const argv[] = {"/bin/true", NULL}, *const envp[] = {NULL};
  must(setgroups(0, NULL), "setgroups");
  must(setresgid(BOX_ID, BOX_ID, BOX_ID), "setresgid");
  must(setresuid(BOX_ID, BOX_ID, BOX_ID), "setresuid");
  must(chdir("/box"), "/box");
  execve(argv[0], argv, envp);
  die(argv[0]);
}

static int wait_for(pid_t pid) {
  int status;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) die("waitpid");
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static double now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

/* One word from the other side of a box's socket. */
static int hear(int fd) {
  char status = 1;
  must(read(fd, &status, 1), "read");
  return status;
}

static void tell(int fd, char status) { must(write(fd, &status, 1), "write"); }

/* Returns how long it took. */
static double run_once(int ready) {
  int pair[2];
  double start = now_us();
  must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), "socketpair");
  long init = clone_process(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS |
                            CLONE_NEWCGROUP);
  must(init, "clone3");
  if (init == 0) {
    build_root();
    bring_lo_up();
    if (ready) {
      tell(pair[1], 0);
      hear(pair[1]);
    }
    long program = ready ? vfork() : clone_process(0);
    must(program, "clone3");
    if (program == 0) become_program();
    int status = wait_for(program);
    if (ready) tell(pair[1], status);
    _exit(status);
  }
  int status = 0;
  if (ready) {
    hear(pair[0]);
    start = now_us();
    tell(pair[0], 0);
    status = hear(pair[0]);
  }
  double us = now_us() - start;
  status |= wait_for(init);
  if (!ready) us = now_us() - start;
  close(pair[0]);
  close(pair[1]);
  if (status == 0) return us;
  fprintf(stderr, "floor: the run failed\n");
  exit(2);
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  int runs = argc > 1 ? atoi(argv[1]) : 200;
  int ready = argc > 2 && strcmp(argv[2], "ready") == 0;
  if (runs < 1 || runs > 1000000 || argc > 3 || (argc > 2 && !ready)) {
    fprintf(stderr, "usage: floor [RUNS [ready]]\n");
    return 2;
  }
  double *us = calloc(runs, sizeof *us);
  if (!us || !mkdtemp(folder)) die(folder);
  sprintf(box_path, "%s/box", folder);
  sprintf(tmp_path, "%s/tmp", folder);
  sprintf(root_path, "%s/root", folder);
  must(mkdir(box_path, 0700), box_path);
  must(mkdir(tmp_path, 0700), tmp_path);
  must(mkdir(root_path, 0700), root_path);
  must(chown(box_path, BOX_ID, BOX_ID), box_path);
  must(chown(tmp_path, BOX_ID, BOX_ID), tmp_path);

  run_once(ready); /* The first one fills caches. */
  for (int i = 0; i < runs; i++) us[i] = run_once(ready);
  qsort(us, runs, sizeof *us, compare);
  printf("{\"medianUs\":%.1f}\n", us[runs / 2]);
  rmdir(box_path);
  rmdir(tmp_path);
  rmdir(root_path);
  rmdir(folder);
  return 0;
}
