// A side's node: the FIFO behind the descriptor that a program holds.
//
// Opened for reading and writing, with a pipe of one page, an empty FIFO reports
// "writable" only and one with a byte in it "readable" only: that byte, the
// token, is the side's readiness as poll, select and epoll see it. With a pipe of two
// pages a byte reports both, and more than a page "readable" only. The FIFO's
// (device, inode) names the side, and an open-file-description lock on it is the
// claim: the kernel keeps it over dup, fork and exec and drops it with the last
// descriptor, kill -9 included.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

#include "abi/layout.h"
#include "shm/names.h"
#include "shm/runtime_directory.h"

namespace ossloop::shm {

class Node {
 public:
  Node(const RuntimeDirectory& directory, int instance, const Place& place)
      : Node(directory, node_name(instance, place)) {}
  // That of an instance's mixer, which only names it: no token, no claim.
  static Node of_mixer(const RuntimeDirectory& directory, int instance) {
    return {directory, mixer_name(instance)};
  }

  std::string path() const { return directory_.path_of(name_); }

  // Makes the FIFO if it is missing. 0; -EEXIST when something else has the
  // name; else what mknod says.
  int make() const { return directory_.make_fifo(name_); }
  // A new description of the node for our own use: a descriptor or -errno.
  int reach() const;
  // One for a program: the lowest free descriptor, and so opened by the path. What was
  // opened is not known before is() says so.
  int open(bool close_on_exec) const;
  // The same with the open flags of a program: access, O_NONBLOCK, O_CLOEXEC.
  int open_as(int flags) const;

  // Is the node of this name the one with this status?
  bool is(const struct stat& status) const;
  // The same of a descriptor as far as paths tell, in any thread: worth asking is()?
  bool resembles(const struct stat& status) const;

  // The door of a side is a second lock on its first node: who opens a place of the side
  // holds it meanwhile, so that one at a time looks which are free. 0, or -EBUSY.
  static int take_door(int fd);
  static int take_door_patiently(int fd, int longest_ms = kOpeningMs);
  static bool door_taken_by_other(int fd);

  // A further lock, one for each open by its serial: the process of a player that closed
  // lives, and may go on. Its claim is given up for that.
  static int linger(int fd, std::uint64_t serial);
  static bool is_lingering(int fd, std::uint64_t serial);

  // Claims the side for the description behind `fd`. 0, -EBUSY, or why the
  // system refuses locks. Until it is
  // announced, what the segment says of the side may be an earlier open's.
  static int claim(int fd);
  // The same, but a claim that another has not announced passes, one way or the other:
  // waits for that, `longest_ms` at most.
  static int claim_patiently(int fd, int longest_ms = kOpeningMs);
  // A program that opens a side may first have to wait for memory that is given back.
  static constexpr int kOpeningMs = 2000;
  // The segment now speaks of the claim's holder.
  static void announce(int fd);
  // Does the description behind `fd` have the side's claim, announced? A claim that is
  // free it takes.
  static bool keeps_claim(int fd);
  // What a description other than fd's own holds.
  enum class Claim { kNone, kOpening, kAnnounced };
  static Claim claim_of_other(int fd);
  static bool claimed_by_other(int fd) { return claim_of_other(fd) != Claim::kNone; }

  // One page, or two: then the node shows both directions at once, and "readable" alone by
  // fill(). By who has the claim, and while the node is empty: 0, or what the system says.
  static int set_pages(int fd, int pages);
  // Puts a byte in, or takes all out; `pages` as above.
  static void set_token(int fd, bool ready, int pages = 1);
  // Is there a byte, and room for another page?
  static bool shows_both(int fd);
  static void fill(int fd);
  // One more byte beside the token: wakes who waits for a change. False: full.
  static bool add_byte(int fd);

 private:
  Node(const RuntimeDirectory& directory, std::string name)
      : directory_(directory), name_(std::move(name)) {}

  RuntimeDirectory directory_;
  std::string name_;
};

}  // namespace ossloop::shm
