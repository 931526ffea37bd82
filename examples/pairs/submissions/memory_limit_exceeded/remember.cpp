// Remembers all pairs before it counts them.
#include <cstdint>
#include <iostream>
#include <utility>
#include <vector>

int main() {
    int64_t n;
    std::cin >> n;
    std::vector<std::pair<int64_t, int64_t>> pairs;
    for (int64_t a = 1; a <= n; a++) {
        for (int64_t b = 1; a * b <= n; b++) pairs.emplace_back(a, b);
    }
    std::cout << pairs.size() << '\n';
}
