// Prints by C++ streams: flushed, unbuffered, and left to the program's exit.
#include <iostream>

int main() {
  std::cout << "cout" << 4 << std::endl;
  std::cerr << "err\n";
  std::cout << "..";
}
