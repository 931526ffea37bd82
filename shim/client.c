/* The client of the service: hands over the command line, and lends the service its hands. What touches the caller's
 * world (paths, the meta-file, standard streams) is done here, by plans that the service sends, with the caller's own
 * rights. A connection is a run: when either side dies, the other one ends. */
#include "client.h"

#include <linux/fcntl.h>
#include <linux/un.h>

#include "kernel.h"
#include "plan.h"
#include "signal.h"

enum { EPERM = 1, EINTR = 4, ENAMETOOLONG = 36 };
enum { SOCK_SEQPACKET = 5, SOCK_CLOEXEC = O_CLOEXEC, SOL_SOCKET = 1, SCM_RIGHTS = 1, SO_PEERCRED = 17 };
enum { MSG_NOSIGNAL = 0x4000, MSG_CMSG_CLOEXEC = 0x40000000, MFD_CLOEXEC_SEALABLE = 3 };
enum { F_SEAL_ALL = 15, PROT_READ_WRITE = 3, MAP_PRIVATE_ANONYMOUS = 0x22 };
enum { FAILURE_STATUS = 2, STREAMS = 3, STDERR = 2, SIG_UNBLOCK = 1 };

struct vector {
  const void *base;
  u64 length;
};
struct message {
  void *name;
  u64 name_length;
  const struct vector *vectors;
  u64 vector_count;
  void *control;
  u64 control_length, flags;
};
struct rights {
  u64 length;
  i32 level, type, fds[4];
};

static u64 length_of(const char *text) {
  u64 length = 0;
  while (text[length])
    length++;
  return length;
}

/* What follows the prefix; 0 if the text does not begin with it. */
static const char *after(const char *text, const char *prefix) {
  while (*prefix)
    if (*text++ != *prefix++)
      return 0;
  return text;
}

void client_say(const char *before, const char *name, const char *behind) {
  struct vector parts[] = {{before, length_of(before)}, {name, length_of(name)}, {behind, length_of(behind)}};
  kernel(__NR_writev, STDERR, (u64)parts, 3, 0, 0, 0);
}

/* The caller's standard streams may be closed: what is opened here must not take their place. */
static i64 above_streams(i64 fd) {
  if (fd < 0 || fd >= STREAMS)
    return fd;
  i64 moved = kernel(__NR_fcntl, (u64)fd, F_DUPFD_CLOEXEC, STREAMS, 0, 0, 0);
  kernel(__NR_close, (u64)fd, 0, 0, 0, 0, 0);
  return moved;
}

/* The service can act with our rights: it must be root, or ourselves. */
static int is_trusted(i64 fd) {
  u32 peer[3] = {0, ~0u, 0}, size = sizeof peer;
  kernel(__NR_getsockopt, (u64)fd, SOL_SOCKET, SO_PEERCRED, (u64)peer, (u64)&size, 0);
  return peer[1] == 0 || peer[1] == (u32)kernel(__NR_geteuid, 0, 0, 0, 0, 0, 0);
}

static i64 connect_to(i64 fd, const char *path) {
  struct sockaddr_un address = {.sun_family = 1};
  for (u64 i = 0; path[i]; i++) {
    if (i + 1 >= sizeof address.sun_path)
      return -ENAMETOOLONG;
    address.sun_path[i] = path[i];
  }
  i64 result = kernel(__NR_connect, (u64)fd, (u64)&address, sizeof address, 0, 0, 0);
  return result == 0 && !is_trusted(fd) ? -UNTRUSTED : result;
}

static i64 send_packet(i64 fd, const struct vector *vectors, u64 vector_count, struct rights *rights, u32 fd_count) {
  struct message message = {0, 0, vectors, vector_count, 0, 0, 0};
  if (fd_count) {
    rights->length = 16 + 4 * fd_count;
    rights->level = SOL_SOCKET;
    rights->type = SCM_RIGHTS;
    message.control = rights;
    message.control_length = (rights->length + 7) & ~7ul;
  }
  i64 result;
  do
    result = kernel(__NR_sendmsg, (u64)fd, (u64)&message, MSG_NOSIGNAL, 0, 0, 0);
  while (result == -EINTR);
  return result;
}

/* Puts the standard streams where the box can take them; returns a bit for each of them. As in the direct command, whose
 * runtime does it, one that is closed is replaced. */
static u32 deliver_streams(i64 socket) {
  struct rights rights;
  u32 open = 0, count = 0;
  for (i32 fd = 0; fd < STREAMS; fd++)
    if (kernel(__NR_fcntl, (u64)fd, F_GETFD, 0, 0, 0, 0) >= 0 ||
        kernel(__NR_openat, (u64)AT_FDCWD, (u64) "/dev/null", O_RDWR, 0, 0, 0) == fd) {
      open |= 1u << fd;
      rights.fds[count++] = fd;
    }
  struct vector mask = {&open, sizeof open};
  send_packet(socket, &mask, 1, &rights, count);
  return open;
}

/* The kernel has put the strings one behind the other: such a row is one write. */
static u32 append_strings(i64 file, char *const *strings) {
  u32 total = 0;
  while (*strings) {
    const char *start = *strings, *end = start;
    while (*strings == end)
      end += length_of(*strings++) + 1;
    kernel(__NR_write, (u64)file, (u64)start, (u64)(end - start), 0, 0, 0);
    total += (u32)(end - start);
  }
  return total;
}

/* What is made for the first packet. */
struct greeting {
  struct hello hello;
  i64 connection, delivery, taken, file;
};

/* Makes everything before it connects, so that the service finds the packet when it accepts: it need not wait for it. */
static void prepare(struct greeting *greeting, const struct command *command) {
  struct hello *hello = &greeting->hello;
  i32 pair[2] = {-1, -1};
  i64 file = greeting->file =
      above_streams(kernel(__NR_memfd_create, (u64) "isolate-command", MFD_CLOEXEC_SEALABLE, 0, 0, 0, 0));
  greeting->connection = above_streams(kernel(__NR_socket, 1, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, 0, 0, 0));
  kernel(__NR_socketpair, 1, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, (u64)pair, 0, 0);
  greeting->delivery = above_streams(pair[0]);
  greeting->taken = above_streams(pair[1]);
  hello->argument_bytes = append_strings(file, command->arguments);
  hello->environment_bytes = append_strings(file, command->environment);
  kernel(__NR_fcntl, (u64)file, F_ADD_SEALS, F_SEAL_ALL, 0, 0, 0);
  for (u64 resource = 0; resource < 16; resource++)
    kernel(__NR_prlimit64, 0, resource, 0, (u64)hello->limits[resource], 0, 0);
  hello->open_streams = deliver_streams(greeting->delivery);
  hello->connection = (i32)greeting->connection;
  hello->delivery = (i32)greeting->delivery;
  hello->packet.kind = PACKET_HELLO;
  hello->packet.value = ABI_VERSION;
  hello->magic = HELLO_MAGIC;
}

/* Sends the first packet, or returns the negative errno. */
static i64 greet(const struct greeting *greeting) {
  struct rights rights = {.fds = {(i32)greeting->file, (i32)greeting->taken}};
  struct vector body = {&greeting->hello, sizeof greeting->hello};
  i64 result = send_packet(greeting->connection, &body, 1, &rights, 2);
  kernel(__NR_close, (u64)greeting->file, 0, 0, 0, 0, 0);
  kernel(__NR_close, (u64)greeting->taken, 0, 0, 0, 0, 0);
  return result;
}

/* The service decides what a signal means: each is a packet of one byte. */
static void pass_signals_on(i64 connection) {
  static const u8 passed_on[] = {SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGTERM};
  static const u8 ignored[] = {SIGUSR1, SIGUSR2, SIGPIPE};
  u64 blocked = 0;
  for (u32 i = 0; i < sizeof passed_on; i++) {
    signal_pass_to(passed_on[i], (i32)connection);
    blocked |= 1ul << (passed_on[i] - 1);
  }
  for (u32 i = 0; i < sizeof ignored; i++)
    signal_pass_to(ignored[i], -1);
  kernel(__NR_rt_sigprocmask, SIG_UNBLOCK, (u64)&blocked, 0, 8, 0, 0);
}

static __attribute__((noreturn)) void fail(const char *before, const char *name, const char *behind) {
  client_say(before, name, behind);
  kernel_exit(FAILURE_STATUS);
}

/* Does what the service asks for, until it asks to exit or is gone. */
static __attribute__((noreturn)) void serve(i64 connection, const char *path) {
  struct layout layout;
  i64 address = kernel(__NR_mmap, 0, PACKET_SIZE_MAX, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, ~0ul, 0);
  struct plan *plan = (struct plan *)address;
  const u32 *words = (const u32 *)address;
  if (address < 0 && address > -4096)
    fail("isolate: out of memory", "", "\n");
  for (;;) {
    i64 size = kernel(__NR_recvfrom, (u64)connection, (u64)plan, PACKET_SIZE_MAX, 0, 0, 0);
    if (size == -EINTR)
      continue;
    if (size <= 0)
      fail("The isolate service at ", path, " has ended; what it ran is dead\n");
    if (size >= 8 && words[0] == REFUSAL_MAGIC)
      fail("This client and the isolate service at ", path,
           words[1] > ABI_VERSION ? " do not match: the client is older, install the one of the service\n"
                                  : " do not match: the service is older, restart it\n");
    if (!plan_decode(plan, (u64)size, &layout))
      fail("The isolate service at ", path, " sent what this client does not understand\n");
    plan->failed_errno = 0;
    plan_run(plan, &layout, 0, plan->main_count);
    struct packet packet = {PACKET_RESULT, (u32)size};
    struct vector answer[] = {{&packet, sizeof packet}, {plan, (u64)size}};
    send_packet(connection, answer, 2, 0, 0);
  }
}

i64 client_run(const struct command *command) {
  struct greeting greeting; /* prepare() fills it in */
  const char *path = command->socket, *rest = after(path, "off");
  if (rest && !*rest)
    return -EPERM;
  prepare(&greeting, command);
  i64 result = connect_to(greeting.connection, path);
  if (result < 0) {
    const i64 made[] = {greeting.connection, greeting.delivery, greeting.taken, greeting.file};
    for (u32 i = 0; i < sizeof made / sizeof *made; i++)
      kernel(__NR_close, (u64)made[i], 0, 0, 0, 0, 0);
    return result;
  }
  if (greet(&greeting) < 0)
    fail("The isolate service at ", path, " does not take the command line\n");
  pass_signals_on(greeting.connection);
  serve(greeting.connection, path);
}

const char *client_socket(char *const *environment) {
  const char *socket = DEFAULT_SOCKET;
  for (; *environment; environment++) {
    const char *named = after(*environment, "ISOLATE_SERVICE=");
    socket = named ? named : socket;
  }
  return socket;
}
