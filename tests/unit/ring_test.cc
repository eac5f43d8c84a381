#include "shm/ring.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "base/fd.h"
#include "base/sys.h"

using namespace ossloop;
using ossloop::shm::Ring;

namespace {

using Bytes = std::vector<std::byte>;

Bytes counting(std::size_t bytes, unsigned from) {
  Bytes result(bytes);
  for (std::byte& value : result) value = static_cast<std::byte>(from++);
  return result;
}

// A ring's memory as the loop maps it: twice.
class Memory {
 public:
  explicit Memory(std::size_t bytes) : bytes_(bytes) {
    const base::Fd fd(base::sys().memory_file("ring", true));
    REQUIRE(base::sys().ftruncate(fd.get(), static_cast<std::int64_t>(bytes)) == 0);
    int error = 0;
    data_ = static_cast<std::byte*>(base::sys().map_ring(fd.get(), 0, bytes, error));
    REQUIRE(error == 0);
  }
  ~Memory() { base::sys().unmap(data_, 2 * bytes_); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  std::byte* data() const { return data_; }

 private:
  std::size_t bytes_;
  std::byte* data_ = nullptr;
};

constexpr std::size_t kPage = 4096;

void copy_out(const Ring& ring, std::uint64_t position, std::byte* to, std::size_t frames) {
  const std::byte* const from = ring.piece(position, frames);
  std::copy_n(from, frames * ring.frame_bytes(), to);
}

}  // namespace

TEST_CASE("a ring without memory says so") {
  CHECK_FALSE(Ring());
  std::byte one;
  CHECK(Ring(&one, 1, 1));
}

TEST_CASE("a piece lies in one run, and is no longer than the ring") {
  const Memory memory(kPage);
  const Ring ring(memory.data(), kPage, 6);  // 682 frames and 4 bytes
  const auto piece_at = [&](std::uint64_t position, std::size_t wanted, std::size_t offset) {
    std::size_t frames = wanted;
    CHECK(ring.piece(position, frames) == memory.data() + offset);
    return frames;
  };
  CHECK(ring.capacity_frames() == 682);
  CHECK(piece_at(0, 10, 0) == 10);
  CHECK(piece_at(0, 683, 0) == 682);
  CHECK(piece_at(600, 500, 3600) == 500);
  CHECK(piece_at(682, 4, 4092) == 4);
  CHECK(piece_at(683, 4, 2) == 4);
  CHECK(piece_at(4096, 2, 0) == 2);
  CHECK(piece_at(3, 0, 18) == 0);
}

TEST_CASE("a frame lies where its section's mark says") {
  const Memory memory(kPage);
  const Ring ring(memory.data(), kPage, 8, 1'000'000'000'003, 10 * kPage + 5);
  std::size_t frames = 1;
  CHECK(ring.piece(1'000'000'000'003, frames) == memory.data() + 5);
  CHECK(ring.piece(1'000'000'000'013, frames) == memory.data() + 85);
  // What is older lies before it.
  CHECK(ring.piece(1'000'000'000'002, frames) < memory.data() + kPage);
}

TEST_CASE("what is copied in comes out, whatever wraps") {
  for (const std::size_t frame_bytes : {1U, 2U, 3U, 6U, 256U}) {
    for (const std::size_t pages : {1U, 3U}) {
      const Memory memory(pages * kPage);
      const std::uint64_t start = (std::uint64_t{1} << 40) + 5;
      const Ring ring(memory.data(), pages * kPage, frame_bytes, start, 77);
      std::mt19937 random(static_cast<unsigned>(frame_bytes));
      std::uint64_t position = start;
      for (int round = 0; round < 200; ++round) {
        const auto frames = static_cast<std::size_t>(random() % (ring.capacity_frames() + 1));
        const std::size_t bytes = frames * frame_bytes;
        const Bytes in = counting(bytes + 1, random());
        Bytes out(bytes + 1, std::byte{0x5A});
        ring.copy_in(position, in.data(), frames);
        copy_out(ring, position, out.data(), frames);
        REQUIRE(std::equal(out.begin(), out.end() - 1, in.begin()));
        REQUIRE(out.back() == std::byte{0x5A});
        position += frames;
      }
    }
  }
}

TEST_CASE("a copy touches only its own frames") {
  const Memory memory(kPage);
  const Ring ring(memory.data(), kPage, 4);
  const Bytes first = counting(kPage, 100);
  ring.copy_in(0, first.data(), 1024);
  const Bytes second = counting(3 * 4, 0);
  ring.copy_in(1022, second.data(), 3);  // the last two and the first
  Bytes out(kPage);
  copy_out(ring, 1, out.data(), 1024);
  CHECK(std::equal(first.begin() + 4, first.begin() + 1022 * 4, out.begin()));
  CHECK(std::equal(second.begin(), second.end(), out.end() - 12));
}

TEST_CASE("frames written and read in pieces of other lengths stay in order") {
  const Memory memory(kPage);
  const Ring ring(memory.data(), kPage, 6);
  std::uint64_t written = 0, read = 0;
  std::uint16_t next = 0, expected = 0;
  std::mt19937 random(3);
  while (read < 20000) {
    auto frames = static_cast<std::size_t>(ring.capacity_frames() - (written - read));
    std::byte* to = ring.piece(written, frames);
    frames = std::min<std::size_t>(frames, random() % 300);
    for (std::size_t i = 0; i < frames; ++i, ++next) std::memcpy(to + 6 * i, &next, 2);
    written += frames;
    auto got = static_cast<std::size_t>(written - read);
    const std::byte* from = ring.piece(read, got);
    got = std::min<std::size_t>(got, random() % 200);
    for (std::size_t i = 0; i < got; ++i, ++expected) {
      std::uint16_t value;
      std::memcpy(&value, from + 6 * i, 2);
      REQUIRE(value == expected);
    }
    read += got;
  }
}
