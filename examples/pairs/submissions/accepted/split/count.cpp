#include "count.h"

std::int64_t count_pairs(std::int64_t n) {
    std::int64_t count = 0;
    for (std::int64_t a = 1; a * a <= n; a++) count += 2 * (n / a - a) + 1;
    return count;
}
