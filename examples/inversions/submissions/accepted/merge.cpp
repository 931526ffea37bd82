// Counts while it sorts by merging.
#include <cstdint>
#include <iostream>
#include <vector>

static int64_t sort_and_count(std::vector<int>& x, std::vector<int>& room, size_t from, size_t to) {
    if (to - from < 2) return 0;
    size_t middle = (from + to) / 2;
    int64_t count = sort_and_count(x, room, from, middle) + sort_and_count(x, room, middle, to);
    for (size_t i = from, j = middle, k = from; k < to; k++) {
        if (j == to || (i < middle && x[i] <= x[j])) {
            room[k] = x[i++];
        } else {
            room[k] = x[j++];
            count += static_cast<int64_t>(middle - i);
        }
    }
    for (size_t k = from; k < to; k++) x[k] = room[k];
    return count;
}

int main() {
    int64_t n, s, a, c, m;
    std::cin >> n >> s >> a >> c >> m;
    std::vector<int> x(n), room(n);
    for (int64_t i = 0; i < n; i++, s = (a * s + c) % m) x[i] = static_cast<int>(s);
    std::cout << sort_and_count(x, room, 0, n) << '\n';
}
