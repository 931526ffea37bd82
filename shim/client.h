/* What the client and the service say to each other. service/protocol.ts mirrors it. */
#pragma once

enum {
  HELLO_MAGIC = 0x4c4c4548, /* "HELL", first word of the first packet of the client */
  REFUSAL_MAGIC = 0x4e4f4e21,
  PACKET_SIZE_MAX = 1 << 17,
};

/* Kinds of the client's packets; one of a single byte is a signal. The service sends plans, or a refusal. */
enum { PACKET_HELLO = 1, PACKET_RESULT = 2 };

/* Begins the client's packets; a result is followed by the executed plan. */
struct packet {
  unsigned kind, value; /* value: the version of plans; the plan's size */
};

/* What the service sends to a client of another version: this and its own version. */

/* The first packet. It comes with two descriptors: a sealed memory file that holds the arguments and then the
 * environment, each string ended by a NUL; and a socket from which the box can take the caller's open standard streams
 * without the service ever holding them. */
struct hello {
  struct packet packet;
  unsigned magic;
  unsigned open_streams; /* bit N: descriptor N is open */
  unsigned argument_bytes, environment_bytes;
  int connection, delivery; /* the client's own descriptors: of the connection, and of the other end of that socket */
  unsigned long limits[16][2]; /* soft and hard, by the numbers of getrlimit(2) */
};

enum { UNTRUSTED = 129 }; /* EKEYREJECTED: who listens is neither root nor ourselves */

#define DEFAULT_SOCKET "/run/isolate/socket"

/* A command line to hand over. */
struct command {
  const char *socket;
  char **arguments, **environment; /* as execve takes them; the arguments without the program's name */
};

/* Hands the command over. Returns only if no service can be reached, with the negative errno. EPERM: it is "off". */
long client_run(const struct command *command);

/* The socket that the environment names. */
const char *client_socket(char *const *environment);

void client_say(const char *before, const char *name, const char *behind);
