// A program that opens no device and is done.
int main() { return 0; }
