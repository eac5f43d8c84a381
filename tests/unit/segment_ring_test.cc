#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>

#include "segment_place.h"

using namespace ossloop;
using namespace ossloop::test;

namespace {

// A segment with a ring of kLarge bytes and both nodes.
struct WithRing {
  explicit WithRing(Place& place) : segment(place.open()) {
    REQUIRE(segment != nullptr);
    REQUIRE(place.nodes());
    REQUIRE(segment->add_ring(kLarge, offset) == 0);
  }
  std::shared_ptr<Segment> segment;
  std::uint64_t offset = 0;
};

}  // namespace

TEST_CASE("a ring is mapped where all processes see it, twice") {
  Place place;
  const auto [first, offset] = WithRing(place);
  auto second = place.existing();
  REQUIRE(second != nullptr);
  auto one = first->map_ring(offset, kLarge, place.error);
  auto other = second->map_ring(offset, kLarge, place.error);
  REQUIRE(one.data() != nullptr);
  REQUIRE(other.data() != nullptr);
  std::memset(one.data() + kLarge - 8, 0x42, 16);
  for (const auto* ring : {&one, &other}) {
    for (const std::size_t at :
         {std::size_t{0}, std::size_t{7}, kLarge - 8, kLarge, kLarge + 7, 2 * kLarge - 1}) {
      INFO(at);
      CHECK(ring->data()[at] == std::byte{0x42});
    }
    CHECK(ring->data()[8] == std::byte{0});
    CHECK(ring->data()[kLarge - 9] == std::byte{0});
  }
  CHECK(first->contract().header.magic.load() == abi::kMagic);
}

TEST_CASE("rings of one instance lie side by side") {
  Place place;
  const auto [segment, first] = WithRing(place);
  std::uint64_t second = 0;
  REQUIRE(segment->add_ring(kRing, second) == 0);
  auto one = segment->map_ring(first, kLarge, place.error);
  auto other = segment->map_ring(second, kRing, place.error);
  REQUIRE(other.data() != nullptr);
  std::memset(one.data(), 1, kLarge);
  std::memset(other.data(), 2, kRing);
  CHECK(one.data()[kLarge - 1] == std::byte{1});
  CHECK(other.data()[0] == std::byte{2});
}

TEST_CASE("a ring that is not in its file is never mapped") {
  Place place;
  const auto [segment, offset] = WithRing(place);
  const std::pair<std::uint64_t, std::uint64_t> wrong[] = {
      {offset, kLarge + 4096},
      {offset + 4096, kLarge},
      {offset, 0},
      {0, kRing},
      {offset + 1, kRing},
      {offset, kRing + 1},
      {~std::uint64_t{0}, kRing},
      {offset, ~std::uint64_t{4095}},
  };
  for (const auto& [at, bytes] : wrong) {
    INFO(at << ", " << bytes);
    CHECK(segment->map_ring(at, bytes, place.error).data() == nullptr);
    CHECK(place.error == -EIO);
  }
}

TEST_CASE("garbage for the end of the file makes no file grow without end") {
  Place place;
  auto segment = place.open();
  REQUIRE(segment != nullptr);
  for (const std::uint64_t end : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    segment->contract().header.file_end.store(end);
    std::uint64_t offset = 0;
    const int error = segment->add_ring(kRing, offset);
    INFO(end << ": " << offset);
    CHECK(offset >= abi::kRingOffset);
    CHECK(offset % 4096 == 0);
    CHECK((error != 0 || offset <= std::uint64_t{1} << 40));
    CHECK((error == 0 || error == -ENOSPC || error == -EFBIG));
  }
}

TEST_CASE("a ring's memory is given back when nobody has the instance open") {
  Place place;
  const auto [segment, offset] = WithRing(place);
  auto ring = segment->map_ring(offset, kLarge, place.error);
  REQUIRE(ring.data() != nullptr);
  std::memset(ring.data(), 0x42, kLarge);
  segment->contract().direction[0].lane[0].producer.marks.store(3);
  segment->contract().direction[0].server.open.store(2 << 1 | 1);
  std::ofstream(place.folder + "/" + shm::map_name(0, abi::kClient, false)) << "sound";
  CHECK(place.memory() >= static_cast<long>(kLarge));

  segment->give_back();
  CHECK(place.memory() <= static_cast<long>(abi::kRingOffset));
  CHECK(place.files() == 3);  // and the nodes
  // Who still looks at it finds silence, and nobody looks for sound there.
  CHECK(ring.data()[kRing] == std::byte{0});
  CHECK(segment->contract().direction[0].lane[0].producer.marks.load() == 0);
  CHECK(segment->contract().direction[0].server.open.load() == 2 << 1);
  CHECK(segment->contract().policy.buffer_ms.load() == 340);
  std::uint64_t next = 0;
  CHECK(segment->add_ring(kRing, next) == 0);
  CHECK(next == offset);
}

TEST_CASE("nothing is given back while somebody has a side, or is just opening it") {
  for (const abi::SideIndex side : {abi::kServer, abi::kClient}) {
    for (const bool announced : {false, true}) {
      Place place;
      const auto [segment, offset] = WithRing(place);
      const shm::Node node(place.folder, 0, side);
      base::Fd program(node.open(true));
      REQUIRE(shm::Node::claim(program.get()) == 0);
      if (announced) shm::Node::announce(program.get());
      segment->give_back();
      CHECK(place.memory() >= static_cast<long>(kLarge));
      program.reset();
      segment->give_back();
      CHECK(place.memory() < static_cast<long>(kLarge));
    }
  }
}

TEST_CASE("nothing is taken from an instance that has another's name now") {
  Place place;
  const auto before = WithRing(place);
  fs::remove(place.file());
  const auto next = WithRing(place);
  before.segment->give_back();
  CHECK(place.memory() >= static_cast<long>(kLarge));
}

TEST_CASE("a ring that its writer left for a larger one gives its memory back alone") {
  Place place;
  const auto [segment, offset] = WithRing(place);
  std::uint64_t larger = 0;
  REQUIRE(segment->add_ring(2 * kLarge, larger) == 0);
  segment->drop_ring(offset, kLarge);
  CHECK(place.memory() >= static_cast<long>(2 * kLarge));
  CHECK(place.memory() < static_cast<long>(3 * kLarge));
}

TEST_CASE("who has no claim reads of a ring what there is, and takes no memory") {
  Place place;
  const auto [segment, offset] = WithRing(place);
  {
    auto ring = segment->map_ring(offset, kLarge, place.error);
    std::memset(ring.data(), 0x42, kLarge);
  }
  std::byte bytes[64];
  const std::uint64_t last = offset + kLarge - sizeof bytes;
  CHECK(segment->read_ring(last, bytes, sizeof bytes) == 0);
  CHECK(bytes[63] == std::byte{0x42});
  CHECK(segment->read_ring(last + 1, bytes, sizeof bytes) == -EIO);
  segment->give_back();
  CHECK(segment->read_ring(last, bytes, sizeof bytes) == 0);
  CHECK(bytes[63] == std::byte{0});
  CHECK(place.memory() < static_cast<long>(kLarge));
}
