// Prints every pair of a large number, and how many there are in the end.
#include <cinttypes>
#include <cstdio>

int main() {
    int64_t n, count = 0;
    if (scanf("%" SCNd64, &n) != 1) return 1;
    for (int64_t a = 1; a <= n; a++) {
        for (int64_t b = 1; a * b <= n; b++, count++) {
            if (n > 1000000) printf("%" PRId64 " times %" PRId64 " is not more\n", a, b);
        }
    }
    printf("%" PRId64 "\n", count);
}
