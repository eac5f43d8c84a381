// A headset on each side, by one program or by two, whose ends are killed at any moment and
// come again at once. Who lives on goes on: what a killed player had played is heard to its
// last frame, and then the end; a killed recorder's place is the next one's.
#include "gathering.h"
#include "roles.h"

namespace soak {
namespace {

// Of the players, and of the recorder that hears it.
enum Way { kToServer, kToClient };

Setting setting_of(const bench::Arguments& arguments) {
  Setting setting(arguments);
  setting.stalls = true;
  return setting;
}

class Headsets final : public Gathering {
 public:
  explicit Headsets(const bench::Arguments& arguments)
      : Gathering(arguments, setting_of(arguments)) {
    add_side(true, arguments.number("--server-programs", 1) == 2);
    add_side(false, arguments.number("--client-programs", 1) == 2);
  }

 private:
  void add_side(bool server, bool by_two) {
    const Way hears = server ? kToServer : kToClient;
    if (!by_two) {
      player_[1 - hears] = recorder_[hears] = count();
      add({server, true, true, hears, 1, server});
      return;
    }
    player_[1 - hears] = count();
    add({server, true, false, 0, 0, false});
    recorder_[hears] = count();
    add({server, false, true, hears, 1, server});
  }

  void prepare(int number) override {
    member(number).plays_on = part(number).server ? kToClient : kToServer;
  }

  void judge(const std::vector<int>& gone) override {
    for (const int number : gone) {
      for (const Way way : {kToServer, kToClient}) {
        if (player_[way] == number) must_be_heard(number, recorder_[way]);
      }
    }
  }

  void look() override {
    for (const Way way : {kToServer, kToClient}) before_[way] = heard(recorder_[way], way).frames;
  }
  bool flows() override {
    for (const Way way : {kToServer, kToClient}) {
      if (heard(recorder_[way], way).frames == before_[way]) return false;
    }
    return true;
  }

  int player_[2] = {}, recorder_[2] = {};
  std::int64_t before_[2] = {};
};

}  // namespace

int kill_headsets(const bench::Arguments& arguments) { return Headsets(arguments).run(); }

}  // namespace soak
