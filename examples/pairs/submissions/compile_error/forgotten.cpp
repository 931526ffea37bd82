// The header is forgotten.
int main() {
    long long n, count = 0;
    std::cin >> n;
    for (long long a = 1; a * a <= n; a++) count += 2 * (n / a - a) + 1;
    std::cout << count << '\n';
}
