// Tries every number as a divisor.
#include <iostream>

static bool is_prime(long long n) {
    long long divisors = 0;
    for (long long d = 1; d <= n; d++) divisors += n % d == 0;
    return divisors == 2;
}

int main() {
    long long n, p = 2;
    std::cin >> n;
    while (!is_prime(p) || !is_prime(n - p)) p++;
    std::cout << p << ' ' << n - p << '\n';
}
