/* Uses up whatever there is. Prints how far it got. */
#include "attack.h"

#include <pthread.h>

static void forks(char **arguments) {
  (void)arguments;
  for (;;)
    fork();
}

/* Counts how many processes there can be at a time. */
static void count_forks(char **arguments) {
  (void)arguments;
  int count = 1;
  for (int child; count < 5000 && (child = fork()) >= 0; count++)
    if (child == 0)
      for (;;)
        pause();
  printf("%d\n", count);
}

static void *sleep_on(void *argument) {
  for (;;)
    pause();
  return argument;
}

static void count_threads(char **arguments) {
  (void)arguments;
  int count = 1;
  pthread_t thread;
  while (count < 5000 && pthread_create(&thread, NULL, sleep_on, NULL) == 0)
    count++;
  printf("%d\n", count);
}

static void threads(char **arguments) {
  (void)arguments;
  pthread_t thread;
  for (;;)
    pthread_create(&thread, NULL, sleep_on, NULL);
}

static void memory(char **arguments) {
  (void)arguments;
  size_t total = 0, size = 1 << 20;
  for (char *piece; total < 8ul << 30 && (piece = malloc(size)); total += size)
    memset(piece, 1, size);
  printf("%zu\n", total >> 10);
}

static void memory_by_mmap(char **arguments) {
  (void)arguments;
  size_t total = 0, size = 1 << 20;
  for (char *piece; total < 8ul << 30; total += size) {
    piece = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (piece == MAP_FAILED)
      break;
    memset(piece, 1, size);
  }
  printf("%zu\n", total >> 10);
}

static int recurse(int depth) {
  volatile char room[4096];
  room[0] = depth;
  return recurse(depth + 1) + room[0];
}

static void stack(char **arguments) {
  (void)arguments;
  recurse(0);
}

static void descriptors(char **arguments) {
  (void)arguments;
  int highest = 0;
  for (int fd; (fd = open("/dev/null", O_RDONLY)) >= 0 && fd < 2000000;)
    highest = fd;
  checked("get a descriptor of any number", dup2(0, highest + 1) >= 0 && dup2(0, 1 << 20) >= 0);
  printf("%d\n", highest);
}

static void big_file(char **arguments) {
  static char block[65536];
  int fd = open(arguments[0], O_WRONLY | O_CREAT, 0644);
  if (arguments[1])
    signal(SIGXFSZ, SIG_IGN);
  while (write(fd, block, sizeof block) > 0)
    ;
  TRY("make it longer by ftruncate", ftruncate(fd, 1l << 40));
  TRY("write far behind its end", pwrite(fd, "x", 1, 1l << 40));
  TRY("reserve room for it", fallocate(fd, 0, 0, 1l << 30));
}

static void flood(char **arguments) {
  static char block[65536];
  if (arguments[0])
    signal(SIGPIPE, SIG_IGN);
  for (;;)
    if (write(1, block, sizeof block) < 0 && errno == EFBIG)
      return;
}

static void *burn(void *argument) {
  for (volatile long i = 0;; i++)
    ;
  return argument;
}

/* Burns CPU time in another thread, after the first one has ended. */
static void burn_aside(char **arguments) {
  (void)arguments;
  pthread_t thread;
  pthread_create(&thread, NULL, burn, NULL);
  pthread_exit(NULL);
}

static void *execute_again(void *argument) {
  execl("/proc/self/exe", "bombs", "burn", NULL);
  return argument;
}

/* Becomes another program from a thread that is not the first. */
static void burn_again(char **arguments) {
  (void)arguments;
  pthread_t thread;
  pthread_create(&thread, NULL, execute_again, NULL);
  for (;;)
    pause();
}

static void burn_here(char **arguments) { burn(arguments); }

/* Is hard to kill: it ignores everything, and so do its children. */
static void burn_ignoring(char **arguments) {
  for (int signal = 1; signal < 65; signal++)
    sigaction(signal, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
  burn(arguments);
}

static const struct attack attacks[] = {
    {"forks", forks},           {"count-forks", count_forks}, {"count-threads", count_threads}, {"threads", threads},
    {"memory", memory},         {"mmap", memory_by_mmap},     {"stack", stack},                 {"descriptors", descriptors},
    {"big-file", big_file},     {"flood", flood},             {"burn", burn_here},              {"burn-aside", burn_aside},
    {"burn-again", burn_again}, {"burn-ignoring", burn_ignoring}};
ATTACK_MAIN(attacks)
