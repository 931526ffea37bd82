/* Catching signals; see signal.c. */
#pragma once

#include "plan.h"

enum { SIGHUP = 1, SIGINT = 2, SIGQUIT = 3, SIGILL = 4, SIGTRAP = 5, SIGABRT = 6, SIGBUS = 7, SIGFPE = 8 };
enum { SIGUSR1 = 10, SIGSEGV = 11, SIGUSR2 = 12, SIGPIPE = 13, SIGTERM = 15, SIGCHLD = 17, SIGSYS = 31 };

/* Writes a byte, the number of `signal`, to `fd` whenever it is sent; fd -1 ignores it, -2 restores the default. */
i32 signal_pass_to(i32 signal, i32 fd);
