#include "shm/ring.h"

#include <catch2/catch.hpp>
#include <numeric>
#include <random>
#include <vector>

using ossloop::shm::Ring;

namespace {

using Bytes = std::vector<std::byte>;

Bytes counting(std::size_t bytes, unsigned from) {
  Bytes result(bytes);
  for (std::byte& value : result) value = static_cast<std::byte>(from++);
  return result;
}

// Memory with guards on both sides.
class Memory {
 public:
  explicit Memory(std::size_t bytes) : all_(bytes + 2 * kGuard, kMark), bytes_(bytes) {}
  std::byte* data() { return all_.data() + kGuard; }
  bool guards_whole() const {
    for (std::size_t i = 0; i < kGuard; ++i) {
      if (all_[i] != kMark || all_[kGuard + bytes_ + i] != kMark) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t kGuard = 64;
  static constexpr std::byte kMark{0xA5};
  Bytes all_;
  std::size_t bytes_;
};

}  // namespace

TEST_CASE("a ring without memory says so") {
  CHECK_FALSE(Ring());
  std::byte one;
  CHECK(Ring(&one, 1, 1));
}

TEST_CASE("a piece ends where the ring ends") {
  Memory memory(10 * 6);
  const Ring ring(memory.data(), 10, 6);
  const auto piece_at = [&](std::uint64_t position, std::size_t wanted, std::size_t offset) {
    std::size_t frames = wanted;
    CHECK(ring.piece(position, frames) == memory.data() + offset);
    return frames;
  };
  CHECK(piece_at(0, 10, 0) == 10);
  CHECK(piece_at(0, 11, 0) == 10);
  CHECK(piece_at(7, 3, 42) == 3);
  CHECK(piece_at(7, 4, 42) == 3);
  CHECK(piece_at(9, 100, 54) == 1);
  CHECK(piece_at(10, 4, 0) == 4);
  CHECK(piece_at(1'000'000'000'003, 2, 18) == 2);
  CHECK(piece_at(3, 0, 18) == 0);
}

TEST_CASE("what is copied in comes out, whatever wraps") {
  for (const std::size_t frame_bytes : {1U, 2U, 3U, 6U, 256U}) {
    for (const std::uint64_t capacity : {1U, 2U, 3U, 10U, 97U}) {
      Memory memory(capacity * frame_bytes);
      const Ring ring(memory.data(), capacity, frame_bytes);
      std::mt19937 random(static_cast<unsigned>(capacity));
      std::uint64_t position = (std::uint64_t{1} << 40) + 5;
      for (int round = 0; round < 200; ++round) {
        const auto frames = static_cast<std::size_t>(random() % (capacity + 1));
        const std::size_t bytes = frames * frame_bytes;
        const Bytes in = counting(bytes + 1, random());
        Bytes out(bytes + 1, std::byte{0x5A});
        ring.copy_in(position, in.data(), frames);
        ring.copy_out(position, out.data(), frames);
        REQUIRE(std::equal(out.begin(), out.end() - 1, in.begin()));
        REQUIRE(out.back() == std::byte{0x5A});
        position += frames;
      }
      CHECK(memory.guards_whole());
    }
  }
}

TEST_CASE("a copy touches only its own frames") {
  Memory memory(8 * 4);
  const Ring ring(memory.data(), 8, 4);
  const Bytes first = counting(8 * 4, 100);
  ring.copy_in(0, first.data(), 8);
  const Bytes second = counting(3 * 4, 0);
  ring.copy_in(6, second.data(), 3);  // 6, 7 and 0
  Bytes out(8 * 4);
  ring.copy_out(1, out.data(), 8);  // 1 to 7, then the 0 that was written last
  CHECK(std::equal(first.begin() + 4, first.begin() + 24, out.begin()));
  CHECK(std::equal(second.begin(), second.end(), out.begin() + 20));
}

TEST_CASE("frames written and read in pieces of other lengths stay in order") {
  Memory memory(64 * 2);
  const Ring ring(memory.data(), 64, 2);
  std::uint64_t written = 0;
  std::uint64_t read = 0;
  std::uint16_t next = 0;
  std::uint16_t expected = 0;
  std::mt19937 random(3);
  while (read < 20000) {
    auto frames = static_cast<std::size_t>(64 - (written - read));
    std::byte* to = ring.piece(written, frames);
    frames = std::min<std::size_t>(frames, random() % 17);
    for (std::size_t i = 0; i < frames; ++i, ++next) std::memcpy(to + 2 * i, &next, 2);
    written += frames;
    auto got = static_cast<std::size_t>(written - read);
    const std::byte* from = ring.piece(read, got);
    got = std::min<std::size_t>(got, random() % 13);
    for (std::size_t i = 0; i < got; ++i, ++expected) {
      std::uint16_t value;
      std::memcpy(&value, from + 2 * i, 2);
      REQUIRE(value == expected);
    }
    read += got;
  }
}
