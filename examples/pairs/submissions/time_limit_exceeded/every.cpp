// Looks at every a.
#include <cstdint>
#include <iostream>

int main() {
    int64_t n, count = 0;
    std::cin >> n;
    for (int64_t a = 1; a <= n; a++) count += n / a;
    std::cout << count << '\n';
}
