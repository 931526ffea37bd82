#include <iostream>
#include <string>

int main() {
    int low = 1, high = 1000;
    for (;;) {
        int guess = (low + high) / 2;
        std::cout << guess << std::endl;
        std::string answer;
        std::cin >> answer;
        if (answer == "higher") low = guess + 1;
        else if (answer == "lower") high = guess - 1;
        else return 0;
    }
}
