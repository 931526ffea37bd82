// Finds the smallest p.
#include <iostream>

static bool is_prime(int n) {
    if (n < 2) return false;
    for (long long d = 2; d * d <= n; d++) {
        if (n % d == 0) return false;
    }
    return true;
}

int main() {
    int n, p = 2;
    std::cin >> n;
    while (!is_prime(p) || !is_prime(n - p)) p++;
    std::cout << p << ' ' << n - p << '\n';
}
