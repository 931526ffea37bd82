/* Looks at, signals and takes over processes that are not its own. */
#include "attack.h"

static void see(char **arguments) {
  (void)arguments;
  DIR *directory = opendir("/proc");
  struct dirent *entry;
  int own = 0, others = 0;
  while ((entry = readdir(directory)))
    if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
      atoi(entry->d_name) == getpid() ? own++ : others++;
  checked("list other processes in /proc", own != 1 || others != 0);
  char path[64];
  const char *files[] = {"", "/status", "/cmdline", "/environ", "/maps", "/mem", "/exe", "/fd", "/ns/mnt", "/root",
                         "/task/1/mem"};
  for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
    snprintf(path, sizeof path, "/proc/1%s", files[i]);
    TRY(path, open(path, O_RDONLY));
  }
}

/* With caution: signal 0 first, to every number a process can have. */
static void send_signals(char **arguments) {
  (void)arguments;
  TRY("end all others by kill(-1)", kill(-1, SIGKILL));
  TRY("kill init", kill(1, SIGKILL));
  TRY("stop init", kill(1, SIGSTOP));
  TRY("queue a signal for init", sigqueue(1, SIGRTMIN, (union sigval){0}));
  TRY("kill a thread of init", syscall(SYS_tgkill, 1, 1, SIGKILL));
  int pidfd = syscall(SYS_pidfd_open, 1, 0);
  if (pidfd >= 0)
    TRY("kill init by a descriptor", syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0));
  int found = 0;
  for (int pid = 2; pid <= 4194304 && pid < 70000; pid++)
    if (pid != getpid() && (kill(pid, 0) == 0 || errno == EPERM))
      found++;
  checked("reach a process of the host by its number", found > 0);
  found = 0;
  for (int group = 2; group < 70000; group++)
    if (group != getpgrp() && (kill(-group, 0) == 0 || errno == EPERM))
      found++;
  checked("reach a process group of the host by its number", found > 0);
  checked("belong to a session that it can name", getsid(0) != 0);
  checked("be in the group of who started it", getpgrp() != getpid());
}

static void take_over(char **arguments) {
  (void)arguments;
  char bytes[16];
  struct iovec here = {bytes, sizeof bytes}, there = {(void *)0x400000, sizeof bytes};
  TRY("attach to init", ptrace(PTRACE_ATTACH, 1, 0, 0));
  TRY("seize init", ptrace(PTRACE_SEIZE, 1, 0, 0));
  TRY("read the memory of init", process_vm_readv(1, &here, 1, &there, 1, 0));
  TRY("write the memory of init", process_vm_writev(1, &here, 1, &there, 1, 0));
  TRY("open the memory of init", open("/proc/1/mem", O_RDWR));
  int pidfd = syscall(SYS_pidfd_open, 1, 0);
  for (int fd = 0; fd < 64 && pidfd >= 0; fd++)
    if (syscall(SYS_pidfd_getfd, pidfd, fd, 0) >= 0)
      got_through("take a descriptor of init", "");
  TRY("take the first descriptor of init", syscall(SYS_pidfd_getfd, pidfd, 0, 0));
  TRY("enter the namespaces of init", setns(pidfd, CLONE_NEWNS | CLONE_NEWPID));
  TRY("change the limits of init", prlimit(1, RLIMIT_CPU, &(struct rlimit){1, 1}, NULL));
  TRY("read the limits of init", prlimit(1, RLIMIT_CPU, NULL, &(struct rlimit){0, 0}));
  TRY("change the priority of init", setpriority(PRIO_PROCESS, 1, 19));
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(0, &set);
  TRY("bind init to a CPU", sched_setaffinity(1, sizeof set, &set));
  TRY("change the scheduling of init", sched_setscheduler(1, SCHED_IDLE, &(struct sched_param){0}));
  TRY("compare with init", syscall(SYS_kcmp, getpid(), 1, 0, 0, 0));
  TRY("move the pages of init", syscall(SYS_move_pages, 1, 0, NULL, NULL, NULL, 0));
  checked("have a tracer or a parent that is not init", getppid() != 1);
}

static const struct attack attacks[] = {{"see", see}, {"signal", send_signals}, {"take-over", take_over}};
ATTACK_MAIN(attacks)
