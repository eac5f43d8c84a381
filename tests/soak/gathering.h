// Who starts the programs of a crowd and kills them, and has no device itself.
#pragma once

#include <sys/wait.h>

#include "crowd.h"

namespace soak {

class Gathering {
 public:
  // Says "kills N streams N frames N".
  int run();

 protected:
  Gathering(const bench::Arguments& arguments, const Setting& setting);
  ~Gathering() = default;

  // Before the life of a part begins; and when some lives have ended.
  virtual void prepare(int part) = 0;
  virtual void judge(const std::vector<int>& gone) = 0;
  // All that live have moved sound since the last look.
  virtual bool flows() = 0;
  virtual void look() = 0;
  // Everybody has moved sound.
  virtual void flowed() {}
  virtual void started(int) {}
  virtual void killing(const std::vector<int>&) {}

  void add(const Part& part) { parts_.push_back(part); }
  int count() const { return static_cast<int>(parts_.size()); }
  const Part& part(int number) const { return parts_[static_cast<std::size_t>(number)]; }
  Member& member(int part) { return crowd_.member[part]; }
  bool lives(int part) const { return pids_[part] > 0; }
  Crowd& crowd() { return crowd_; }
  Chance& chance() { return chance_; }
  // What a lane's recorder has heard.
  Progress& heard(int part, int lane) { return member(part).heard[lane]; }

  // What a player that has gone had played must be heard by a recorder that lives.
  void must_be_heard(int player, int recorder);

  template <typename Condition>
  bool await(Condition condition, std::int64_t limit_ns) {
    const std::int64_t until_ns = bench::now_ns() + limit_ns;
    while (!condition()) {
      must_live();
      if (bench::now_ns() > until_ns) return condition();
      ::usleep(100);
    }
    return true;
  }
  // What does not come is told, and all stays as it is, to be looked at.
  template <typename Condition>
  void must_come(Condition condition, const char* what, int part) {
    constexpr std::int64_t kLimitNs = 45'000'000'000;
    if (!await(condition, kLimitNs)) stuck(what, part);
  }

  static constexpr std::int64_t kPatienceNs = 5'000'000;

 private:
  void start(int part);
  void end(const std::vector<int>& parts);
  std::vector<int> some_parts();
  void must_live();
  [[noreturn]] void stuck(const char* what, int part);

  Chance chance_;
  const int times_;
  const Setting setting_;
  Crowd& crowd_;
  std::vector<Part> parts_;
  pid_t pids_[kPrograms] = {};
  int last_life_ = 0;
  int kills_ = 0, streams_ = 0;
  std::int64_t frames_ = 0;
};

}  // namespace soak
