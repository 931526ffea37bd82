/* Leaves things in the kernel for a program that comes later, in this box or in another. */
#include "attack.h"

#include <mqueue.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

enum { KEY = 0x15017a7e };

static long add_key(const char *description, int keyring) {
  return syscall(SYS_add_key, "user", description, "trace", 5, keyring);
}

static void must(const char *what, long result) {
  if (result < 0) {
    printf("cannot leave %s: %s\n", what, strerror(errno));
    exit(98);
  }
}

static void leave(char **arguments) {
  (void)arguments;
  must("shared memory", shmget(KEY, 4096, IPC_CREAT | 0666));
  must("a semaphore", semget(KEY, 1, IPC_CREAT | 0666));
  must("a message queue", msgget(KEY, IPC_CREAT | 0666));
  must("POSIX shared memory", shm_open("/isolate-trace", O_RDWR | O_CREAT, 0666));
  must("a POSIX message queue", mq_open("/isolate-trace", O_RDWR | O_CREAT, 0666, NULL));
  must("a temporary file", open("/tmp/isolate-trace", O_RDWR | O_CREAT, 0666));
}

static void look(char **arguments) {
  TRY("find shared memory", shmget(KEY, 0, 0));
  TRY("find a semaphore", semget(KEY, 0, 0));
  TRY("find a message queue", msgget(KEY, 0));
  TRY("find POSIX shared memory", shm_open("/isolate-trace", O_RDWR, 0));
  TRY("find a POSIX message queue", mq_open("/isolate-trace", O_RDWR));
  if (arguments[0])
    TRY("find a temporary file", open("/tmp/isolate-trace", O_RDONLY));
}

static void keys_forbidden(char **arguments) {
  (void)arguments;
  TRY("add a key to the session", add_key("isolate-trace", -3));
  TRY("add a key to the user", add_key("isolate-trace", -4));
  TRY("request a key", syscall(SYS_request_key, "user", "isolate-trace", NULL, 0));
  TRY("read the session's keyring", syscall(SYS_keyctl, 11, -3, NULL, 0));
}

/* -1 thread, -2 process, -3 session, -4 user, -5 the user's session; and the persistent one. */
static void leave_keys(char **arguments) {
  (void)arguments;
  for (int keyring = -1; keyring >= -5; keyring--)
    must("a key", add_key("isolate-trace", keyring));
  long persistent = syscall(SYS_keyctl, 22, -1, -2, 0, 0);
  if (persistent >= 0)
    must("a key in the persistent keyring", add_key("isolate-trace", persistent));
}

static void look_for_keys(char **arguments) {
  (void)arguments;
  long persistent = syscall(SYS_keyctl, 22, -1, -2, 0, 0);
  for (int keyring = -1; keyring >= -5; keyring--) {
    char name[64];
    snprintf(name, sizeof name, "find a key in keyring %d", keyring);
    TRY(name, syscall(SYS_keyctl, 10, keyring, "user", "isolate-trace", 0));
  }
  if (persistent >= 0)
    TRY("find a key in the persistent keyring", syscall(SYS_keyctl, 10, persistent, "user", "isolate-trace", 0));
  TRY("request a key", syscall(SYS_request_key, "user", "isolate-trace", NULL, 0));
}

static void locks(char **arguments) {
  int fd = open(arguments[0], O_RDONLY);
  if (fd < 0)
    exit(98);
  struct flock whole = {F_RDLCK, SEEK_SET};
  TRY("flock", flock(fd, LOCK_SH));
  TRY("flock what it inherited", flock(0, LOCK_EX));
  TRY("F_SETLK", fcntl(fd, F_SETLK, &whole));
  TRY("F_SETLKW", fcntl(fd, F_SETLKW, &whole));
  TRY("F_OFD_SETLK", fcntl(fd, F_OFD_SETLK, &whole));
  TRY("F_OFD_SETLKW", fcntl(fd, F_OFD_SETLKW, &whole));
  TRY("F_SETLEASE", fcntl(fd, F_SETLEASE, F_RDLCK));
  TRY("F_NOTIFY", fcntl(fd, F_NOTIFY, 1));
  TRY("F_SETLK with junk in the high bits", syscall(SYS_fcntl, fd, F_SETLK | 0xdeadbeefL << 32, &whole));
  TRY("a write lease", fcntl(fd, F_SETLEASE, F_WRLCK));
}

static void hold_lock(char **arguments) {
  int fd = open(arguments[0], O_RDONLY);
  must("a lock", flock(fd, LOCK_EX));
  write(1, "locked\n", 7);
  /* A process that would keep it alive. */
  if (fork() == 0)
    for (;;)
      pause();
}

static const struct attack attacks[] = {
    {"leave", leave},           {"look", look},   {"keys-forbidden", keys_forbidden}, {"leave-keys", leave_keys},
    {"look-for-keys", look_for_keys}, {"locks", locks}, {"hold-lock", hold_lock}};
ATTACK_MAIN(attacks)
