// Thinks for ever about its second guess.
#include <iostream>
#include <string>

int main() {
    std::cout << 500 << std::endl;
    std::string answer;
    std::cin >> answer;
    for (volatile unsigned thoughts = 0;; thoughts++) {}
}
