// A runtime folder of a test's own, and the segments in it.
#pragma once

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "base/fd.h"
#include "base/log.h"
#include "base/sys.h"
#include "shm/node.h"
#include "shm/segment.h"

namespace ossloop::test {

using shm::Segment;
using shm::SegmentInit;
namespace fs = std::filesystem;

constexpr std::size_t kRing = 65536, kLarge = 4 << 20;

class Place {
 public:
  Place() {
    base::start_log("off");
    char name[] = "/dev/shm/ossloop-unit-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    folder = name;
  }
  ~Place() {
    base::set_sys(base::kernel_sys());
    fs::remove_all(folder);
    base::start_log("error");
  }

  SegmentInit init(std::uint32_t buffer_ms = 340) const {
    return [=](abi::Segment& segment) { segment.policy.buffer_ms.store(buffer_ms); };
  }
  std::shared_ptr<Segment> open(int number = 0) {
    auto segment = Segment::open(folder, number, init(), error);
    return segment;
  }
  std::shared_ptr<Segment> existing(int number = 0) {
    return Segment::open_existing(folder, number, error);
  }
  std::string file(int number = 0) const { return folder + "/" + shm::segment_name(number); }
  // A program that holds the server side.
  base::Fd claim() const {
    const shm::Node node(folder, 0, abi::kServer);
    REQUIRE(node.make() == 0);
    base::Fd fd(node.open(true));
    REQUIRE(shm::Node::claim(fd.get()) == 0);
    return fd;
  }
  ino_t inode() const {
    struct stat status {};
    return ::stat(file().c_str(), &status) == 0 ? status.st_ino : 0;
  }
  // Both nodes, as a program that opened a side left them.
  bool nodes() const {
    return shm::Node(folder, 0, abi::kServer).make() == 0 &&
           shm::Node(folder, 0, abi::kClient).make() == 0;
  }
  // What the segment's file takes.
  long memory() const {
    struct stat status {};
    return ::stat(file().c_str(), &status) == 0 ? status.st_blocks * 512 : 0;
  }
  long files() const {
    return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
  }

  std::string folder;
  int error = 1;
};

}  // namespace ossloop::test
