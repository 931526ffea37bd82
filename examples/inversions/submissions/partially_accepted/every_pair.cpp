// Looks at every pair: too slow for the last group.
#include <cstdint>
#include <iostream>
#include <vector>

int main() {
    int64_t n, s, a, c, m, count = 0;
    std::cin >> n >> s >> a >> c >> m;
    std::vector<int64_t> x(n);
    for (int64_t i = 0; i < n; i++, s = (a * s + c) % m) x[i] = s;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = i + 1; j < n; j++) count += x[i] > x[j];
    }
    std::cout << count << '\n';
}
