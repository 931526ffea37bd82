/* Random system calls with interesting arguments: "random SEED SECONDS". Children make them, so that the first process
 * can say how many children there were, unless one of them kills it. */
#include "attack.h"
#include <time.h>

enum { CALLS_MAX = 470, CALLS_A_CHILD = 300, AREA = 1 << 16 };

static uint64_t state;

static uint64_t random_below(uint64_t bound) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state % bound;
}

static const char *const paths[] = {
    "/box", ".", "..", "/", "/tmp", "file", "folder", "link", "/proc/self/mem", "/proc/self/fd", "/proc/1/root",
    "/proc/1/ns/mnt", "/proc/self/ns/user", "/proc/self/exe", "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger",
    "/dev/null", "/dev/full", "/dev/shm/x", "/dev/mem", "/dev/kmsg", "/dev/tty", "/etc/passwd", "/bin/true",
    "/proc/self/oom_score_adj", "/proc/self/uid_map", "/proc/self/setgroups", "/sys/fs/cgroup", "socket", ""};

static const char *const types[] = {"proc", "tmpfs", "sysfs", "cgroup2", "overlay", "devpts", "mqueue", "user",
                                    "keyring", "security.capability", "user.x", "system.posix_acl_access"};

static const int64_t numbers[] = {0,         1,          2,          3,          7,          8,        16,
                                  64,        255,        4096,       65535,      65536,      -1,       -2,
                                  -100,      0x7fffffff, 0x80000000, 0xffffffff, 0x40000000, 02000000, 0644,
                                  04755,     06777,      0x10000000, 0x7e020080, 1LL << 40,  1LL << 62, INT64_MIN,
                                  60000,     1000,       0x5412,     0x40086602, 0xc0189436, 1 << 17,  1 << 29};

#define PICK(list) (list)[random_below(sizeof(list) / sizeof *(list))]

static uint64_t argument(char *area) {
  switch (random_below(8)) {
  case 0:
    return random_below(24); /* a descriptor, a signal, a small number */
  case 1:
    return (uint64_t)PICK(numbers);
  case 2:
    return (uint64_t)PICK(paths);
  case 3:
    return (uint64_t)PICK(types);
  case 4:
    return 1ULL << random_below(64) | 1ULL << random_below(32);
  case 5:
    return (uint64_t)getpid() - random_below(3);
  case 6: { /* a structure, or a list of pointers */
    uint64_t *words = (uint64_t *)(area + 8 * random_below(AREA / 16));
    for (int i = 0; i < 16; i++)
      words[i] = random_below(3) ? (uint64_t)PICK(numbers) : (uint64_t)(area + random_below(AREA));
    return (uint64_t)words;
  }
  default:
    return random_below(4) ? 0 : state;
  }
}

/* Those that only end, stop or slow down the child are rare. */
static int is_dull(long number) {
  static const long dull[] = {SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_rt_sigsuspend, SYS_nanosleep,
                              SYS_clock_nanosleep, SYS_ppoll, SYS_pselect6, SYS_munmap, SYS_rt_sigtimedwait};
  for (unsigned i = 0; i < sizeof dull / sizeof *dull; i++)
    if (number == dull[i])
      return random_below(20) != 0;
  return 0;
}

static void interrupt(int signal) {}

/* Ends calls that wait, 50 times a second. */
static void interrupt_often(void) {
  struct sigaction action = {.sa_handler = interrupt}; /* without SA_RESTART */
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  struct itimerspec often = {{0, 20000000}, {0, 20000000}};
  timer_t timer;
  sigaction(SIGUSR1, &action, NULL);
  timer_create(CLOCK_MONOTONIC, &event, &timer);
  timer_settime(timer, 0, &often, NULL);
}

static void child(uint64_t seed) {
  state = seed * 0x9e3779b97f4a7c15 + 1;
  interrupt_often();
  char *area = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < 10; i++)
    random_below(2);
  open("file", O_RDWR | O_CREAT, 0644);
  open("/", O_RDONLY);
  socket(AF_UNIX, SOCK_STREAM, 0);
  for (int i = 0; i < CALLS_A_CHILD; i++) {
    long number = (long)random_below(CALLS_MAX);
    if (is_dull(number))
      continue;
    uint64_t a[6];
    for (int j = 0; j < 6; j++)
      a[j] = argument(area);
    syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  }
  _exit(0);
}

int main(int argc, char **argv) {
  uint64_t seed = strtoull(argv[1], NULL, 10) << 20;
  time_t end = time(NULL) + atoi(argv[2]);
  unsigned round;
  mkdir("folder", 0755);
  (void)!symlink("/etc/passwd", "link");
  for (round = 0; time(NULL) < end; round++) {
    pid_t pid = fork();
    if (pid == 0)
      child(seed + round);
    /* At most some hundred ms, also if all its signals are blocked. */
    for (int waited = 0; pid > 0 && waitpid(pid, NULL, WNOHANG) == 0; waited++) {
      usleep(500);
      if (waited == 400)
        kill(pid, SIGKILL);
    }
    while (waitpid(-1, NULL, WNOHANG) > 0)
      ;
    if (pid < 0)
      kill(-1, SIGKILL); /* its descendants are as many as there may be */
  }
  printf("%u children\n", round);
  fflush(stdout);
  _exit(0);
}
