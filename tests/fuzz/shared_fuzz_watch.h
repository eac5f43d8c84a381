// How the processes of a round end, and what is found.
#pragma once

#include <map>
#include <string>

#include "shared_fuzz.h"

namespace ossloop::fuzz {

// What was found, each kind of fault told once.
class Findings {
 public:
  explicit Findings(std::string folder) : folder_(std::move(folder)) {}
  // `signature`: what is the same for the same fault.
  void add(const std::string& signature, const std::string& text);
  bool any() const { return !counts_.empty(); }
  void summarize() const;

 private:
  std::string folder_;  // where they are left; "" for nowhere
  std::map<std::string, int> counts_;
};

struct Counts {
  int started = 0, asked = 0, killed = 0, cut_off = 0;
  std::int64_t slowest_ns = 0;  // from SIGTERM to its end
};

// Starts and ends the processes of one round.
class Watch {
 public:
  Watch(const World& world, Board& board, int board_fd, Findings& findings, Counts& counts,
        std::string name);
  ~Watch();

  void start(std::size_t post, Kind kind, std::uint64_t seed);
  bool free(std::size_t post) const { return board_.post[post].pid.load() == 0; }
  // SIGTERM, or SIGKILL.
  void end(std::size_t post, bool kill);
  // Looks who has ended, and who has not though it was asked to.
  void look();
  // All are asked to end, and do.
  void end_all();

 private:
  struct Asked {
    pid_t pid = 0;
    std::int64_t at_ns = 0;
    bool killed = false;
    std::int64_t again_ns = 0;
  };
  void judge(std::size_t post, pid_t pid, const int* status);
  void hangs(std::size_t post, pid_t pid);
  void find(std::size_t post, pid_t pid, const std::string& what, const std::string& report);
  std::string take_report(pid_t pid, std::string& errors) const;

  const World& world_;
  Board& board_;
  const int board_fd_;
  Findings& findings_;
  Counts& counts_;
  const std::string name_;
  Asked asked_[kPosts];
  pid_t scribbler_ = 0;
};

}  // namespace ossloop::fuzz
