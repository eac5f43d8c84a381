#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>

#include "segment_place.h"

using namespace ossloop;
using namespace ossloop::test;

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
