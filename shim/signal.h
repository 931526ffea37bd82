/* Catching signals; see signal.c. */
#pragma once

#include "plan.h"

enum { SIGHUP = 1, SIGINT = 2, SIGQUIT = 3, SIGILL = 4, SIGTRAP = 5, SIGABRT = 6, SIGBUS = 7, SIGFPE = 8 };
enum { SIGUSR1 = 10, SIGSEGV = 11, SIGUSR2 = 12, SIGPIPE = 13, SIGTERM = 15, SIGSYS = 31 };

/* From now on a sent `signal` is one byte, its number, in `fd`; fd -1 ignores it, -2 is the default again. */
i32 signal_pass_to(i32 signal, i32 fd);
