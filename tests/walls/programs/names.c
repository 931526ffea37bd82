/* Files and processes with unexpected names. */
#include "attack.h"

static void make_file(const char *name) {
  int fd = open(name, O_WRONLY | O_CREAT, 0644);
  if (fd < 0) {
    perror(name);
    exit(98);
  }
  close(fd);
}

static void strange_names(char **arguments) {
  (void)arguments;
  char name[256];
  for (int byte = 1; byte < 256; byte++) {
    if (byte == '/' || byte == '.')
      continue;
    char one[] = {byte, 0}, two[] = {'d', byte, 0}, inside[] = {'d', byte, '/', byte, 0};
    make_file(one);
    mkdir(two, 0000);
    chmod(two, 0700);
    make_file(inside);
    chmod(two, 0000);
  }
  memset(name, 'x', 255);
  name[255] = 0;
  make_file(name);
  memset(name, 0xff, 255);
  mkdir(name, 0);
  make_file("...");
  make_file("two\nlines\n");
  make_file("-rf");
  make_file("\xf0\x9f\x92\xa3\xed\xa0\x80");
  mkdir("..\n", 0700);
}

/* DEPTH NAME-LENGTH */
static void deep(char **arguments) {
  char name[256] = {0};
  memset(name, 'd', atoi(arguments[1]));
  int at = open(".", O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < atoi(arguments[0]); i++) {
    int file = openat(at, "file", O_WRONLY | O_CREAT, 0600);
    close(file);
    if (mkdirat(at, name, 0700) < 0) {
      perror("mkdirat");
      exit(98);
    }
    int below = openat(at, name, O_RDONLY | O_DIRECTORY);
    close(at);
    at = below;
  }
}

/* FILES DIRECTORIES: so many in each of so many directories; DIRECTORIES 0: so many directories in one. */
static void many(char **arguments) {
  int files = atoi(arguments[0]), directories = atoi(arguments[1]);
  char name[64];
  if (directories == 0) {
    mkdir("wide", 0700);
    chdir("wide");
    for (int i = 0; i < files; i++) {
      snprintf(name, sizeof name, "%d", i);
      if (mkdir(name, 0700))
        exit(98);
    }
    return;
  }
  for (int d = 0; d < directories; d++) {
    snprintf(name, sizeof name, "d%d", d);
    mkdir(name, 0700);
    chdir(name);
    for (int f = 0; f < files; f++) {
      snprintf(name, sizeof name, "%d", f);
      make_file(name);
    }
    chdir("..");
  }
}

static void burn(double seconds) {
  struct rusage usage;
  do
    getrusage(RUSAGE_SELF, &usage);
  while (usage.ru_utime.tv_sec + usage.ru_utime.tv_usec / 1e6 + usage.ru_stime.tv_sec + usage.ru_stime.tv_usec / 1e6 <
         seconds);
}

/* SECONDS NAME: burns time as what /proc/PID/stat makes of such a name, in children that it waits for. */
static void renamed(char **arguments) {
  prctl(PR_SET_NAME, arguments[1]);
  for (double left = atof(arguments[0]); left > 0; left -= 0.05) {
    if (fork() == 0) {
      prctl(PR_SET_NAME, arguments[1]);
      burn(0.05);
      _exit(0);
    }
    wait(NULL);
  }
}

static const struct attack attacks[] = {
    {"strange", strange_names}, {"deep", deep}, {"many", many}, {"renamed", renamed}};
ATTACK_MAIN(attacks)
