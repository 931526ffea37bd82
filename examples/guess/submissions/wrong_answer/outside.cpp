// Does not stay within the numbers.
#include <iostream>
#include <string>

int main() {
    std::cout << 5000 << std::endl;
    std::string answer;
    std::cin >> answer;
}
