// Reads numbers and prints their median.
#include <algorithm>
#include <iostream>
#include <iterator>
#include <vector>

int main() {
  std::vector<long> numbers{std::istream_iterator<long>(std::cin), {}};
  std::sort(numbers.begin(), numbers.end());
  std::cout << numbers.at(numbers.size() / 2) << '\n';
}
