// 32 bits are too few.
#include <cstdint>
#include <iostream>

int main() {
    uint64_t n;
    uint32_t count = 0;
    std::cin >> n;
    for (uint64_t a = 1; a * a <= n; a++) count += 2 * (n / a - a) + 1;
    std::cout << count << '\n';
}
