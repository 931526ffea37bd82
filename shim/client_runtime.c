/* The client inside of a JavaScript runtime: hands over the command line, or executes the runtime once more. */
#include <linux/fcntl.h>

#include "client.h"
#include "kernel.h"
#include "plan.h"

#define EXPORT __attribute__((visibility("default")))
enum { ENOENT = 2, PROT_READ_WRITE = 3, MAP_PRIVATE_ANONYMOUS = 0x22, PATH_BYTES = 4096 };

/* Strings as execve takes them. The kernel lets 6 MiB through, a pointer for each string among them. */
struct strings {
  char text[8 << 20];
  char *row[1 << 20];
};

/* Reads what /proc shows of this process; without /proc there is nothing in it. */
static struct strings *read_strings(const char *path, u32 *count) {
  i64 address = kernel(__NR_mmap, 0, sizeof(struct strings), PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, ~0ul, 0);
  struct strings *strings = (struct strings *)address;
  if (address < 0 && address > -4096)
    return 0;
  i64 fd = kernel(__NR_openat, (u64)AT_FDCWD, (u64)path, O_CLOEXEC, 0, 0, 0);
  u64 length = 0, room = sizeof strings->text - 1; /* one byte stays 0, so that the last string ends */
  i64 more;
  while ((more = kernel(__NR_read, (u64)fd, (u64)strings->text + length, room - length, 0, 0, 0)) > 0)
    length += (u64)more;
  kernel(__NR_close, (u64)fd, 0, 0, 0, 0, 0);
  *count = 0;
  for (u64 at = 0; at < length && *count + 1 < sizeof strings->row / sizeof *strings->row; at++)
    if (at == 0 || !strings->text[at - 1])
      strings->row[(*count)++] = strings->text + at;
  return strings;
}

/* What this process was started with. */
struct start {
  struct strings *arguments, *environment;
  u32 argument_count, variable_count;
};

/* Finds out; 0 if that is not possible, or if there are no `count` arguments behind the name of a script. */
static int read_start(struct start *start, u32 count) {
  start->arguments = read_strings("/proc/self/cmdline", &start->argument_count);
  start->environment = read_strings("/proc/self/environ", &start->variable_count);
  return start->arguments && start->environment && start->argument_count >= count + 2;
}

/* Hands the last `count` arguments of this process to the service; comes back with the negative errno if none runs. */
EXPORT i32 isolate_client(u32 count) {
  struct start start;
  if (!read_start(&start, count))
    return -ENOENT;
  char **environment = start.environment->row;
  struct command command = {client_socket(environment), start.arguments->row + start.argument_count - count, environment};
  return (i32)client_run(&command);
}

/* Executes this program again in this process, with another script in front of the last `count` arguments; comes back
 * with the negative errno. Its own name is better than that of the link, as ps(1) shows it. */
EXPORT i32 isolate_again(char *script, u32 count) {
  struct start start;
  char path[PATH_BYTES];
  const char *const link = "/proc/self/exe";
  if (!read_start(&start, count))
    return -ENOENT;
  start.arguments->row[start.argument_count - count - 1] = script;
  i64 length = kernel(__NR_readlinkat, (u64)AT_FDCWD, (u64)link, (u64)path, sizeof path - 1, 0, 0);
  path[length > 0 ? length : 0] = 0;
  kernel(__NR_execve, (u64)path, (u64)start.arguments->row, (u64)start.environment->row, 0, 0, 0);
  return (i32)kernel(__NR_execve, (u64)link, (u64)start.arguments->row, (u64)start.environment->row, 0, 0, 0);
}
