#include "oss/instances.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <optional>

#include "base/log.h"
#include "device/device_thread.h"
#include "device/endpoint.h"
#include "shm/node.h"

using namespace ossloop;
namespace fs = std::filesystem;

namespace {

constexpr uid_t kStranger = 61002;

// A folder in which an instance was used, then given to another user with all that is
// in it, open to be read and written by us.
class TakenFolder {
 public:
  TakenFolder() {
    base::start_log("off");
    char name[] = "/dev/shm/ossloop-unit-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path = name;
    const shm::SegmentInit init = [](abi::Segment&) {};
    int error = 0;
    const auto segment = shm::Segment::open(path, 0, init, error);
    REQUIRE(segment != nullptr);
    segment->contract().direction[abi::kClientToServer].server.open.store(1 << 1 | 1);
    REQUIRE(shm::Node(path, 0, abi::kServer).make() == 0);
    claim_.emplace(shm::Node(path, 0, abi::kServer).open(true));
    REQUIRE(shm::Node::claim(claim_->get()) == 0);
    shm::Node::announce(claim_->get());
    for (const auto& entry : fs::directory_iterator(path)) give_away(entry.path());
    give_away(path);
    REQUIRE(::chmod(path.c_str(), 0755) == 0);
  }
  ~TakenFolder() {
    device::DeviceThread::instance().stop_if_idle();
    fs::remove_all(path);
    base::start_log("error");
  }
  int claimed() const { return claim_->get(); }

  std::string path;

 private:
  static void give_away(const std::string& path) {
    REQUIRE(::chown(path.c_str(), kStranger, kStranger) == 0);
  }

  std::optional<base::Fd> claim_;
};

}  // namespace

TEST_CASE("what is told of the instances is nothing of a stranger's folder") {
  TakenFolder folder;
  const oss::InstanceSet machine(folder.path, 0, [](int) { return shm::SegmentInit{}; });
  CHECK(machine.segment(0) == nullptr);
  CHECK_FALSE(machine.held(0, abi::kServer));
  CHECK_FALSE(machine.exists(0));
  CHECK(machine.count() == 0);
  const oss::InstanceSet configured(folder.path, 1, [](int) { return shm::SegmentInit{}; });
  int error = 0;
  CHECK(configured.make_segment(0, error) == nullptr);
  CHECK(error == -EACCES);
}

TEST_CASE("a descriptor of a stranger's node is no device") {
  TakenFolder folder;
  CHECK(device::Endpoint::adopt(folder.path, 0, abi::kServer, folder.claimed()) == nullptr);
  // It is the folder's owner that made the difference.
  REQUIRE(::chown(folder.path.c_str(), ::geteuid(), ::getegid()) == 0);
  CHECK(device::Endpoint::adopt(folder.path, 0, abi::kServer, folder.claimed()) != nullptr);
}
