/** How the kernel lays out the registers of a program (NT_PRSTATUS, `asm/ptrace.h`). */

/** The registers of one kind of program, in order. */
export interface RegisterLayout {
  readonly width: 4 | 8;
  readonly names: readonly string[];
}

function layout(width: 4 | 8, names: string): RegisterLayout {
  return { width, names: names.split(" ") };
}

const numbered = (letter: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${letter}${i}`).join(" ");

/** By architecture: those of its own programs, and of its 32-bit ones. They differ in size. */
export const REGISTERS: Readonly<Record<typeof Deno.build.arch, readonly RegisterLayout[]>> = {
  x86_64: [
    layout(
      8,
      "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss " +
        "fs_base gs_base ds es fs gs",
    ),
    layout(4, "ebx ecx edx esi edi ebp eax ds es fs gs orig_eax eip cs eflags esp ss"),
  ],
  aarch64: [
    layout(8, `${numbered("x", 31)} sp pc pstate`),
    layout(4, `${numbered("r", 13)} sp lr pc cpsr orig_r0`),
  ],
};
