/* Tries to write outside its own folders. Status 0: it could not. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void) {
  const char *const paths[] = {
      "/isolate-demo",          "/usr/bin/isolate-demo",
      "/box/../isolate-demo",   "/proc/1/root/isolate-demo",
      "/dev/isolate-demo",      "/lib/isolate-demo",
      "/proc/sys/kernel/panic", "/usr/bin/env",
  };
  int through = 0;
  for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
    int fd = open(paths[i], O_WRONLY | O_CREAT, 0666);
    printf("%s: %s\n", paths[i], fd < 0 ? strerror(errno) : "opened");
    through |= fd >= 0;
  }
  /* A link does no better: its target is looked up inside the box. */
  if (symlink("/etc/isolate-demo", "link") == 0) through |= open("link", O_WRONLY | O_CREAT, 0666) >= 0;
  return through;
}
