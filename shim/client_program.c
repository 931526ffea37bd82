/* The client as a program of its own: what is installed as `isolate` where a service runs. */
#include <linux/fcntl.h>

#include "client.h"
#include "kernel.h"
#include "plan.h"

enum { EPERM = 1, EACCES = 13, FAILURE_STATUS = 2, PATH_BYTES = 4096 };

/* Without a service, executes the direct command, if it is installed beside this one. */
static void run_directly(char **arguments, char **environment) {
  static const char NAME[] = "isolate-direct";
  char path[PATH_BYTES];
  const u64 room = sizeof path - sizeof NAME;
  i64 length = kernel(__NR_readlinkat, (u64)AT_FDCWD, (u64) "/proc/self/exe", (u64)path, room, 0, 0);
  while (length > 0 && path[length - 1] != '/')
    length--;
  if (length <= 0)
    return;
  for (u64 i = 0; i < sizeof NAME; i++)
    path[(u64)length + i] = NAME[i];
  kernel(__NR_execve, (u64)path, (u64)arguments, (u64)environment, 0, 0, 0);
}

/* Commands for people are no matter for the service: they act with the caller's own rights, like a direct command.
 * cli/commands.ts has the same names. */
static int is_for_people(const char *name) {
  static const char NAMES[] = "@judge@check@api@worker@queue@cg-setup@cg-keeper@serve@completions@help@manual@";
  for (const char *at = NAMES; at[1]; at++) {
    u64 length = 0;
    while (name[length] && name[length] == at[1 + length])
      length++;
    if (*at == '@' && length > 0 && !name[length] && at[1 + length] == '@')
      return 1;
  }
  return 0;
}

__attribute__((noreturn, used)) void program_main(u64 *stack) {
  char **arguments = (char **)(stack + 1), **environment = arguments + stack[0] + 1;
  struct command command = {client_socket(environment), arguments + (stack[0] > 0), environment};
  if (stack[0] > 1 && is_for_people(arguments[1])) {
    run_directly(arguments, environment);
    client_say("`isolate ", arguments[1], "` needs isolate-direct, the whole program, beside this one\n");
    kernel_exit(FAILURE_STATUS);
  }
  i64 error = client_run(&command);
  run_directly(arguments, environment);
  if (error == -EPERM)
    client_say("ISOLATE_SERVICE is off, and there is no isolate-direct beside this program", "", "\n");
  else if (error == -EACCES)
    client_say("You may not use the isolate service at ", command.socket,
               ": ask for access to its socket; in a user namespace, call it from outside\n");
  else if (error == -UNTRUSTED)
    client_say("The isolate service at ", command.socket,
               " is neither root's nor yours; in a user namespace, call it from outside\n");
  else
    client_say("No isolate service is running at ", command.socket, ": start it with `isolate serve`\n");
  kernel_exit(FAILURE_STATUS);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall program_main\n");
#else
__asm__(".globl _start\n_start:\n\tmov x29, xzr\n\tmov x0, sp\n\tbl program_main\n");
#endif
