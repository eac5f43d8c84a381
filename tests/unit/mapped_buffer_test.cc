#include "device/mapped_buffer.h"

#include <errno.h>
#include <sys/mman.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <optional>

#include "instance.h"

using namespace ossloop;
using namespace ossloop::test;

namespace {

// A client's buffer of 8 fragments of 10 ms, filled with the numbers of its frames.
class Playing {
 public:
  explicit Playing(config::InstancePolicy policy = {}) : instance(kS16, kS16, true, policy) {
    half().set_buffering({480 * 4, 8});
    buffer.emplace(half(), shm::MapFile(folder(), 0, abi::kClient, false));
    int error = 0;
    memory = static_cast<std::uint32_t*>(
        buffer->map({nullptr, kFrames * 4, PROT_READ | PROT_WRITE, MAP_SHARED}, error));
    REQUIRE(error == 0);
    for (std::uint32_t i = 0; i < kFrames; ++i) memory[i] = i;
    buffer->start(instance.now);
  }
  ~Playing() { ::munmap(memory, kFrames * 4); }

  // A tick at `ms`; the loop takes `room_frames` more, or answers with `error`.
  void tick(std::int64_t ms, std::uint64_t room_frames = 1'000'000, int error = 0) {
    instance.now = start + ms * kMs;
    buffer->play(
        instance.now, 10 * kMs,
        [&](std::byte* data, std::size_t bytes, bool) {
          TransferResult step;
          step.error = error;
          if (error != 0) return step;
          const std::size_t frames = std::min<std::uint64_t>(bytes / 4, room_frames);
          room_frames -= frames;
          step.moved = frames * 4;
          const auto* first = reinterpret_cast<const std::uint32_t*>(data);
          taken.insert(taken.end(), first, first + frames);
          return step;
        },
        [&](bool visible) { shown = visible; });
  }
  std::uint64_t reached() const { return buffer->reached(instance.now); }

  static constexpr std::uint32_t kFrames = 480 * 8;
  Instance instance;
  std::optional<MappedBuffer> buffer;
  std::uint32_t* memory = nullptr;
  std::vector<std::uint32_t> taken;
  bool shown = true;
  std::int64_t start = instance.now;

  OpenHalf& half() { return instance.client->half(); }
  std::string file() const { return instance.folder() + "/pcm0.played"; }

 private:
  std::string folder() const { return instance.folder(); }
};

}  // namespace

TEST_CASE("a mapped buffer gives what has passed and no more") {
  Playing playing;
  playing.tick(10);
  CHECK(playing.taken.size() == 480);
  playing.memory[480] = 77;  // not yet passed: may still change
  playing.tick(20);
  REQUIRE(playing.taken.size() == 960);
  CHECK(playing.taken[479] == 479);
  CHECK(playing.taken[480] == 77);
}

TEST_CASE("a mapped position is exact to the frame between the ticks") {
  Playing playing;
  playing.tick(10);
  for (const std::int64_t ms : {11, 13, 19}) {
    CHECK(playing.buffer->reached(playing.start + ms * kMs) == static_cast<std::uint64_t>(ms) * 48);
  }
  playing.tick(100'000);
  CHECK(playing.reached() == 4'800'000);
}

TEST_CASE("a late tick catches up with one buffer at most") {
  Playing playing;
  playing.tick(10);
  playing.taken.clear();
  playing.tick(10 + 1000);
  REQUIRE(playing.taken.size() == Playing::kFrames);
  CHECK(playing.reached() == 480 + 48'000);
  // The last round of the buffer, ending where the time is.
  CHECK(playing.taken.front() == (480 + 48'000) % Playing::kFrames);
}

TEST_CASE("a loop that takes no more holds the mapped position, and no burst follows") {
  Playing playing;
  playing.tick(10);
  playing.tick(20, 100);
  CHECK(playing.reached() == 580);
  for (int ms = 30; ms <= 500; ms += 10) playing.tick(ms, 0);
  CHECK(playing.reached() == 580);
  playing.tick(510);
  CHECK(playing.reached() == 1060);
  CHECK(playing.taken.size() == 1060);
}

TEST_CASE("without a listener a mapped position runs on") {
  Playing playing;
  playing.tick(10);
  playing.tick(30, 0, -ENXIO);
  CHECK(playing.reached() == 1440);
  CHECK(playing.taken.size() == 480);
  playing.tick(40);
  CHECK(playing.taken.back() == 1919);
}

TEST_CASE("the loop sees mapped sound when two ticks of it are there") {
  Playing playing;
  playing.tick(10);
  CHECK_FALSE(playing.shown);
  playing.tick(20);
  CHECK(playing.shown);
}

TEST_CASE("with a free clock a mapped buffer still runs in real time") {
  config::InstancePolicy policy;
  config::set<"clock">(policy, config::kFreeClock);
  Playing playing(policy);
  playing.tick(10);
  CHECK(playing.reached() == 480);
}

TEST_CASE("a mapped buffer is ready once for each fragment that passed") {
  Playing playing;
  playing.tick(9);
  CHECK_FALSE(playing.buffer->ready(playing.instance.now));
  playing.tick(10);
  CHECK(playing.buffer->ready(playing.instance.now));
  playing.buffer->exchange_seen(playing.reached());
  CHECK_FALSE(playing.buffer->ready(playing.instance.now));
}

TEST_CASE("a map longer than the buffer is refused") {
  Playing playing;
  int error = 0;
  CHECK(playing.buffer->map({nullptr, Playing::kFrames * 4 + 4096, PROT_READ, MAP_SHARED}, error) ==
        nullptr);
  CHECK(error == -EINVAL);
}

TEST_CASE("a second map is as long as the buffer that is there, whatever the segment says") {
  Playing playing;
  playing.half().own().fragments.store(64);
  int error = 0;
  constexpr std::size_t kLonger = Playing::kFrames * 4 + 4096;
  CHECK(playing.buffer->map({nullptr, kLonger, PROT_READ, MAP_SHARED}, error) == nullptr);
  CHECK(error == -EINVAL);
  playing.half().own().fragments.store(2);
  void* const memory =
      playing.buffer->map({nullptr, Playing::kFrames * 4, PROT_READ, MAP_SHARED}, error);
  CHECK(error == 0);
  CHECK(std::memcmp(memory, playing.memory, Playing::kFrames * 4) == 0);
  ::munmap(memory, Playing::kFrames * 4);
}

TEST_CASE("a map that would reach behind its file's end is refused") {
  Playing playing;
  std::filesystem::resize_file(playing.file(), 4096);
  int error = 0;
  CHECK(playing.buffer->map({nullptr, 8192, PROT_READ, MAP_SHARED}, error) == nullptr);
  CHECK(error == -EINVAL);
}

TEST_CASE("a new buffer is no longer than one may be, whatever the segment says") {
  Playing playing;
  playing.buffer->unmap();
  abi::Half& side = playing.half().own();
  side.fragment_bytes.store(1U << 28);
  int error = 0;
  void* const memory = playing.buffer->map({nullptr, 4096, PROT_READ, MAP_SHARED}, error);
  REQUIRE(error == 0);
  ::munmap(memory, 4096);
  CHECK(std::filesystem::file_size(playing.file()) < 1 << 20);
}

TEST_CASE("a mapped buffer's clock may hold any numbers") {
  Playing playing;
  abi::MappedStream& stream = playing.half().own().mapped;
  for (const std::int64_t base : {INT64_MIN, INT64_MAX}) {
    for (const std::int64_t anchor_ns : {INT64_MIN, INT64_MAX}) {
      stream.base.store(base);
      stream.anchor_ns.store(anchor_ns);
      stream.position.store(static_cast<std::uint64_t>(base) - 1000);
      playing.tick(10, 100);
      CHECK(playing.taken.size() <= 400);
    }
  }
}
