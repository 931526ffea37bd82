/* Leaves processes that want to live longer than the program. */
#include "attack.h"

#include <pthread.h>

static void ignore_everything(void) {
  for (int signal = 1; signal < 65; signal++)
    sigaction(signal, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
}

static void live_on(void) {
  ignore_everything();
  for (int fd = 0; fd < 1024; fd++)
    close(fd);
  for (;;)
    pause();
}

static void double_fork(char **arguments) {
  (void)arguments;
  if (fork() == 0) {
    setsid();
    if (fork() == 0)
      live_on();
    _exit(0);
  }
  usleep(20000);
}

static void stopped(char **arguments) {
  (void)arguments;
  for (int i = 0; i < 3; i++)
    if (fork() == 0) {
      raise(SIGSTOP);
      live_on();
    }
  usleep(20000);
}

/* A child of init, not of the program. */
static void sibling(char **arguments) {
  (void)arguments;
  if (syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) == 0)
    live_on();
  if (syscall(SYS_clone, CLONE_PARENT, 0, 0, 0, 0) == 0)
    live_on();
  usleep(20000);
}

static void reaper(char **arguments) {
  (void)arguments;
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
  for (int i = 0; i < 3; i++)
    if (fork() == 0) {
      prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
      if (fork() == 0)
        live_on();
      live_on();
    }
  usleep(20000);
}

/* The program's own child traces it: only the tracer learns of its end. */
static void traced(char **arguments) {
  (void)arguments;
  int parent = getpid(), ready[2];
  char byte;
  prctl(PR_SET_PTRACER, -1, 0, 0, 0);
  pipe(ready);
  if (fork() == 0) {
    if (ptrace(PTRACE_SEIZE, parent, 0, 0) == 0)
      write(ready[1], "", 1);
    live_on();
  }
  read(ready[0], &byte, 1);
}

static void *wait_forever(void *argument) {
  live_on();
  return argument;
}

/* The thread that the process is known by ends, another one lives on. */
static void leader_ends(char **arguments) {
  (void)arguments;
  pthread_t thread;
  pthread_create(&thread, NULL, wait_forever, NULL);
  /* Not pthread_exit(): that loads a library first, and unwinds. */
  syscall(SYS_exit, 0);
}

static void never_ends(char **arguments) {
  (void)arguments;
  for (int i = 0; i < 5; i++)
    if (fork() == 0) {
      setsid();
      live_on();
    }
  live_on();
}

/* Starts new processes faster than somebody could kill them one by one. */
static void hydra(char **arguments) {
  (void)arguments;
  ignore_everything();
  for (;;)
    if (fork() > 0)
      _exit(0);
}

static const struct attack attacks[] = {
    {"double-fork", double_fork}, {"stopped", stopped},         {"sibling", sibling},       {"reaper", reaper},
    {"traced", traced},           {"leader-ends", leader_ends}, {"never-ends", never_ends}, {"hydra", hydra}};
ATTACK_MAIN(attacks)
