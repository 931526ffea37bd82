/* Never ends, and is busy all the time. */
int main(void) {
  for (volatile unsigned i = 0;; i++) continue;
}
