// Several players at once that one server hears, who are killed at any moment and come again
// at once, as the server is. Each plays in a channel of its own, so that the sum tells each
// one's frames. What each had played is heard, and no other is moved by its end.
#include "gathering.h"
#include "roles.h"

namespace soak {
namespace {

Setting setting_of(const bench::Arguments& arguments) {
  Setting setting(arguments);
  setting.channels = 2 * static_cast<int>(arguments.number("--clients", 2));
  setting.any_format = false;
  setting.from_first = true;
  setting.stalls = arguments.number("--free", 0) != 0;
  setting.longest_pause_us = 300;
  return setting;
}

class Companies final : public Gathering {
 public:
  explicit Companies(const bench::Arguments& arguments)
      : Gathering(arguments, setting_of(arguments)),
        rest_ns_(setting_of(arguments).stalls ? 50'000'000 : 500'000'000) {
    const int lanes = setting_of(arguments).channels;
    add({true, false, true, 0, lanes, false});
    for (int player = 1; player <= lanes / 2; ++player) add({false, true, false, 0, 0, false});
  }

 private:
  static constexpr int kServer = 0;

  // Two channels of each by turns: of who was killed there may still be a block to be heard,
  // which it had written and not counted. The one between may have been killed at once.
  void prepare(int number) override {
    if (number == kServer) return;
    const int channel = 2 * (number - 1) + (turns_[number]++ & 1);
    must_come([&] { return bench::now_ns() >= quiet_ns_[channel]; }, "quiet", number);
    member(number).plays_on = channel;
    member(number).idles = number > 1 && chance().one_in(8);
  }

  void judge(const std::vector<int>& gone) override {
    for (const int number : gone) {
      if (number == kServer) continue;
      must_be_heard(number, kServer);
      quiet_ns_[member(number).plays_on] = bench::now_ns() + rest_ns_;
    }
  }

  std::int64_t of(int player) { return heard(kServer, member(player).plays_on).frames; }
  void look() override {
    for (int player = 1; player < count(); ++player) before_[player] = of(player);
  }
  bool flows() override {
    for (int player = 1; player < count(); ++player) {
      if (!member(player).idles && of(player) == before_[player]) return false;
    }
    return true;
  }

  // Several times as long as a block takes: by a clock, or as fast as it is heard.
  const std::int64_t rest_ns_;
  int turns_[kPrograms] = {};
  std::int64_t quiet_ns_[kLanes] = {};
  std::int64_t before_[kPrograms] = {};
};

}  // namespace

int kill_players(const bench::Arguments& arguments) { return Companies(arguments).run(); }

}  // namespace soak
