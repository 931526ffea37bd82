/* Tries to become more than it is. */
#include "attack.h"

#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/klog.h>
#include <sys/reboot.h>
#include <sys/swap.h>
#include <sys/timex.h>
#include <time.h>

static void mounts(char **arguments) {
  (void)arguments;
  TRY("mount a tmpfs", mount("none", "/tmp", "tmpfs", 0, NULL));
  TRY("mount a proc", mount("none", "/tmp", "proc", 0, NULL));
  TRY("bind a directory", mount("/usr", "/tmp", NULL, MS_BIND, NULL));
  TRY("remount /usr writable", mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL));
  TRY("remount / writable", mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
  TRY("remount /box with devices", mount(NULL, "/box", NULL, MS_REMOUNT | MS_BIND, NULL));
  TRY("share mounts with the host", mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL));
  TRY("move a mount", mount("/usr", "/tmp", NULL, MS_MOVE, NULL));
  const char *points[] = {"/", "/usr", "/bin", "/proc", "/dev", "/dev/shm", "/tmp", "/box"};
  for (unsigned i = 0; i < sizeof points / sizeof *points; i++) {
    char name[64];
    snprintf(name, sizeof name, "unmount %s", points[i]);
    TRY(name, umount2(points[i], 0));
    snprintf(name, sizeof name, "detach %s", points[i]);
    TRY(name, umount2(points[i], MNT_DETACH));
  }
  TRY("chroot", chroot("/box"));
  TRY("pivot_root", syscall(SYS_pivot_root, ".", "."));
  TRY("open a new file system", syscall(SYS_fsopen, "tmpfs", 0));
  TRY("look into a mounted file system", syscall(SYS_fspick, AT_FDCWD, "/usr", 0));
  TRY("clone a mount", syscall(SYS_open_tree, AT_FDCWD, "/usr", 1));
  TRY("clone a tree of mounts", syscall(SYS_open_tree, AT_FDCWD, "/", 1 | 0x8000));
  TRY("move a mount by descriptors", syscall(SYS_move_mount, AT_FDCWD, "/usr", AT_FDCWD, "/tmp", 0));
  unsigned long attributes[4] = {0, 1, 0, 0};
  TRY("clear read-only", syscall(SYS_mount_setattr, AT_FDCWD, "/usr", 0, attributes, 32));
  TRY("clear read-only below", syscall(SYS_mount_setattr, AT_FDCWD, "/", 0x8000, attributes, 32));
}

static void namespaces(char **arguments) {
  (void)arguments;
  const struct {
    const char *name;
    int flag;
  } kinds[] = {{"user", CLONE_NEWUSER}, {"mnt", CLONE_NEWNS},         {"pid", CLONE_NEWPID}, {"net", CLONE_NEWNET},
               {"ipc", CLONE_NEWIPC},   {"uts", CLONE_NEWUTS},        {"cgroup", CLONE_NEWCGROUP},
               {"time", 0x80}};
  for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    char name[64], path[64];
    snprintf(name, sizeof name, "unshare %s", kinds[i].name);
    TRY(name, unshare(kinds[i].flag));
    snprintf(name, sizeof name, "unshare %s with user", kinds[i].name);
    TRY(name, unshare(kinds[i].flag | CLONE_NEWUSER));
    unsigned long clone_args[11] = {kinds[i].flag, 0, 0, 0, SIGCHLD};
    snprintf(name, sizeof name, "clone3 into a new %s", kinds[i].name);
    errno = 0;
    long child = syscall(SYS_clone3, clone_args, sizeof clone_args);
    if (child == 0)
      _exit(0);
    tried(name, child);
    snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i].name);
    int fd = open(path, O_RDONLY);
    snprintf(name, sizeof name, "setns %s", kinds[i].name);
    TRY(name, setns(fd, 0));
    snprintf(name, sizeof name, "find the parent of %s", kinds[i].name);
    TRY(name, ioctl(fd, 0xb702));
    close(fd);
  }
}

static void identities(char **arguments) {
  (void)arguments;
  TRY("setuid", setuid(0));
  TRY("setreuid", syscall(SYS_setreuid, -1, 0));
  TRY("setresuid", syscall(SYS_setresuid, 0, -1, -1));
  TRY("setgid", setgid(0));
  TRY("setresgid", syscall(SYS_setresgid, -1, 0, -1));
  TRY("setgroups", syscall(SYS_setgroups, 1, (gid_t[]){0}));
  setfsuid(0);
  setfsgid(0);
  checked("setfsuid", setfsuid(-1) == 0);
  checked("setfsgid", setfsgid(-1) == 0);
  checked("have supplementary groups", getgroups(0, NULL) != 0);
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{0}, {0}};
  syscall(SYS_capget, &header, data);
  checked("have capabilities", data[0].permitted | data[1].permitted | data[0].effective | data[1].effective |
                                   data[0].inheritable | data[1].inheritable);
  data[0].permitted = data[0].effective = data[0].inheritable = ~0;
  TRY("raise capabilities", syscall(SYS_capset, &header, data));
  for (int i = 0; i < 64; i++)
    if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) > 0)
      got_through("have a capability in the bounding set", "");
  TRY("raise an ambient capability", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 0, 0, 0));
  TRY("set secure bits", prctl(PR_SET_SECUREBITS, 0, 0, 0, 0));
  checked("be without no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1);
  TRY("take no_new_privs back", prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
  TRY("take the filter back", prctl(PR_SET_SECCOMP, 0, 0, 0, 0));
}

static void machine(char **arguments) {
  (void)arguments;
  struct timespec time = {0, 0};
  TRY("set the clock", clock_settime(CLOCK_REALTIME, &time));
  TRY("adjust the clock", adjtimex(&(struct timex){.modes = ADJ_FREQUENCY}));
  TRY("set the hostname", sethostname("evil", 4));
  TRY("set the domain", setdomainname("evil", 4));
  TRY("load a module", syscall(SYS_init_module, "", 0, ""));
  TRY("delete a module", syscall(SYS_delete_module, "ext4", 0));
  TRY("load a kernel", syscall(SYS_kexec_load, 0, 0, NULL, 0));
  TRY("swap", swapon("/box/x", 0));
  TRY("account", acct("/box/x"));
  TRY("clear the kernel's log", klogctl(5, NULL, 0));
  TRY("read disk quotas", syscall(SYS_quotactl, 0x80000700, "/dev/vda", 0, NULL));
  TRY("hang up the terminal", vhangup());
  TRY("watch all files", syscall(SYS_fanotify_init, 4 /* permission events */, 0));
#if defined(__x86_64__)
  TRY("use ports of the hardware", syscall(SYS_iopl, 3));
  TRY("use some ports of the hardware", syscall(SYS_ioperm, 0x80, 1, 1));
#endif
  TRY("real-time scheduling", sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){10}));
  TRY("better priority", setpriority(PRIO_PROCESS, 0, -20));
  TRY("lock memory", mlockall(MCL_CURRENT));
  TRY("make a ring that no filter sees", syscall(SYS_io_uring_setup, 8, (char[256]){0}));
}

static void limits(char **arguments) {
  (void)arguments;
  for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
    struct rlimit limit;
    char name[64];
    getrlimit(resource, &limit);
    if (limit.rlim_max == RLIM_INFINITY)
      continue;
    limit.rlim_max++;
    snprintf(name, sizeof name, "raise limit %d", resource);
    TRY(name, setrlimit(resource, &limit));
    limit.rlim_max = limit.rlim_cur = RLIM_INFINITY;
    snprintf(name, sizeof name, "lift limit %d", resource);
    TRY(name, prlimit(0, resource, &limit, NULL));
  }
}

/* What a setuid or setgid file, or one with capabilities, gives to the process that executes it. */
static void who(char **arguments) {
  (void)arguments;
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{0}, {0}};
  syscall(SYS_capget, &header, data);
  checked("become root by a setuid file", geteuid() == 0 || getuid() == 0);
  checked("become another group by a setgid file", getegid() < 60000);
  checked("get capabilities by a file", data[0].permitted | data[1].permitted);
}

static const struct attack attacks[] = {{"mounts", mounts},   {"namespaces", namespaces}, {"identities", identities},
                                        {"machine", machine}, {"limits", limits},         {"who", who}};
ATTACK_MAIN(attacks)
