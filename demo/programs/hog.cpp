// Wants ever more memory.
#include <cstring>
#include <new>

int main() {
  for (;;) std::memset(new char[1 << 20], 1, 1 << 20);
}
