/* Makes files that users of the host would run as the box's user, and lowers limits that keep the host out. */
#include "attack.h"
#include <linux/openat2.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

static int file(void) {
  unlink("file");
  return open("file", O_RDWR | O_CREAT, 0755);
}

static int has_bits(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && (status.st_mode & 06000) != 0;
}

/* Whatever the call returns: what counts is the file. */
#define MAKE(name, call) (unlink("made"), errno = 0, (void)(call), checked(name, has_bits("made")))
#define CHANGE(name, call) (file(), errno = 0, (void)(call), checked(name, has_bits("file")))

static void modes(char **arguments) {
  int fd = file();
  struct open_how how = {.flags = O_CREAT | O_WRONLY, .mode = 04755};
  CHANGE("chmod setuid", chmod("file", 04755));
  CHANGE("chmod setgid", chmod("file", 02755));
  CHANGE("chmod both, with junk", syscall(SYS_fchmodat, AT_FDCWD, "file", 0x700000000UL | 06755));
  fd = file();
  checked("fchmod", (fchmod(fd, 04755), has_bits("file")));
  checked("fchmod of an O_PATH descriptor", (syscall(SYS_fchmodat2, open("file", O_PATH), "", 04755, AT_EMPTY_PATH), has_bits("file")));
  CHANGE("fchmodat2", syscall(SYS_fchmodat2, AT_FDCWD, "file", 04755, 0));
  umask(0);
  MAKE("open", open("made", O_CREAT | O_WRONLY, 04755));
  MAKE("openat", openat(AT_FDCWD, "made", O_CREAT | O_RDWR | O_EXCL, 06755));
  MAKE("openat2", syscall(SYS_openat2, AT_FDCWD, "made", &how, sizeof how));
  MAKE("creat", creat("made", 04755));
  MAKE("mknod", mknod("made", S_IFREG | 04755, 0));
  MAKE("mknodat", mknodat(AT_FDCWD, "made", S_IFREG | 02755, 0));
  char path[64];
  sprintf(path, "/proc/self/fd/%d", open(".", O_TMPFILE | O_RDWR, 04755));
  MAKE("a nameless file", linkat(AT_FDCWD, path, AT_FDCWD, "made", AT_SYMLINK_FOLLOW));
  /* What a program may do is as it was. */
  umask(022);
  if (chmod("file", 01700) < 0 || open("made2", O_CREAT | O_RDWR, 0644) < 0 || open(".", O_TMPFILE | O_RDWR, 0600) < 0)
    got_through("ordinary modes fail", strerror(errno));
}

static void core(char **arguments) {
  struct rlimit none = {0, 0}, soft = {0, 1}, now;
  (void)setrlimit(RLIMIT_CORE, &soft);
  (void)prlimit(0, RLIMIT_CORE, &soft, NULL);
  (void)syscall(SYS_prlimit64, getpid(), RLIMIT_CORE | 0x100000000UL, &none, &now);
#ifdef SYS_setrlimit
  (void)syscall(SYS_setrlimit, RLIMIT_CORE, &none);
#endif
  if (getrlimit(RLIMIT_CORE, &now) < 0)
    got_through("the limit cannot be read", strerror(errno));
  checked("lower the limit on core files", now.rlim_cur != 1 || now.rlim_max != 1);
}

/* Opens the box to everybody, and waits. */
static void inviting(char **arguments) {
  chmod(".", 0777);
  int fd = open("secret", O_CREAT | O_WRONLY, 0644);
  write(fd, "secret\n", 7);
  puts("open");
  fflush(stdout);
  pause();
}

/* Rings make files, too, and no filter sees their modes. */
static void ring(char **arguments) {
  TRY("make a ring", syscall(SYS_io_uring_setup, 8, (char[256]){0}));
}

int main(int argc, char **argv) {
  const struct attack attacks[] = {{"modes", modes}, {"core", core}, {"inviting", inviting}, {"ring", ring}};
  return attack_main(argc, argv, attacks, 4);
}
