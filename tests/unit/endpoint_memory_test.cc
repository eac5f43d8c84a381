#include <errno.h>
#include <poll.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "endpoint_pair.h"

using namespace ossloop;
using namespace ossloop::test;
using namespace std::chrono_literals;

namespace {

constexpr audio::PcmFormat kMany{audio::afmt::kS32Le, 32, 192000};

// A player of many channels, with a server that converts.
void use(Pair& pair) {
  REQUIRE(pair.client->set_format(pair.client_fd, kMany) == 0);
  REQUIRE(pair.client->format() == kMany);
  std::byte data[4096]{};
  pair.client->set_nonblock(true);
  pair.server->prepare_poll(pair.server_fd, POLLIN);
  REQUIRE(pair.client->write(pair.client_fd, data, sizeof data) == sizeof data);
}

constexpr std::int64_t kLarge = 24 << 20;

}  // namespace

TEST_CASE("the last side that is closed gives the memory back, whichever it is") {
  for (const bool server_first : {false, true}) {
    Pair pair;
    const std::int64_t before = pair.memory();
    use(pair);
    REQUIRE(pair.memory() > kLarge);
    if (server_first) Pair::close(pair.server, pair.server_fd);
    if (!server_first) Pair::close(pair.client, pair.client_fd);
    CHECK(pair.memory() > kLarge);
    Pair::close(pair.server, pair.server_fd);
    Pair::close(pair.client, pair.client_fd);
    CHECK(pair.memory() == before);
    // And it is there again for the next loop of this size.
    pair.server = pair.open(abi::kServer, kRead, pair.server_fd);
    pair.client = pair.open(abi::kClient, kWrite, pair.client_fd);
    use(pair);
    CHECK(pair.memory() > kLarge);
  }
}

TEST_CASE("a long buffer of small frames is not as long in large ones") {
  std::int64_t memory[2];
  for (const bool chosen : {false, true}) {
    Pair pair;
    if (chosen) {
      REQUIRE(pair.client->set_format(pair.client_fd, {audio::afmt::kU8, 1, 8000}) == 0);
      pair.client->choose_buffer(pair.client_fd, 1024, 1 << 20);
    }
    const std::int64_t before = pair.memory();
    use(pair);
    memory[chosen ? 1 : 0] = pair.memory() - before;
    Pair::close(pair.server, pair.server_fd);
    Pair::close(pair.client, pair.client_fd);
  }
  CHECK(memory[0] == memory[1]);
}

TEST_CASE("two sides that are closed at once leave no memory taken") {
  Pair pair(free_clock());
  const std::int64_t before = pair.memory();
  for (int round = 0; round < 20; ++round) {
    INFO("round " << round);
    use(pair);
    std::thread other([&] { Pair::close(pair.client, pair.client_fd); });
    Pair::close(pair.server, pair.server_fd);
    other.join();
    REQUIRE(pair.memory() == before);
    pair.server = pair.open(abi::kServer, kRead, pair.server_fd);
    pair.client = pair.open(abi::kClient, kWrite, pair.client_fd);
  }
}

TEST_CASE("a server that opens gives back what killed programs left") {
  Pair pair;
  const std::int64_t before = pair.memory();
  const auto segment = pair.server->segment();
  Pair::close(pair.client, pair.client_fd);
  Pair::close(pair.server, pair.server_fd);
  std::uint64_t ring = 0;
  REQUIRE(segment->add_ring(kLarge, ring) == 0);
  pair.server = pair.open(abi::kServer, kRead, pair.server_fd);
  CHECK(pair.memory() == before);
}

TEST_CASE("no side is found busy because memory is given back") {
  Pair pair(free_clock());
  Pair::close(pair.client, pair.client_fd);
  Pair::close(pair.server, pair.server_fd);
  std::atomic<int> opened{0}, refused{0};
  Crowd crowd;
  crowd.add([&] {
    int fd = -1, error = 0;
    auto server = pair.try_open(abi::kServer, kRead, fd, error);
    std::uint64_t ring = 0;
    if (error != 0 || server->segment()->add_ring(kLarge, ring) != 0) ++refused;
    Pair::close(server, fd);
    ++opened;
  });
  crowd.add([&] {
    int fd = -1, error = 0;
    auto client = pair.try_open(abi::kClient, kWrite, fd, error);
    if (error != 0 && error != -EAGAIN) ++refused;
    Pair::close(client, fd);
  });
  for (int moment = 0; moment < 50 || opened <= 5; ++moment) std::this_thread::sleep_for(10ms);
  crowd.stop();
  CHECK(refused == 0);
}
