// Both sides of an instance as programs open them, and threads that use them.
#pragma once

#include <stdlib.h>
#include <sys/stat.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/sys.h"
#include "config/config.h"
#include "device/endpoint.h"
#include "free_clock.h"
#include "shm/node.h"
#include "stream/format_word.h"
#include "stream/new_segment.h"

namespace ossloop::test {

using namespace ossloop::device;

// Both sides of an instance, opened as programs open them, in one process.
class Pair {
 public:
  explicit Pair(config::InstancePolicy policy = {}) {
    base::start_log("off");
    char name[] = "/dev/shm/ossloop-unit-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    request_.folder = std::string(name);
    request_.init = [policy](abi::Segment& contract) { fill_segment(contract, policy); };
    server = open(abi::kServer, kRead, server_fd);
    client = open(abi::kClient, kWrite, client_fd);
  }
  ~Pair() {
    close(client, client_fd);
    close(server, server_fd);
    std::filesystem::remove_all(request_.folder.path());
    base::start_log("error");
  }

  static void close(std::unique_ptr<Endpoint>& endpoint, int fd) {
    if (endpoint != nullptr) {
      endpoint->leave(fd, [fd] { base::sys().close(fd); });
      endpoint->stop_lingering();  // as at the end of a program
    }
    endpoint.reset();
  }

  std::unique_ptr<Endpoint> open(abi::SideIndex side, std::uint32_t access, int& fd,
                                 int expected = 0) {
    int error = 0;
    auto endpoint = try_open(side, access, fd, error);
    REQUIRE(error == expected);
    return endpoint;
  }
  // In any thread.
  std::unique_ptr<Endpoint> try_open(abi::SideIndex side, std::uint32_t access, int& fd,
                                     int& error) const {
    OpenRequest request = request_;
    request.side = side;
    request.access = access;
    request.close_on_exec = true;
    error = 0;
    return Endpoint::open(request, fd, error);
  }
  // What the instance's files take.
  std::int64_t memory() const {
    std::int64_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(request_.folder.path())) {
      struct stat status {};
      if (::lstat(entry.path().c_str(), &status) == 0) bytes += status.st_blocks * 512;
    }
    return bytes;
  }
  shm::Node node(abi::SideIndex side) const { return shm::Node(request_.folder, 0, side); }

  int server_fd = -1, client_fd = -1;
  std::unique_ptr<Endpoint> server, client;

 private:
  OpenRequest request_;
};

// Threads that go on until told to stop; joined with the object.
class Crowd {
 public:
  ~Crowd() { stop(); }
  template <typename Work>
  void add(Work work) {
    threads_.emplace_back([this, work] {
      while (!quit_.load()) work();
    });
  }
  void stop() {
    quit_.store(true);
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  std::atomic<bool> quit_{false};
  std::vector<std::thread> threads_;
};

}  // namespace ossloop::test
