#include "device/readiness.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "base/fd.h"
#include "shm/node.h"

using namespace ossloop;
using device::Readiness;
using shm::Node;

namespace {

// A node, a half that shows its token there, and who waits for changes of it.
abi::Token as_token(bool byte) { return byte ? abi::Token::kByte : abi::Token::kEmpty; }

class Watched {
 public:
  explicit Watched(bool both_ways = false) {
    char name[] = "/dev/shm/ossloop-unit-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    folder_ = name;
    const Node node(folder_, 0, abi::kServer);
    REQUIRE(node.make() == 0);
    fd_.reset(node.open(true));
    if (both_ways) half->place.store(abi::kBothWays);
    REQUIRE(token.begin(fd_.get()) == 0);
    epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  }
  ~Watched() { std::filesystem::remove_all(folder_); }

  void wait_for(std::uint32_t events) {
    epoll_event event{events | EPOLLET, {}};
    REQUIRE(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd_.get(), &event) == 0);
    changed();  // what is so already
  }
  bool changed() {
    epoll_event event{};
    return ::epoll_wait(epoll_.get(), &event, 1, 0) == 1;
  }
  short state() const {
    pollfd entry{fd_.get(), POLLIN | POLLOUT, 0};
    ::poll(&entry, 1, 0);
    return entry.revents;
  }
  int fd() const { return fd_.get(); }
  Node node() const { return Node(folder_, 0, abi::kServer); }

  std::unique_ptr<abi::Half> half = std::make_unique<abi::Half>();
  Readiness token{*half};

 private:
  std::string folder_;
  base::Fd fd_, epoll_;
};

}  // namespace

TEST_CASE("a token that is shown again changes nothing, one shown anew is heard of") {
  const bool reads = GENERATE(true, false);
  CAPTURE(reads);
  Watched watched;
  watched.token.show(watched.fd(), as_token(reads));  // readable, or writable
  watched.wait_for(reads ? EPOLLIN : EPOLLOUT);
  watched.token.show(watched.fd(), as_token(reads));
  CHECK_FALSE(watched.changed());
  for (int round = 0; round < 10'000; ++round)
    watched.token.signal_edge(watched.fd(), as_token(reads));
  CHECK(watched.changed());
  CHECK(watched.state() == (reads ? POLLIN : POLLOUT));
  watched.token.show(watched.fd(), as_token(!reads));
  CHECK(watched.state() == (reads ? POLLOUT : POLLIN));
}

TEST_CASE("of a node for both ways each that is ready is heard of anew") {
  const auto [token, state] = GENERATE(std::pair{abi::Token::kEmpty, POLLOUT},
                                       std::pair{abi::Token::kByte, POLLIN | POLLOUT},
                                       std::pair{abi::Token::kFull, POLLIN});
  const int awaited = GENERATE(POLLIN, POLLOUT);
  CAPTURE(static_cast<int>(token), awaited);
  Watched watched(true);
  watched.token.show(watched.fd(), token);
  watched.wait_for(awaited == POLLIN ? EPOLLIN : EPOLLOUT);
  for (int round = 0; round < 10; ++round) {
    watched.token.signal_edge(watched.fd(), token);
    CHECK(watched.state() == state);
    CHECK(watched.changed() == ((state & awaited) != 0));
  }
}

TEST_CASE("a notification is heard of, and put right by the next look") {
  Watched watched;
  watched.token.show(watched.fd(), as_token(false));
  watched.wait_for(EPOLLIN);
  watched.token.notify(watched.fd(), abi::Token::kByte);
  CHECK(watched.changed());
  CHECK(watched.token.invalidated());
  watched.token.show(watched.fd(), as_token(false));
  CHECK(watched.state() == POLLOUT);
  CHECK_FALSE(watched.token.invalidated());
}

TEST_CASE("a token that was taken out of sight is back after a doubt") {
  Watched watched;
  watched.token.show(watched.fd(), as_token(true));
  Node::set_token(watched.fd(), false);
  watched.token.show(watched.fd(), as_token(true));
  CHECK(watched.state() == POLLOUT);
  watched.token.invalidate();
  watched.token.show(watched.fd(), as_token(true));
  CHECK(watched.state() == POLLIN);
}

TEST_CASE("who opens a node does not wake those who wait on it") {
  Watched watched;
  watched.wait_for(EPOLLIN | EPOLLOUT);
  const base::Fd other(watched.node().open(true));
  CHECK(other);
  CHECK_FALSE(watched.changed());
}
