// For each a up to the root of n, the pairs in which a is the smaller one, twice.
#include <cstdint>
#include <iostream>

int main() {
    int64_t n, count = 0;
    std::cin >> n;
    for (int64_t a = 1; a * a <= n; a++) count += 2 * (n / a - a) + 1;
    std::cout << count << '\n';
}
