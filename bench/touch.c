/*
 * Touches memory, page by page.
 *
 * usage: touch KIB [PROCESSES]   that much in each of so many processes, which all wait for the others
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) * 1024 : 0;
  int processes = argc > 2 ? atoi(argv[2]) : 1, ready[2], go[2];
  char byte = 0;

  if (pipe(ready) != 0 || pipe(go) != 0) return 2;
  for (int i = 0; i < processes; i++) {
    int pid = fork();
    if (pid < 0) return 2;
    if (pid == 0) {
      volatile char *memory = malloc(size);
      if (memory == NULL) return 2;
      for (size_t at = 0; at < size; at += 4096) memory[at] = 1;
      close(go[1]);
      if (write(ready[1], &byte, 1) != 1) return 2;
      _exit(read(go[0], &byte, 1) != 0);
    }
  }
  close(ready[1]);
  for (int i = 0; i < processes; i++) {
    if (read(ready[0], &byte, 1) != 1) return 2;
  }
  close(go[1]);
  for (int status; wait(&status) > 0;) {
    if (status != 0) return 2;
  }
  return 0;
}
