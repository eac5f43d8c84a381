#include "shm/segment.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "base/log.h"
#include "base/sys.h"
#include "shm/node.h"

using namespace ossloop;
using shm::Segment;
using shm::SegmentInit;
namespace fs = std::filesystem;

namespace {

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
    return {kRing, [=](abi::Segment& segment) { segment.policy.buffer_ms.store(buffer_ms); }};
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

template <typename Value>
void overwrite(const std::string& path, std::size_t offset, Value value) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(offset));
  file.write(reinterpret_cast<const char*>(&value), sizeof value);
  REQUIRE(file.good());
}

// Every way in which a file of this name can be none of ours.
struct Wrong {
  const char* what;
  void (*spoil)(const std::string& path);
};
const Wrong kWrong[] = {
    {"magic", [](const std::string& path) { overwrite(path, 0, std::uint64_t{0}); }},
    {"layout version",
     [](const std::string& path) { overwrite(path, 8, abi::kLayoutVersion + 1); }},
    {"instance", [](const std::string& path) { overwrite(path, 12, std::uint32_t{1}); }},
    {"too short", [](const std::string& path) { fs::resize_file(path, abi::kRingOffset - 1); }},
    {"empty", [](const std::string& path) { fs::resize_file(path, 0); }},
};

class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  ~Umask() { ::umask(before_); }

 private:
  mode_t before_;
};

}  // namespace

TEST_CASE("a segment is made once and then found") {
  Place place;
  auto first = place.open();
  REQUIRE(first != nullptr);
  CHECK(place.error == 0);
  CHECK(first->contract().policy.buffer_ms.load() == 340);
  CHECK(first->contract().header.magic.load() == abi::kMagic);
  first->contract().loop.word.store(4711);
  auto second = Segment::open(place.folder, 0, place.init(500), place.error);
  REQUIRE(second != nullptr);
  CHECK(second->contract().policy.buffer_ms.load() == 340);
  CHECK(second->contract().loop.word.load() == 4711);
  auto third = place.existing();
  REQUIRE(third != nullptr);
  CHECK(&third->contract() != &first->contract());
  third->contract().loop.word.store(4712);
  CHECK(first->contract().loop.word.load() == 4712);
  CHECK(place.files() == 1);
}

TEST_CASE("a new segment is reserved, zeroed and of its instance") {
  Place place;
  auto segment = place.open(7);
  REQUIRE(segment != nullptr);
  CHECK(fs::file_size(place.file(7)) == abi::kRingOffset + kRing);
  CHECK(segment->contract().header.instance.load() == 7);
  CHECK(segment->contract().header.layout_version.load() == abi::kLayoutVersion);
  CHECK(segment->contract().side[0].open.load() == 0);
  struct stat status {};
  REQUIRE(::stat(place.file(7).c_str(), &status) == 0);
  CHECK(status.st_blocks * 512 >= static_cast<long>(abi::kRingOffset + kRing));
}

TEST_CASE("looking for a segment makes none") {
  Place place;
  CHECK(place.existing() == nullptr);
  CHECK(place.error == -ENOENT);
  CHECK(place.files() == 0);
  CHECK(Segment::open(place.folder + "/missing", 0, place.init(), place.error) == nullptr);
  CHECK(place.error == -ENOENT);
}

TEST_CASE("of eight that make a segment at once all get the same") {
  for (int round = 0; round < 40; ++round) {
    Place place;
    std::vector<std::shared_ptr<Segment>> segments(8);
    std::vector<std::thread> threads;
    std::atomic<int> ready{0};
    for (unsigned i = 0; i < segments.size(); ++i) {
      threads.emplace_back([&, i] {
        ++ready;
        while (ready.load() < 8) std::this_thread::yield();
        int error = 0;
        segments[i] = Segment::open(place.folder, 0, place.init(20 + i), error);
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const auto& segment : segments) {
      REQUIRE(segment != nullptr);
      REQUIRE(segment->current());
      segment->contract().loop.word.fetch_add(1);
    }
    REQUIRE(segments[0]->contract().loop.word.load() == 8);
    REQUIRE(place.files() == 1);
  }
}

TEST_CASE("a file that is no segment of ours is replaced when nobody uses it") {
  for (const Wrong& wrong : kWrong) {
    INFO(wrong.what);
    Place place;
    REQUIRE(place.open() != nullptr);
    const ino_t before = place.inode();
    wrong.spoil(place.file());
    CHECK(place.existing() == nullptr);
    CHECK(place.error == -EPROTO);
    CHECK(place.inode() == before);
    auto segment = place.open();
    REQUIRE(segment != nullptr);
    CHECK(place.error == 0);
    CHECK(segment->current());
    CHECK(segment->contract().policy.buffer_ms.load() == 340);
    CHECK(place.files() == 3);  // and the two nodes, whose claims it took to replace it
  }
}

TEST_CASE("a file that is no segment of ours is left alone while somebody uses it") {
  for (const Wrong& wrong : kWrong) {
    INFO(wrong.what);
    Place place;
    REQUIRE(place.open() != nullptr);
    wrong.spoil(place.file());
    const ino_t before = place.inode();
    base::Fd program = place.claim();
    CHECK(place.open() == nullptr);
    CHECK(place.error == -EPROTO);
    CHECK(place.inode() == before);
    program.reset();
    CHECK(place.open() != nullptr);
  }
}

TEST_CASE("only one at a time replaces a spoilt segment") {
  Place place;
  REQUIRE(place.open() != nullptr);
  overwrite(place.file(), 0, std::uint64_t{0});
  // Another one comes in the moment before we remove the spoilt file.
  static Place* where;
  static std::shared_ptr<Segment> other;
  where = &place;
  other.reset();
  base::Sys table = base::kernel_sys();
  table.unlinkat = [](int dirfd, const char* path) {
    if (path == shm::segment_name(0)) {
      base::set_sys(base::kernel_sys());
      int error = 0;
      other = Segment::open(where->folder, 0, where->init(), error);
    }
    return base::kernel_sys().unlinkat(dirfd, path);
  };
  base::set_sys(table);
  auto mine = place.open();
  base::set_sys(base::kernel_sys());
  REQUIRE(mine != nullptr);
  CHECK(mine->current());
  CHECK(other == nullptr);
  CHECK(place.open() != nullptr);
}

TEST_CASE("a segment's name that is a link or a folder is refused") {
  Place place;
  std::ofstream(place.folder + "/target") << std::string(100000, 'x');
  fs::create_symlink(place.folder + "/target", place.file());
  CHECK(place.open() == nullptr);
  CHECK(place.error == -ELOOP);
  CHECK(place.existing() == nullptr);
  CHECK(fs::file_size(place.folder + "/target") == 100000);
  fs::create_directory(place.file(1));
  CHECK(place.open(1) == nullptr);
  CHECK(place.error < 0);
}

TEST_CASE("a full memory file system is told at once and leaves nothing behind") {
  Place place;
  base::Sys table = base::kernel_sys();
  table.fallocate = [](int, std::int64_t, std::int64_t) { return -ENOSPC; };
  base::set_sys(table);
  CHECK(place.open() == nullptr);
  CHECK(place.error == -ENOSPC);
  CHECK(place.files() == 0);
  base::set_sys(base::kernel_sys());
  auto segment = place.open();
  REQUIRE(segment != nullptr);
  base::set_sys(table);
  CHECK(segment->reserve_ring(4 * kRing) == -ENOSPC);
}

TEST_CASE("where memory cannot be reserved the file gets its length") {
  Place place;
  base::Sys table = base::kernel_sys();
  table.fallocate = [](int, std::int64_t, std::int64_t) { return -EOPNOTSUPP; };
  base::set_sys(table);
  auto segment = place.open();
  REQUIRE(segment != nullptr);
  CHECK(fs::file_size(place.file()) == abi::kRingOffset + kRing);
  CHECK(segment->reserve_ring(2 * kRing) == 0);
  CHECK(fs::file_size(place.file()) == abi::kRingOffset + 2 * kRing);
  // A smaller wish takes nothing from a peer that has it mapped.
  CHECK(segment->reserve_ring(kRing) == 0);
  CHECK(fs::file_size(place.file()) == abi::kRingOffset + 2 * kRing);
}

TEST_CASE("a segment has the mode that was asked for, whatever the umask") {
  const auto mode_of = [](mode_t umask, mode_t mode) {
    Place place;
    Umask mask(umask);
    REQUIRE(Segment::open({place.folder, mode}, 0, place.init(), place.error) != nullptr);
    struct stat status {};
    REQUIRE(::stat(place.file().c_str(), &status) == 0);
    return status.st_mode & 07777;
  };
  CHECK(mode_of(0, 0600) == 0600);
  CHECK(mode_of(0, 0666) == 0660);  // never for everybody
  CHECK(mode_of(077, 0660) == 0660);
  CHECK(mode_of(0777, 0600) == 0600);
}

TEST_CASE("a segment knows when its name means another file") {
  Place place;
  auto segment = place.open();
  REQUIRE(segment != nullptr);
  CHECK(segment->current());
  fs::remove(place.file());
  CHECK_FALSE(segment->current());
  auto next = place.open();
  REQUIRE(next != nullptr);
  CHECK(next->current());
  CHECK_FALSE(segment->current());
}

TEST_CASE("the ring is mapped where all processes see it") {
  Place place;
  auto first = place.open();
  auto second = place.existing();
  REQUIRE(first != nullptr);
  REQUIRE(second != nullptr);
  auto one = first->map_ring(kRing, place.error);
  auto other = second->map_ring(kRing, place.error);
  REQUIRE(one.data() != nullptr);
  REQUIRE(other.data() != nullptr);
  std::memset(one.data(), 0x42, kRing);
  CHECK(other.data()[0] == std::byte{0x42});
  CHECK(other.data()[kRing - 1] == std::byte{0x42});
  CHECK(first->contract().header.magic.load() == abi::kMagic);
}

TEST_CASE("a ring that is longer than its file is never mapped") {
  Place place;
  auto segment = place.open();
  REQUIRE(segment != nullptr);
  auto ring = segment->map_ring(kRing + 4096, place.error);
  CHECK(ring.data() == nullptr);
  CHECK(place.error == -EIO);
  REQUIRE(segment->reserve_ring(kRing + 4096) == 0);
  ring = segment->map_ring(kRing + 4096, place.error);
  REQUIRE(ring.data() != nullptr);
  CHECK(place.error == 0);
  std::memset(ring.data(), 1, ring.bytes());
}

TEST_CASE("a ring's memory is given back when nobody has the instance open") {
  Place place;
  auto segment = place.open();
  REQUIRE(segment != nullptr);
  REQUIRE(place.nodes());
  REQUIRE(segment->reserve_ring(kLarge) == 0);
  auto ring = segment->map_ring(kLarge, place.error);
  REQUIRE(ring.data() != nullptr);
  std::memset(ring.data(), 0x42, kLarge);
  REQUIRE(segment->map_tail(1, 4096, place.error).data() != nullptr);
  std::ofstream(place.folder + "/" + shm::map_name(0, abi::kClient, false)) << "sound";
  CHECK(place.memory() >= static_cast<long>(kLarge));

  segment->give_back(kRing);
  CHECK(place.memory() <= static_cast<long>(abi::kRingOffset + kRing));
  CHECK(fs::file_size(place.file()) == abi::kRingOffset + kLarge);
  CHECK(place.files() == 3);  // and the nodes
  // What is kept is untouched, and who still looks at the rest finds silence.
  CHECK(ring.data()[kRing - 1] == std::byte{0x42});
  CHECK(ring.data()[kRing] == std::byte{0});
  CHECK(segment->contract().policy.buffer_ms.load() == 340);
}

TEST_CASE("nothing is given back while somebody has a side, or is just opening it") {
  for (const abi::SideIndex side : {abi::kServer, abi::kClient}) {
    for (const bool announced : {false, true}) {
      Place place;
      auto segment = place.open();
      REQUIRE(segment != nullptr);
      REQUIRE(place.nodes());
      REQUIRE(segment->reserve_ring(kLarge) == 0);
      const shm::Node node(place.folder, 0, side);
      base::Fd program(node.open(true));
      REQUIRE(shm::Node::claim(program.get()) == 0);
      if (announced) shm::Node::announce(program.get());
      segment->give_back(kRing);
      CHECK(place.memory() >= static_cast<long>(kLarge));
      program.reset();
      segment->give_back(kRing);
      CHECK(place.memory() < static_cast<long>(kLarge));
    }
  }
}

TEST_CASE("nothing is taken from an instance that has another's name now") {
  Place place;
  auto segment = place.open();
  REQUIRE(segment != nullptr);
  REQUIRE(place.nodes());
  fs::remove(place.file());
  auto next = place.open();
  REQUIRE(next != nullptr);
  REQUIRE(next->reserve_ring(kLarge) == 0);
  segment->give_back(kRing);
  CHECK(place.memory() >= static_cast<long>(kLarge));
}

TEST_CASE("a ring that was given back has its memory again before it is mapped") {
  Place place;
  auto segment = place.open();
  REQUIRE(segment != nullptr);
  REQUIRE(place.nodes());
  REQUIRE(segment->reserve_ring(kLarge) == 0);
  segment->give_back(kRing);

  base::Sys table = base::kernel_sys();
  table.fallocate = [](int, std::int64_t, std::int64_t) { return -ENOSPC; };
  base::set_sys(table);
  CHECK(segment->map_ring(kLarge, place.error).data() == nullptr);
  CHECK(place.error == -ENOSPC);
  base::set_sys(base::kernel_sys());

  const auto ring = segment->map_ring(kLarge, place.error);
  CHECK(ring.data() != nullptr);
  CHECK(place.memory() >= static_cast<long>(kLarge));
}

TEST_CASE("who has no claim reads of the ring what there is, and takes no memory") {
  Place place;
  auto segment = place.open();
  REQUIRE(segment != nullptr);
  REQUIRE(place.nodes());
  REQUIRE(segment->reserve_ring(kLarge) == 0);
  {
    auto ring = segment->map_ring(kLarge, place.error);
    std::memset(ring.data(), 0x42, kLarge);
  }
  std::byte bytes[64];
  CHECK(segment->read_ring(kLarge - sizeof bytes, bytes, sizeof bytes) == 0);
  CHECK(bytes[63] == std::byte{0x42});
  CHECK(segment->read_ring(kLarge - 1, bytes, sizeof bytes) == -EIO);
  segment->give_back(kRing);
  CHECK(segment->read_ring(kLarge - sizeof bytes, bytes, sizeof bytes) == 0);
  CHECK(bytes[63] == std::byte{0});
  CHECK(place.memory() < static_cast<long>(kLarge));
}
