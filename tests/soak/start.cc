// A program of several threads that forks while one of them opens its first device.
#include "company.h"
#include "roles.h"

namespace soak {
namespace {

// Whoever has it open keeps the others out; that is all that may be.
void open_and_close(const char* path) {
  const int fd = ::open(path, O_RDONLY);
  if (fd < 0 && errno != EBUSY) bench::fail("broken open");
  if (fd >= 0 && ::close(fd) != 0) bench::fail("broken close");
}

void* first_open(void* path) {
  open_and_close(static_cast<const char*>(path));
  return nullptr;
}

}  // namespace

int start(const bench::Arguments& arguments) {
  std::string path = arguments.text("--path", "-");
  const auto pause_us = static_cast<useconds_t>(arguments.number("--pause", 200));
  pthread_t opener;
  if ((errno = pthread_create(&opener, nullptr, first_open, path.data())) != 0)
    bench::fail("pthread_create");
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    ::usleep(pause_us);
    const pid_t child = ::fork();
    if (child < 0) bench::fail("fork");
    if (child == 0) {
      open_and_close(path.c_str());
      ::_exit(0);
    }
    children.push_back(child);
  }
  pthread_join(opener, nullptr);
  for (const pid_t child : children) {
    int status = 0;
    if (::waitpid(child, &status, 0) != child || status != 0) {
      std::fprintf(stderr, "broken child: status %#x\n", static_cast<unsigned>(status));
      return 1;
    }
  }
  return 0;
}

}  // namespace soak
