/*
 * Makes many small files in the working directory, 1,000 in each folder.
 *
 * usage: tree FILES
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv) {
  char path[64];
  int files = argc > 1 ? atoi(argv[1]) : 0;
  for (int i = 0; i < files; i++) {
    if (i % 1000 == 0) {
      sprintf(path, "d%d", i / 1000);
      if (mkdir(path, 0755) != 0) return 1;
    }
    sprintf(path, "d%d/f%d", i / 1000, i);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (fd < 0 || write(fd, "x\n", 2) != 2 || close(fd) != 0) return 1;
  }
  return 0;
}
