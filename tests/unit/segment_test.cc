#include "shm/segment.h"

#include <errno.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "segment_place.h"

using namespace ossloop;
using namespace ossloop::test;

namespace {

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
  first->contract().mixer.changes.store(4711);
  auto second = Segment::open(place.folder, 0, place.init(500), place.error);
  REQUIRE(second != nullptr);
  CHECK(second->contract().policy.buffer_ms.load() == 340);
  CHECK(second->contract().mixer.changes.load() == 4711);
  auto third = place.existing();
  REQUIRE(third != nullptr);
  CHECK(&third->contract() != &first->contract());
  third->contract().mixer.changes.store(4712);
  CHECK(first->contract().mixer.changes.load() == 4712);
  CHECK(place.files() == 1);
}

TEST_CASE("a new segment is reserved, zeroed and of its instance") {
  Place place;
  auto segment = place.open(7);
  REQUIRE(segment != nullptr);
  CHECK(fs::file_size(place.file(7)) == abi::kRingOffset);
  CHECK(segment->contract().header.instance.load() == 7);
  CHECK(segment->contract().header.layout_version.load() == abi::kLayoutVersion);
  CHECK(segment->contract().direction[0].server.open.load() == 0);
  struct stat status {};
  REQUIRE(::stat(place.file(7).c_str(), &status) == 0);
  CHECK(status.st_blocks * 512 >= static_cast<long>(abi::kRingOffset));
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
      segment->contract().mixer.changes.fetch_add(1);
    }
    REQUIRE(segments[0]->contract().mixer.changes.load() == 8);
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
  std::uint64_t ring = 0;
  CHECK(segment->add_ring(kRing, ring) == -ENOSPC);
}

TEST_CASE("where memory cannot be reserved the file gets its length") {
  Place place;
  base::Sys table = base::kernel_sys();
  table.fallocate = [](int, std::int64_t, std::int64_t) { return -EOPNOTSUPP; };
  base::set_sys(table);
  auto segment = place.open();
  REQUIRE(segment != nullptr);
  CHECK(fs::file_size(place.file()) == abi::kRingOffset);
  std::uint64_t first = 0, second = 0;
  CHECK(segment->add_ring(2 * kRing, first) == 0);
  CHECK(fs::file_size(place.file()) == abi::kRingOffset + 2 * kRing);
  CHECK(segment->add_ring(kRing, second) == 0);
  CHECK(fs::file_size(place.file()) == abi::kRingOffset + 3 * kRing);
  CHECK(second == first + 2 * kRing);
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
