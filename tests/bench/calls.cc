// What calls on descriptors that are no device cost, in nanoseconds of CPU each:
// the median of many short runs, so that what interrupts one does not count.
//
//   calls --runs N
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure.h"

namespace {

constexpr int kCalls = 500;

template <typename Call>
double run_ns(Call call) {
  const std::int64_t start_ns = bench::clock_ns(CLOCK_THREAD_CPUTIME_ID);
  for (int i = 0; i < kCalls; ++i) call(i);
  return static_cast<double>(bench::clock_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns) / kCalls;
}

}  // namespace

int main(int count, char** words) {
  const bench::Arguments arguments(count, words);
  const std::int64_t runs = arguments.number("--runs", 400);
  const int zero = ::open("/dev/zero", O_RDONLY);
  const int null = ::open("/dev/null", O_WRONLY);
  int ends[2];
  if (zero < 0 || null < 0 || ::pipe(ends) != 0) bench::fail("open");

  char byte = 0;
  int waiting = 0;
  int copies[kCalls];
  std::vector<double> read_ns, write_ns, ioctl_ns, poll_ns, close_ns;
  for (std::int64_t run = 0; run < runs; ++run) {
    read_ns.push_back(run_ns([&](int) {
      if (::read(zero, &byte, 1) != 1) bench::fail("read");
    }));
    write_ns.push_back(run_ns([&](int) {
      if (::write(null, &byte, 1) != 1) bench::fail("write");
    }));
    ioctl_ns.push_back(run_ns([&](int) {
      if (::ioctl(ends[0], FIONREAD, &waiting) != 0) bench::fail("ioctl");
    }));
    poll_ns.push_back(run_ns([&](int) {
      pollfd entry{ends[1], POLLOUT, 0};
      if (::poll(&entry, 1, 0) != 1) bench::fail("poll");
    }));
    // Made by the kernel's own call, so that only closing is compared.
    for (int& copy : copies) copy = static_cast<int>(::syscall(SYS_dup, null));
    close_ns.push_back(run_ns([&](int i) {
      if (::close(copies[i]) != 0) bench::fail("close");
    }));
  }
  std::printf(
      "{\"read\": %.2f, \"write\": %.2f, \"ioctl\": %.2f, \"poll\": %.2f, \"close\": %.2f}\n",
      bench::quantile(read_ns, 0.5), bench::quantile(write_ns, 0.5), bench::quantile(ioctl_ns, 0.5),
      bench::quantile(poll_ns, 0.5), bench::quantile(close_ns, 0.5));
}
