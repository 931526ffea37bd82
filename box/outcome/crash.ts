/** How a program crashed, where that was asked for. */

/** What the kernel told of the signal that ended a program. The program can have sent it to itself. */
export interface Crash {
  /** The thread that got it, as numbered in the box: the main thread of the program has 2. */
  readonly thread: number;
  /**
   * The reason, `si_code` of sigaction(2): positive for what the program did, such as 1 of SIGSEGV for an
   * address where there is nothing; 0 or less for a signal that was sent by kill(2) or the like.
   */
  readonly code: number;
  /** The address of a fault; undefined where the signal or the kernel has none. */
  readonly address: bigint | undefined;
  /**
   * The registers of the thread under the processor's names: `rip`, `rsp`, `rax`… on x86_64, `pc`, `sp`,
   * `x0`… on aarch64.
   */
  readonly registers: { readonly [name: string]: bigint };
}

/** What the kernel's reasons are called, by signal; from `asm-generic/siginfo.h`. */
const CODES: { readonly [signal: number]: readonly string[] } = {
  4: ["ILL_ILLOPC", "ILL_ILLOPN", "ILL_ILLADR", "ILL_ILLTRP", "ILL_PRVOPC", "ILL_PRVREG"],
  5: ["TRAP_BRKPT", "TRAP_TRACE", "TRAP_BRANCH", "TRAP_HWBKPT"],
  7: ["BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR", "BUS_MCEERR_AR", "BUS_MCEERR_AO"],
  8: ["FPE_INTDIV", "FPE_INTOVF", "FPE_FLTDIV", "FPE_FLTOVF", "FPE_FLTUND", "FPE_FLTRES"],
  11: ["SEGV_MAPERR", "SEGV_ACCERR", "SEGV_BNDERR", "SEGV_PKUERR"],
};
/** Those of all signals. */
const SENT: { readonly [code: number]: string } = {
  0: "SI_USER",
  128: "SI_KERNEL",
  [-1]: "SI_QUEUE",
  [-2]: "SI_TIMER",
  [-6]: "SI_TKILL",
};

/** Names the reason of a crash as sigaction(2) does; one without a name is a number. */
export function crashCodeName(signal: number, code: number): string {
  return SENT[code] ?? CODES[signal]?.[code - 1] ?? `code ${code}`;
}
