// Allocates memory without end, and uses it.
#include <cstring>
#include <new>

int main() {
  for (;;) std::memset(new char[1 << 20], 1, 1 << 20);
}
