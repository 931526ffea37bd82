/* Reads and writes where it should not. */
#include "attack.h"

static void read_path(const char *name, int at, const char *path) {
  char text[64];
  int fd = openat(at, path, O_RDONLY);
  if (fd < 0)
    denied(name, strerror(errno));
  else if (read(fd, text, sizeof text) < 0)
    denied(name, strerror(errno));
  else
    got_through(name, path);
  if (fd >= 0)
    close(fd);
}

/* PATH: a file of the host that everybody may read. */
static void read_host(char **arguments) {
  char path[PATH_MAX];
  const char *roots[] = {"", "/proc/1/root", "/proc/1/cwd/../../../..", "/proc/self/root", "/proc/2/root",
                         "/proc/self/cwd/../../../..", "/proc/self/task/../../../../..", "/dev/fd/../../../..",
                         "/usr/..", "/box/..", "/tmp/../..", "/dev/shm/../../.."};
  for (unsigned i = 0; i < sizeof roots / sizeof *roots; i++) {
    snprintf(path, sizeof path, "%s%s", roots[i], arguments[0]);
    char name[300];
    snprintf(name, sizeof name, "through '%s'", roots[i]);
    read_path(name, AT_FDCWD, path);
  }
  snprintf(path, sizeof path, "../../../../../../../../../..%s", arguments[0]);
  read_path("up from the working directory", AT_FDCWD, path);
  for (int i = 0; i < 100; i++)
    chdir("..");
  read_path("after a hundred times chdir(..)", AT_FDCWD, arguments[0] + 1);
  symlink(arguments[0], "/box/link");
  read_path("through a symbolic link", AT_FDCWD, "/box/link");
  TRY("make a hard link to it", linkat(AT_FDCWD, arguments[0], AT_FDCWD, "/box/hard", AT_SYMLINK_FOLLOW));
  for (int fd = 0; fd < 1024; fd++) {
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
      read_path("up from an inherited directory", fd, path);
  }
  int root = open("/", O_RDONLY | O_DIRECTORY);
  TRY("leave the root by a descriptor and chroot", chroot("/tmp"));
  read_path("up from the root's descriptor", root, path);
}

/* How the host identifies a file: by a handle. */
static void print_handle(char **arguments) {
  struct {
    struct file_handle handle;
    unsigned char bytes[MAX_HANDLE_SZ];
  } it = {.handle.handle_bytes = MAX_HANDLE_SZ};
  int mount;
  if (name_to_handle_at(AT_FDCWD, arguments[0], &it.handle, &mount, 0) < 0)
    exit(1);
  printf("%d %u", it.handle.handle_type, it.handle.handle_bytes);
  for (unsigned i = 0; i < it.handle.handle_bytes; i++)
    printf(" %u", it.handle.f_handle[i]);
  printf("\n");
}

static void open_handle(char **arguments) {
  struct {
    struct file_handle handle;
    unsigned char bytes[MAX_HANDLE_SZ];
  } it;
  it.handle.handle_type = atoi(arguments[0]);
  it.handle.handle_bytes = atoi(arguments[1]);
  for (unsigned i = 0; i < it.handle.handle_bytes; i++)
    it.handle.f_handle[i] = atoi(arguments[2 + i]);
  const char *mounts[] = {"/box", "/", "/usr", "/bin", "/tmp", "/dev", "/proc", "/proc/self/fd"};
  for (unsigned i = 0; i < sizeof mounts / sizeof *mounts; i++) {
    int mount = open(mounts[i], O_RDONLY | O_DIRECTORY);
    char name[64];
    snprintf(name, sizeof name, "by its handle on %s", mounts[i]);
    if (mount >= 0)
      TRY(name, open_by_handle_at(mount, &it.handle, O_RDONLY));
  }
  TRY("by its handle on the working directory", open_by_handle_at(AT_FDCWD, &it.handle, O_RDONLY));
}

/* A directory and a file in it that the modes let everybody write to; only the mount forbids it. */
static void write_shared(char **arguments) {
  (void)arguments;
  if (chdir("/shared"))
    exit(98);
  TRY("make a file", open("new", O_WRONLY | O_CREAT, 0666));
  TRY("write to a file", open("file", O_WRONLY));
  TRY("truncate a file", truncate("file", 0));
  TRY("make a directory", mkdir("directory", 0777));
  TRY("make a symbolic link", symlink("/", "link"));
  TRY("make a hard link", link("file", "hard"));
  TRY("make a FIFO", mkfifo("fifo", 0666));
  TRY("rename", rename("file", "renamed"));
  TRY("remove", unlink("file"));
  TRY("change times", utimensat(AT_FDCWD, "file", NULL, 0));
  TRY("write below a nested mount", open("nested/new", O_WRONLY | O_CREAT, 0666));
  int fd = open("file", O_RDONLY);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  TRY("open for writing what is open for reading", open(path, O_WRONLY));
  TRY("map it shared and writable", mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0);
  TRY("remount it", mount(NULL, "/shared", NULL, MS_REMOUNT | MS_BIND, NULL));
}

static void write_system(char **arguments) {
  (void)arguments;
  TRY("make a file in the root", open("/new", O_WRONLY | O_CREAT, 0666));
  TRY("make a file in /usr", open("/usr/new", O_WRONLY | O_CREAT, 0666));
  TRY("make a file in /bin", open("/bin/new", O_WRONLY | O_CREAT, 0666));
  TRY("make a file in /lib", open("/lib/new", O_WRONLY | O_CREAT, 0666));
  TRY("make a file in /dev", open("/dev/new", O_WRONLY | O_CREAT, 0666));
  TRY("write to /bin/true", open("/bin/true", O_WRONLY));
  TRY("change the mode of /bin/true", chmod("/bin/true", 0777));
  TRY("change the mode of /dev/null", chmod("/dev/null", 0600));
  TRY("remove /bin/true", unlink("/bin/true"));
  TRY("rename /usr", rename("/usr", "/rsu"));
  TRY("remove /box", rmdir("/box"));
  TRY("rename /box", rename("/box", "/tmp/box"));
  TRY("write core_pattern", open("/proc/sys/kernel/core_pattern", O_WRONLY));
  TRY("write ns_last_pid", open("/proc/sys/kernel/ns_last_pid", O_WRONLY));
  TRY("write sysrq-trigger", open("/proc/sysrq-trigger", O_WRONLY));
  TRY("open the memory of the machine", open("/dev/mem", O_RDONLY));
  TRY("open the kernel's memory", open("/proc/kcore", O_RDONLY));
  TRY("write oom_score_adj", open("/proc/self/oom_score_adj", O_WRONLY));
}

static void leave_things(char **arguments) {
  (void)arguments;
  char self[] = "/proc/self/exe";
  char buffer[65536];
  const char *places[] = {"/box/setuid", "/tmp/setuid"};
  for (int i = 0; i < 2; i++) {
    int from = open(self, O_RDONLY), to = open(places[i], O_WRONLY | O_CREAT, 0755);
    for (ssize_t n; (n = read(from, buffer, sizeof buffer)) > 0;)
      write(to, buffer, n);
    close(to);
    char name[64];
    snprintf(name, sizeof name, "make %s setuid", places[i]);
    TRY(name, chmod(places[i], 06755));
  }
  chmod("/box", 0777);
  chmod("/tmp", 0777);
  mkfifo("/box/fifo", 0666);
  symlink("/etc/passwd", "/box/symlink");
  mkdir("/box/sub", 0777);
  mkfifo("/box/sub/fifo", 0666);
  struct sockaddr address = {AF_UNIX, "/box/socket"};
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  bind(fd, &address, sizeof address);
  struct stat status;
  if (lstat("/box/fifo", &status) || lstat("/box/socket", &status) || lstat("/box/symlink", &status))
    exit(97);
  const char *directories[] = {"/box", "/tmp", "/dev/shm", "/"};
  for (int i = 0; i < 4; i++) {
    char path[64], name[64];
    snprintf(path, sizeof path, "%s/device", directories[i]);
    snprintf(name, sizeof name, "make a character device in %s", directories[i]);
    TRY(name, mknod(path, S_IFCHR | 0666, 0x103));
    snprintf(name, sizeof name, "make a block device in %s", directories[i]);
    TRY(name, mknod(path, S_IFBLK | 0666, 0xfe00));
  }
  TRY("give a file away", chown("/box/setuid", 0, 0));
}

static const struct attack attacks[] = {{"read-host", read_host},     {"print-handle", print_handle},
                                        {"open-handle", open_handle}, {"write-shared", write_shared},
                                        {"write-system", write_system}, {"leave", leave_things}};
ATTACK_MAIN(attacks)
