// Its table is too small for large numbers, and says so.
#include <cstdint>
#include <iostream>
#include <vector>

int main() {
    uint64_t n, count = 0;
    std::cin >> n;
    std::vector<uint32_t> divisors(1000001);
    for (uint64_t a = 1; a < divisors.size(); a++) {
        for (uint64_t b = a; b < divisors.size(); b += a) divisors[b]++;
    }
    for (uint64_t i = 1; i <= n; i++) count += divisors.at(i);
    std::cout << count << '\n';
}
