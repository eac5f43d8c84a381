#include "shm/node.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "base/fd.h"

using namespace ossloop;
using base::Fd;
using shm::Node;

namespace {

class Folder {
 public:
  Folder() {
    char name[] = "/dev/shm/ossloop-unit-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }

  Node node(abi::SideIndex side = abi::kServer) const {
    Node result({path}, 0, side);
    REQUIRE(result.make() == 0);
    return result;
  }

  std::string path;
};

Fd opened(const Node& node) {
  Fd fd(node.open(true));
  REQUIRE(fd);
  REQUIRE(Node::set_pages(fd.get(), 1) == 0);
  return fd;
}

// All that poll(2) says, asked for everything.
short readiness(int fd) {
  pollfd item{fd, POLLIN | POLLOUT | POLLPRI, 0};
  REQUIRE(::poll(&item, 1, 0) >= 0);
  return item.revents;
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

// A process that does `work`, says so, and then does nothing until it is killed.
class Child {
 public:
  explicit Child(const std::function<void()>& work) {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::signal(SIGTERM, SIG_DFL);
      work();
      [[maybe_unused]] const ssize_t told = ::write(ready[1], "", 1);
      for (;;) ::pause();
    }
    REQUIRE(pid_ > 0);
    char byte;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    ::close(ready[0]);
    ::close(ready[1]);
  }
  ~Child() { kill(); }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
};

class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  ~Umask() { ::umask(before_); }

 private:
  mode_t before_;
};

}  // namespace

TEST_CASE("a node is named after its side and its instance") {
  CHECK(Node(std::string("/run/x"), 0, abi::kServer).path() == "/run/x/server0");
  CHECK(Node(std::string("/run/x"), 15, abi::kClient).path() == "/run/x/pcm15");
}

TEST_CASE("a node is made once, and a FIFO") {
  Folder folder;
  const Node node(folder.path, 0, abi::kServer);
  CHECK(node.open(true) == -ENOENT);
  CHECK(node.make() == 0);
  CHECK(node.make() == 0);
  CHECK(std::filesystem::is_fifo(node.path()));
}

TEST_CASE("what has a node's name and is no FIFO is left alone") {
  Folder folder;
  const Node file(folder.path, 0, abi::kServer);
  std::ofstream(file.path()) << "mine";
  CHECK(file.make() == -EEXIST);
  CHECK(std::filesystem::file_size(file.path()) == 4);
  const Node link(folder.path, 0, abi::kClient);
  const Node target(folder.path, 1, abi::kClient);
  REQUIRE(target.make() == 0);
  std::filesystem::create_symlink(target.path(), link.path());
  CHECK(link.make() == -EEXIST);
  CHECK(link.open(true) == -ELOOP);
}

TEST_CASE("a node has the mode that was asked for, whatever the umask") {
  Folder folder;
  for (const mode_t mask : {0, 022, 077, 0777}) {
    INFO("umask " << std::oct << mask);
    Umask umask(mask);
    const Node own({folder.path, 0600}, 0, abi::kServer);
    const Node shared({folder.path, 0660}, 1, abi::kServer);
    const Node all({folder.path, 0666}, 2, abi::kServer);
    REQUIRE(own.make() == 0);
    REQUIRE(shared.make() == 0);
    REQUIRE(all.make() == 0);
    CHECK(mode_of(own.path()) == 0600);
    CHECK(mode_of(shared.path()) == 0660);
    CHECK(mode_of(all.path()) == 0660);  // never for everybody
    for (const Node* node : {&own, &shared, &all}) std::filesystem::remove(node->path());
  }
}

TEST_CASE("an open node is the lowest descriptor, and closed on exec if asked") {
  Folder folder;
  const Node node = folder.node();
  const int lowest = ::dup(0);
  ::close(lowest);
  Fd kept(node.open(false));
  CHECK(kept.get() == lowest);
  Fd passing(node.open(true));
  CHECK((::fcntl(kept.get(), F_GETFD) & FD_CLOEXEC) == 0);
  CHECK((::fcntl(passing.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("a node without a token can only be written, with one only read") {
  Folder folder;
  Fd fd = opened(folder.node());
  CHECK(readiness(fd.get()) == POLLOUT);
  Node::set_token(fd.get(), true);
  CHECK(readiness(fd.get()) == POLLIN);
  Node::set_token(fd.get(), false);
  CHECK(readiness(fd.get()) == POLLOUT);
}

TEST_CASE(
    "a node of two pages shows both directions with a byte, and still does once it was full") {
  Folder folder;
  const Fd fd = opened(folder.node());
  REQUIRE(Node::set_pages(fd.get(), 2) == 0);
  for (const bool from_empty : {false, true, true}) {
    CAPTURE(from_empty);
    Node::set_token(fd.get(), true);
    CHECK(readiness(fd.get()) == (POLLIN | POLLOUT));
    if (from_empty) Node::set_token(fd.get(), false);
    Node::fill(fd.get());
    CHECK(readiness(fd.get()) == POLLIN);
    Node::set_token(fd.get(), false);
    CHECK(readiness(fd.get()) == POLLOUT);
  }
}

TEST_CASE("whether a node shows both directions is seen without taking anything out") {
  Folder folder;
  const Fd fd = opened(folder.node());
  REQUIRE(Node::set_pages(fd.get(), 2) == 0);
  CHECK_FALSE(Node::shows_both(fd.get()));
  Node::set_token(fd.get(), true);
  CHECK(Node::shows_both(fd.get()));
  CHECK(readiness(fd.get()) == (POLLIN | POLLOUT));
  Node::fill(fd.get());
  CHECK_FALSE(Node::shows_both(fd.get()));
}

TEST_CASE("a node that holds more than its size is to be cannot get that") {
  Folder folder;
  const Fd fd = opened(folder.node());
  REQUIRE(Node::set_pages(fd.get(), 2) == 0);
  Node::fill(fd.get());
  CHECK(Node::set_pages(fd.get(), 1) == -EBUSY);
  Node::set_token(fd.get(), false);
  CHECK(Node::set_pages(fd.get(), 1) == 0);
}

TEST_CASE("a node that a stranger has enlarged and filled gets its size back") {
  Folder folder;
  for (const int pages : {1, 2}) {
    CAPTURE(pages);
    const Fd fd = opened(folder.node());
    REQUIRE(Node::set_pages(fd.get(), 32) == 0);
    Node::fill(fd.get());
    Node::set_token(fd.get(), false, pages);
    Node::set_token(fd.get(), false, pages);
    CHECK(::fcntl(fd.get(), F_GETPIPE_SZ) == pages * 4096);
  }
}

TEST_CASE("a token set twice is cleared once, and one cleared twice is set once") {
  Folder folder;
  Fd fd = opened(folder.node());
  Node::set_token(fd.get(), true);
  Node::set_token(fd.get(), true);
  CHECK(readiness(fd.get()) == POLLIN);
  Node::set_token(fd.get(), false);
  CHECK(readiness(fd.get()) == POLLOUT);
  Node::set_token(fd.get(), false);
  CHECK(readiness(fd.get()) == POLLOUT);
  Node::set_token(fd.get(), true);
  CHECK(readiness(fd.get()) == POLLIN);
}

TEST_CASE("every descriptor of a node sees its token, those of the other side do not") {
  Folder folder;
  const Node server = folder.node(abi::kServer);
  Fd first = opened(server);
  Fd second = opened(server);
  Fd client = opened(folder.node(abi::kClient));
  Node::set_token(first.get(), true);
  CHECK(readiness(second.get()) == POLLIN);
  CHECK(readiness(client.get()) == POLLOUT);
  Node::set_token(second.get(), false);
  CHECK(readiness(first.get()) == POLLOUT);
}

TEST_CASE("a claim belongs to one open") {
  Folder folder;
  const Node node = folder.node();
  Fd mine = opened(node);
  Fd other = opened(node);
  CHECK_FALSE(Node::claimed_by_other(other.get()));
  REQUIRE(Node::claim(mine.get()) == 0);
  CHECK(Node::claim(other.get()) == -EBUSY);
  CHECK(Node::claimed_by_other(other.get()));
  CHECK_FALSE(Node::claimed_by_other(mine.get()));
  CHECK(Node::claim(mine.get()) == 0);
  mine.reset();
  CHECK_FALSE(Node::claimed_by_other(other.get()));
  CHECK(Node::claim(other.get()) == 0);
}

TEST_CASE("an announced claim is told from one that is not, and both keep others out") {
  Folder folder;
  const Node node = folder.node();
  Fd mine = opened(node);
  Fd other = opened(node);
  CHECK(Node::claim_of_other(other.get()) == Node::Claim::kNone);
  REQUIRE(Node::claim(mine.get()) == 0);
  CHECK(Node::claim_of_other(other.get()) == Node::Claim::kOpening);
  Node::announce(mine.get());
  CHECK(Node::claim_of_other(other.get()) == Node::Claim::kAnnounced);
  CHECK(Node::claim(other.get()) == -EBUSY);
  CHECK(Node::claim_of_other(mine.get()) == Node::Claim::kNone);
}

TEST_CASE("an announced claim that is asked for again stays announced all the while") {
  Folder folder;
  const Node node = folder.node();
  Fd mine = opened(node);
  const Fd copy(::dup(mine.get()));
  const Fd other = opened(node);
  REQUIRE(Node::claim(mine.get()) == 0);
  CHECK_FALSE(Node::keeps_claim(other.get()));
  Node::announce(mine.get());

  static int locks;
  locks = 0;
  base::Sys table = base::kernel_sys();
  table.fcntl = [](int fd, int command, std::intptr_t argument) {
    if (command == F_OFD_SETLK) ++locks;
    return base::kernel_sys().fcntl(fd, command, argument);
  };
  base::set_sys(table);
  const bool kept = Node::keeps_claim(copy.get());
  const bool stolen = Node::keeps_claim(other.get());
  base::set_sys(base::kernel_sys());
  CHECK(kept);
  CHECK_FALSE(stolen);
  CHECK(locks == 0);
  CHECK(Node::claim_of_other(other.get()) == Node::Claim::kAnnounced);
}

TEST_CASE("a claim that is free is taken by who asks for it, announced") {
  Folder folder;
  const Node node = folder.node();
  const Fd mine = opened(node);
  const Fd other = opened(node);
  CHECK(Node::keeps_claim(mine.get()));
  CHECK(Node::claim_of_other(other.get()) == Node::Claim::kAnnounced);
}

TEST_CASE("who waits for a side that another is opening hears what becomes of it") {
  Folder folder;
  const Node node = folder.node();
  const Fd mine = opened(node);
  for (const bool announced : {true, false}) {
    Fd other = opened(node);
    REQUIRE(Node::claim(other.get()) == 0);
    std::thread opener([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      if (announced) Node::announce(other.get());
      if (!announced) other.reset();
    });
    CHECK(Node::claim_patiently(mine.get()) == (announced ? -EBUSY : 0));
    opener.join();
  }
}

TEST_CASE("the two sides of an instance are claimed apart") {
  Folder folder;
  Fd server = opened(folder.node(abi::kServer));
  Fd client = opened(folder.node(abi::kClient));
  CHECK(Node::claim(server.get()) == 0);
  CHECK_FALSE(Node::claimed_by_other(client.get()));
  CHECK(Node::claim(client.get()) == 0);
}

TEST_CASE("a claim lasts until the last descriptor from dup is closed") {
  Folder folder;
  const Node node = folder.node();
  Fd looker = opened(node);
  Fd first = opened(node);
  REQUIRE(Node::claim(first.get()) == 0);
  Fd second(::dup(first.get()));
  CHECK(Node::claim(second.get()) == 0);
  first.reset();
  CHECK(Node::claimed_by_other(looker.get()));
  CHECK_FALSE(Node::claimed_by_other(second.get()));
  second.reset();
  CHECK_FALSE(Node::claimed_by_other(looker.get()));
}

TEST_CASE("closing another descriptor of the node does not end the claim") {
  Folder folder;
  const Node node = folder.node();
  Fd mine = opened(node);
  REQUIRE(Node::claim(mine.get()) == 0);
  { Fd passing = opened(node); }
  Fd looker = opened(node);
  CHECK(Node::claimed_by_other(looker.get()));
}

TEST_CASE("a forked child keeps the claim, and kill -9 ends it") {
  Folder folder;
  const Node node = folder.node();
  Fd looker = opened(node);
  Fd mine = opened(node);
  REQUIRE(Node::claim(mine.get()) == 0);
  Child child([] {});
  CHECK_FALSE(Node::claimed_by_other(mine.get()));
  mine.reset();
  CHECK(Node::claimed_by_other(looker.get()));
  child.kill();
  CHECK_FALSE(Node::claimed_by_other(looker.get()));
}
