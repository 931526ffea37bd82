/* Root of a user namespace of its box tries to be root. Its argument is a directory of root's, with a file "secret". */
#include "attack.h"

#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

static void identities(char **arguments) {
  (void)arguments;
  checked("not be root inside", getuid() != 0 || geteuid() != 0 || getgid() != 0);
  const int users[] = {1, 1000, 60000, 60225, 65534, -2};
  for (unsigned i = 0; i < sizeof users / sizeof *users; i++) {
    char name[64];
    snprintf(name, sizeof name, "become user %d", users[i]);
    TRY(name, syscall(SYS_setresuid, users[i], users[i], users[i]));
    snprintf(name, sizeof name, "become group %d", users[i]);
    TRY(name, syscall(SYS_setresgid, users[i], users[i], users[i]));
  }
  TRY("set groups", syscall(SYS_setgroups, 1, (gid_t[]){0}));
  TRY("clear groups", syscall(SYS_setgroups, 0, NULL));
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{0}, {0}};
  syscall(SYS_capget, &header, data);
  checked("have more capabilities", (data[0].permitted & ~0xfbu) | data[1].permitted);
  data[0].permitted = data[0].effective = ~0;
  TRY("raise capabilities", syscall(SYS_capset, &header, data));
  for (int i = 0; i < 64; i++)
    if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) > 0 && (i > 7 || i == 2))
      got_through("have another capability in the bounding set", "");
  TRY("set secure bits", prctl(PR_SET_SECUREBITS, 1, 0, 0, 0));
  TRY("take no_new_privs back", prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
  const char *maps[] = {"uid_map", "gid_map", "setgroups", "projid_map"};
  for (unsigned i = 0; i < sizeof maps / sizeof *maps; i++) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/%s", maps[i]);
    int fd = open(path, O_WRONLY);
    char name[64];
    snprintf(name, sizeof name, "write %s", maps[i]);
    TRY(name, fd < 0 ? fd : write(fd, i == 2 ? "allow" : "0 0 4294967295", i == 2 ? 5 : 14));
  }
}

static void init(char **arguments) {
  (void)arguments;
  TRY("trace init", ptrace(PTRACE_ATTACH, 1, NULL, NULL));
  TRY("seize init", ptrace(0x4206, 1, NULL, NULL));
  TRY("kill init", kill(1, SIGKILL));
  TRY("look whether init is there", kill(1, 0));
  TRY("limit init", prlimit(1, RLIMIT_NOFILE, &(struct rlimit){0, 0}, NULL));
  char buffer[8];
  struct iovec local = {buffer, 8}, remote = {(void *)0x1000, 8};
  TRY("read init's memory", process_vm_readv(1, &local, 1, &remote, 1, 0));
  int pidfd = (int)syscall(SYS_pidfd_open, 1, 0);
  TRY("take a descriptor of init", pidfd < 0 ? -1 : syscall(SYS_pidfd_getfd, pidfd, 3, 0));
  TRY("enter init's namespaces", setns(pidfd, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET));
  const char *files[] = {"mem", "root", "cwd", "exe", "fd", "environ", "ns/user", "ns/mnt", "maps"};
  for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
    char path[64], name[64];
    snprintf(path, sizeof path, "/proc/1/%s", files[i]);
    snprintf(name, sizeof name, "open %s of init", files[i]);
    TRY(name, open(path, O_RDONLY));
  }
}

static void files(char **arguments) {
  char secret[4096], handle[256] = {128, 0, 0, 0, 1, 0, 0, 0, 2};
  snprintf(secret, sizeof secret, "%s/secret", arguments[0]);
  TRY("read a file of root", open(secret, O_RDONLY));
  TRY("write a file of root", open(secret, O_WRONLY));
  TRY("look into a directory of root", open(arguments[0], O_RDONLY | O_DIRECTORY));
  TRY("make a file in a directory of root", open(secret, O_WRONLY | O_CREAT | O_EXCL, 0600));
  TRY("take a directory of root", chown(arguments[0], 0, 0));
  TRY("open a directory of root to all", chmod(arguments[0], 0777));
  TRY("take /dev/null", chown("/dev/null", 0, 0));
  TRY("take /usr", chown("/usr", 0, 0));
  int own = open("mine", O_WRONLY | O_CREAT, 0600);
  TRY("give a file away", fchown(own, 1, -1));
  TRY("give a file to another group", fchown(own, -1, 1));
  TRY("give a file capabilities", fsetxattr(own, "security.capability", "\1\0\0\2\377\377\377\377", 20, 0));
  TRY("give a file a trusted attribute", fsetxattr(own, "trusted.x", "x", 1, 0));
  TRY("make a file immutable", ioctl(own, 0x40086602, &(long){0x10}));
  TRY("make a character device", mknod("zero", S_IFCHR | 0666, 1 << 8 | 5));
  TRY("make a block device", mknod("disk", S_IFBLK | 0666, 254 << 8));
  TRY("make a device in /dev/shm", mknod("/dev/shm/zero", S_IFCHR | 0666, 1 << 8 | 1));
  TRY("open a file by its handle", syscall(SYS_open_by_handle_at, own, handle, O_RDONLY));
  const char *paths[] = {"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sys/vm/drop_caches",
                         "/proc/sys/net/ipv4/ip_forward", "/proc/sysrq-trigger",       "/proc/self/oom_score_adj"};
  for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
    char name[96];
    snprintf(name, sizeof name, "write %s", paths[i]);
    TRY(name, open(paths[i], O_WRONLY));
  }
  const char *readable[] = {"/proc/kcore", "/proc/kmsg", "/dev/mem", "/dev/kmsg"};
  for (unsigned i = 0; i < sizeof readable / sizeof *readable; i++) {
    char name[96];
    snprintf(name, sizeof name, "read %s", readable[i]);
    TRY(name, open(readable[i], O_RDONLY));
  }
  TRY("leave the chroot", chroot("/box"));
  TRY("leave it by a descriptor", chroot("/proc/self/fd/0/.."));
}

static void machine(char **arguments) {
  (void)arguments;
  int sock = socket(AF_INET, SOCK_DGRAM, 0);
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = 0};
  TRY("take the loopback interface down", ioctl(sock, SIOCSIFFLAGS, &request));
  struct ifreq address = {.ifr_name = "lo", .ifr_addr = {.sa_family = AF_INET}};
  TRY("set an address", ioctl(sock, SIOCSIFADDR, &address));
  TRY("open a raw socket", socket(AF_INET, SOCK_RAW, 1));
  TRY("open a packet socket", socket(AF_PACKET, SOCK_RAW, 0));
  struct sockaddr_in low = {.sin_family = AF_INET, .sin_port = 0x5000};
  TRY("bind a low port", bind(sock, (void *)&low, sizeof low));
  TRY("use keys", syscall(SYS_keyctl, 0, -3, 1));
  TRY("add a key", syscall(SYS_add_key, "user", "x", "x", 1, -3));
  TRY("choose a process id", syscall(SYS_clone3, (unsigned long[11]){0, 0, 0, 0, SIGCHLD, 0, 0, 0, (long)(int[]){77}, 1}, 88));
  TRY("load a BPF program", syscall(SYS_bpf, 5, (char[128]){0}, 128));
  TRY("watch the whole machine", syscall(SYS_perf_event_open, (unsigned[28]){0, 112}, -1, 0, -1, 0));
  TRY("win against the killer of processes", setpriority(PRIO_PROCESS, 0, -1));
  TRY("set the hostname", sethostname("evil", 4));
  TRY("set a disk quota", syscall(SYS_quotactl, 0x80000800, "/dev/vda", 0, NULL));
}

static const struct attack attacks[] = {
    {"identities", identities}, {"init", init}, {"files", files}, {"machine", machine}};
ATTACK_MAIN(attacks)
