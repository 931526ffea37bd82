/* Never ends, in four threads. */
#include <pthread.h>

static void *spin(void *unused) {
  (void)unused;
  for (volatile unsigned i = 0;; i++) continue;
  return 0;
}

int main(void) {
  pthread_t thread;
  for (int i = 0; i < 3; i++) {
    if (pthread_create(&thread, 0, spin, 0) != 0) return 1;
  }
  spin(0);
}
