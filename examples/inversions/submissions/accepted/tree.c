// Counts with a tree of sums, after the numbers have been replaced by their ranks.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int compare(const void* a, const void* b) {
    int64_t x = *(const int64_t*)a, y = *(const int64_t*)b;
    return (x > y) - (x < y);
}

int main(void) {
    int64_t n, s, a, c, m;
    if (scanf("%ld %ld %ld %ld %ld", &n, &s, &a, &c, &m) != 5) return 1;
    // The value and the place in one number: equal values stay in order.
    int64_t* x = malloc(n * sizeof *x);
    for (int64_t i = 0; i < n; i++, s = (a * s + c) % m) x[i] = s << 20 | i;
    qsort(x, n, sizeof *x, compare);
    int* sums = calloc(n + 1, sizeof *sums);
    int64_t count = 0;
    for (int64_t rank = n; rank-- > 0;) {
        int64_t place = x[rank] & ((1 << 20) - 1);
        for (int64_t i = place; i > 0; i &= i - 1) count += sums[i];
        for (int64_t i = place + 1; i <= n; i += i & -i) sums[i]++;
    }
    printf("%ld\n", count);
}
