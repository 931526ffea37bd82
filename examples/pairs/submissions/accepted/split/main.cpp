// A submission of several files.
#include <iostream>

#include "count.h"

int main() {
    std::int64_t n;
    std::cin >> n;
    std::cout << count_pairs(n) << '\n';
}
