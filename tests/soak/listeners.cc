// Several recorders of what one server plays, who are killed at any moment and come again at
// once, as the server is. The one that has recorded longest is waited for and loses nothing;
// when it leaves it is the next one, from where the one before has left. The others may miss
// frames, and no more. The server is told that nobody hears it only when nobody does.
#include <algorithm>
#include <utility>

#include "gathering.h"
#include "heard.h"
#include "roles.h"

namespace soak {
namespace {

Setting setting_of(const bench::Arguments& arguments) {
  Setting setting(arguments);
  setting.may_miss = true;
  return setting;
}

class Listeners final : public Gathering {
 public:
  explicit Listeners(const bench::Arguments& arguments)
      : Gathering(arguments, setting_of(arguments)) {
    add({true, true, false, 0, 0, false});
    for (int i = 0; i < arguments.number("--clients", 2); ++i)
      add({false, false, true, 0, 1, false});
  }

 private:
  static constexpr int kServer = 0;
  // The server is no further ahead of the one that it waits for, dead or alive.
  static constexpr std::int64_t kBeyondAnyRing = 1 << 18;
  using Parts = std::vector<int>;

  void prepare(int) override {}
  void started(int number) override {
    if (number != kServer) beginning_.push_back(number);
  }

  // All have begun to record: those that came meanwhile after the others, in an order that is
  // not known.
  void flowed() override {
    if (!beginning_.empty()) groups_.push_back(std::exchange(beginning_, {}));
    const int resets = member(kServer).resets;
    if (heard_all_along_ && resets != resets_) broken("reset", kServer, resets_, resets);
    resets_ = resets;
    heard_all_along_ = true;
  }

  // The one that has recorded longest, if that is known.
  int oldest() const {
    return groups_.empty() || groups_.front().size() != 1 ? -1 : groups_.front().front();
  }

  void killing(const Parts& parts) override {
    const int before = oldest();
    for (const int number : parts) {
      for (Parts& group : groups_) std::erase(group, number);
      std::erase(beginning_, number);
    }
    std::erase_if(groups_, [](const Parts& group) { return group.empty(); });
    const bool server_goes = std::find(parts.begin(), parts.end(), kServer) != parts.end();
    heard_all_along_ = heard_all_along_ && !server_goes && !groups_.empty();
    hears_the_end_ = surely_waited_for() ? oldest() : -1;
    if (server_goes) begin_anew();
    if (server_goes || oldest() != before) crowd().waited_for = 0;
  }

  // The server plays far beyond where the one before has left: it has found the next.
  bool surely_waited_for() {
    const int number = oldest();
    if (number < 1 || crowd().waited_for != member(number).number) return false;
    const Progress& of = heard(number, 0);
    return of.stream == stream_ && of.number > number_ + kBeyondAnyRing;
  }

  // Every one that lives waits for the next server.
  void begin_anew() {
    for (const Parts& group : groups_)
      beginning_.insert(beginning_.end(), group.begin(), group.end());
    groups_.clear();
    stream_ = 0;
  }

  void judge(const Parts& gone) override {
    for (const int number : gone) {
      if (number == kServer) {
        if (hears_the_end_ >= 0) must_be_heard(kServer, hears_the_end_);
        stream_ = 0;
      } else {
        note_place(heard(number, 0));
      }
    }
    if (oldest() >= 0 && crowd().waited_for == 0) wait_for_oldest();
  }

  // One that has gone may have read a block more.
  void note_place(const Progress& of) {
    const std::int64_t number = of.number + kMostBlock;
    if (of.stream == 0 || (of.stream == stream_ && number <= number_)) return;
    if (stream_ != 0 && of.stream != stream_ && !is_later(of.stream, stream_)) return;
    stream_ = of.stream;
    number_ = number;
  }

  void wait_for_oldest() {
    // One that has gone may have heard nothing yet of what the server plays to it.
    const int plays = member(kServer).stream;
    if (plays != 0 && (stream_ == 0 || is_later(plays, stream_))) {
      stream_ = plays;
      number_ = crowd().lane[member(kServer).plays_on].stream[plays].accepted;
    }
    if (stream_ == 0) return;
    crowd().after_stream = stream_;
    crowd().after_number = number_ + kBeyondAnyRing;
    crowd().waited_for = member(oldest()).number;
  }

  void look() override {
    for (int number = 1; number < count(); ++number) before_[number] = heard(number, 0).frames;
  }
  bool flows() override {
    for (int number = 1; number < count(); ++number) {
      if (heard(number, 0).frames == before_[number]) return false;
    }
    return true;
  }

  std::vector<Parts> groups_;  // the oldest first
  Parts beginning_;
  int hears_the_end_ = -1;
  // The furthest of those that have gone.
  int stream_ = 0;
  std::int64_t number_ = 0;
  bool heard_all_along_ = false;
  int resets_ = 0;
  std::int64_t before_[kPrograms] = {};
};

}  // namespace

int kill_listeners(const bench::Arguments& arguments) { return Listeners(arguments).run(); }

}  // namespace soak
