#include "device/endpoint.h"

#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "endpoint_pair.h"

using namespace ossloop;
using namespace ossloop::test;
using namespace std::chrono_literals;

TEST_CASE("a close ends a read that waits in another thread") {
  Pair pair;
  std::byte data[256];
  ssize_t result = 0;
  std::thread reader([&] { result = pair.server->read(pair.server_fd, data, sizeof data); });
  std::this_thread::sleep_for(50ms);
  const int fd = pair.server_fd;
  pair.server->leave(fd, [fd] { base::sys().close(fd); });
  reader.join();
  CHECK(result == -EBADF);
  pair.server.reset();
}

TEST_CASE("a client takes no server that was killed for the one that is about to open") {
  Pair pair;
  Pair::close(pair.client, pair.client_fd);
  // A killed server's word stays as it was.
  const auto segment = pair.server->segment();
  auto& open = half_of(segment->contract(), abi::kServer, kRead).open;
  const std::uint64_t word = open.load();
  Pair::close(pair.server, pair.server_fd);
  open.store(word);

  base::Fd next;
  const auto claim = [&] {
    next.reset(pair.node(abi::kServer).open(true));
    REQUIRE(shm::Node::claim(next.get()) == 0);
  };
  claim();
  pair.open(abi::kClient, kWrite, pair.client_fd, -EAGAIN);

  // Announced meanwhile, it is waited for; but not for ever, and a thread may be late.
  int error = -EAGAIN;
  for (int attempt = 0; attempt < 20 && error == -EAGAIN; ++attempt) {
    if (attempt > 0) claim();
    std::thread server([&] {
      std::this_thread::sleep_for(5ms);
      shm::Node::announce(next.get());
    });
    pair.client = pair.try_open(abi::kClient, kWrite, pair.client_fd, error);
    server.join();
  }
  CHECK(error == 0);
}

TEST_CASE("a server takes no client that was killed for the one that comes too early") {
  Pair pair;
  // A killed client's word stays as it was.
  const auto segment = pair.client->segment();
  auto& open = half_of(segment->contract(), abi::kClient, kWrite).open;
  const std::uint64_t word = open.load();
  Pair::close(pair.client, pair.client_fd);
  Pair::close(pair.server, pair.server_fd);
  open.store(word);

  // The next client has looked for a server, and found none.
  base::Fd next(pair.node(abi::kClient).open(true));
  REQUIRE(shm::Node::claim(next.get()) == 0);
  std::thread client([&] {
    std::this_thread::sleep_for(5ms);
    next.reset();
  });
  pair.server = pair.open(abi::kServer, kWrite, pair.server_fd);
  client.join();
  CHECK((open.load() & 1) == 0);
}

TEST_CASE("any call from any thread at once") {
  Pair pair(free_clock());
  Endpoint& server = *pair.server;
  Endpoint& client = *pair.client;
  client.set_format(pair.client_fd, {audio::afmt::kU8, 1, 44100});
  std::atomic<std::uint64_t> played{0}, recorded{0};
  Crowd crowd;
  for (int i = 0; i < 2; ++i) {
    crowd.add([&] {
      std::byte data[600] = {};
      const ssize_t moved = client.write(pair.client_fd, data, sizeof data);
      if (moved > 0) played += static_cast<std::uint64_t>(moved);
    });
    crowd.add([&] {
      std::byte data[1000];
      const ssize_t moved = server.read(pair.server_fd, data, sizeof data);
      if (moved > 0) recorded += static_cast<std::uint64_t>(moved);
    });
  }
  crowd.add([&] { client.pointer(pair.client_fd, kWrite); });
  crowd.add([&] {
    Space space{};
    server.space(pair.server_fd, kRead, space);
  });
  crowd.add([&] { client.prepare_poll(pair.client_fd, POLLOUT); });
  crowd.add([&] { server.poll_now(pair.server_fd); });
  crowd.add([&] {
    client.set_volume(kWrite, 50 | 60 << 8);
    client.errors(pair.client_fd);
    std::this_thread::sleep_for(1ms);
  });
  crowd.add([&] {
    client.halt(pair.client_fd, kWrite);
    client.set_trigger(pair.client_fd, 0);
    client.set_trigger(pair.client_fd, kWrite);
    std::this_thread::sleep_for(5ms);
  });
  std::this_thread::sleep_for(700ms);
  for (int i = 0; i < 2000 && (played <= 10'000 || recorded <= 10'000); ++i) {
    std::this_thread::sleep_for(10ms);  // a machine with other things to do
  }
  // What still waits is let go by the ends.
  std::thread stopping([&] { crowd.stop(); });
  std::this_thread::sleep_for(20ms);
  const int client_fd = pair.client_fd, server_fd = pair.server_fd;
  client.leave(client_fd, [client_fd] { base::sys().close(client_fd); });
  server.leave(server_fd, [server_fd] { base::sys().close(server_fd); });
  stopping.join();
  pair.client.reset();
  pair.server.reset();
  CHECK(played > 10'000);
  CHECK(recorded > 10'000);
}

TEST_CASE("a buffer is mapped, played and asked about by several threads at once") {
  Pair pair;
  Endpoint& client = *pair.client;
  const std::size_t bytes = 4096;
  Access direction = kRead;
  int error = 0;
  void* memory = client.map(pair.client_fd, {nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED},
                            direction, error);
  REQUIRE(memory != nullptr);
  CHECK(direction == kWrite);
  client.set_trigger(pair.client_fd, kWrite);
  std::uint64_t last = 0;
  const std::int64_t start_ns = base::sys().now_ns();
  {
    Crowd crowd;
    crowd.add([&] {
      std::byte data[1000];
      pair.server->set_nonblock(true);
      pair.server->read(pair.server_fd, data, sizeof data);
      std::this_thread::sleep_for(1ms);
    });
    for (int i = 0; i < 3; ++i) crowd.add([&] { client.pointer(pair.client_fd, kWrite); });
    crowd.add([&] { client.prepare_poll(pair.client_fd, POLLOUT); });
    std::this_thread::sleep_for(300ms);
    for (int i = 0; i < 2000 && last == 0; ++i) {
      std::this_thread::sleep_for(10ms);
      last = client.pointer(pair.client_fd, kWrite).frames;
    }
  }
  const double elapsed = static_cast<double>(base::sys().now_ns() - start_ns) / 1e9;
  // The recorder's first read starts it, after the moment in which a server chooses
  // its format.
  CHECK(last > 0);
  CHECK(static_cast<double>(last) <= 48000 * elapsed);
  ::munmap(memory, bytes);
  client.unmap(kWrite);
  std::byte frame[4] = {};
  client.set_nonblock(true);
  CHECK(client.write(pair.client_fd, frame, sizeof frame) == 4);
}

TEST_CASE("sound is moved though another process is said to do so, at no time there is") {
  Pair pair;
  const std::size_t bytes = 4096;
  int error = 0;
  Access direction{};
  void* const memory = pair.client->map(
      pair.client_fd, {nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED}, direction, error);
  REQUIRE(error == 0);
  pair.client->set_trigger(pair.client_fd, 0);
  pair.client->set_trigger(pair.client_fd, kWrite);
  abi::Half& mapped = half_of(pair.client->segment()->contract(), abi::kClient, kWrite);
  for (const std::int64_t moved_ns : {INT64_MIN, INT64_MAX}) {
    mapped.pump_owner.store(1);
    mapped.moved_ns.store(moved_ns);
    for (int i = 0; i < 1000 && mapped.pump_owner.load() == 1; ++i)
      std::this_thread::sleep_for(10ms);
    CHECK(mapped.pump_owner.load() == static_cast<std::uint32_t>(::getpid()));
  }
  ::munmap(memory, bytes);
  pair.client->unmap(kWrite);
}
