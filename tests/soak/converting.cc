// A player and a recorder of different formats and rates, of whom one is killed at any
// moment and comes again, and the other lives on. What the killed one's writes had
// accepted has been heard, bit for bit as it must be converted; what a killed recorder had
// heard was right; and who lives on is told each time, and goes on.
#include <sys/wait.h>

#include <random>

#include "heard.h"
#include "lives.h"
#include "roles.h"

namespace soak {
namespace {

using namespace ossloop::oss;

constexpr int kFormats[] = {AFMT_U8,     AFMT_S16_LE, AFMT_S16_BE, AFMT_S24_LE,
                            AFMT_S32_LE, AFMT_FLOAT,  AFMT_MU_LAW, AFMT_S24_PACKED};
constexpr int kRates[] = {8000, 11025, 16000, 22050, 44100, 48000, 96000};
constexpr std::int64_t kLimitNs = 45'000'000'000;
// Nothing may come of one that was killed before it had moved a frame.
constexpr std::int64_t kPatienceNs = 20'000'000;
constexpr int kLongestLifeUs = 12'000;

// Starts and kills the others, and has no device itself.
class Killer {
 public:
  explicit Killer(const bench::Arguments& arguments)
      : random_(static_cast<unsigned>(arguments.number("--seed", 1))),
        times_(static_cast<int>(arguments.number("--times", 50))),
        roles_{arguments.text("--path", "-"), arguments.text("--other", "-"),
               arguments.number("--plays", 1) != 0, arguments.number("--serves", 0) != 0,
               static_cast<ossloop::audio::Quality>(arguments.number("--quality", 3))},
        lives_(*shared_memory<Lives>()) {}

  int run() {
    // What a first open loads, it loads for all of them.
    ::close(open_with(roles_.killed_is_server ? roles_.killed_path : roles_.living_path, O_RDONLY,
                      some_format()));
    living_format_ = some_format();
    prepare(1);
    const unsigned seed = static_cast<unsigned>(random_());
    living_ = ::fork();
    if (living_ < 0) bench::fail("fork");
    if (living_ == 0) live_on(roles_, lives_, seed);
    if (!roles_.killed_is_server) must_come([&] { return lives_.opened != 0; }, "open");
    for (int number = 1; number <= times_; ++number) one_life(number);
    ::kill(living_, SIGKILL);
    ::waitpid(living_, nullptr, 0);
    std::printf("kills %d rates %d streams %d frames %lld\n", kills_, rates_, streams_,
                static_cast<long long>(lives_.compared));
    return 0;
  }

 private:
  void prepare(int number) {
    Life& life = lives_.of(number);
    life.format = some_format();
    life.living = roles_.killed_is_server ? some_format() : living_format_;
    while (life.format == life.living) life.format = some_format();
    life.block_frames = some(1, one_in(2) ? 4000 : 200);
    life.last = one_in(6) ? some(1, 20'000) : 0;
    life.opened = life.over = 0;
    life.frames = 0;
  }

  void one_life(int number) {
    if (number > 1) prepare(number);
    Life& life = lives_.of(number);
    const int ends = lives_.ends;
    const std::uint64_t stream = lives_.stream;
    lives_.number.store(number, std::memory_order_release);
    const pid_t child = ::fork();
    if (child < 0) bench::fail("fork");
    if (child == 0) live_once(roles_, life, static_cast<std::uint64_t>(number), lives_.heard);
    see_its_end(child, number);
    life.over.store(1, std::memory_order_release);
    const bool moved = life.frames != 0;
    const bool told = roles_.killed_is_server || (moved && !roles_.killed_plays);
    if (roles_.killed_plays && moved) {
      must_come([&] { return lives_.judged == number; }, "sound");
    } else if (!told) {
      await([&] { return lives_.ends != ends; }, kPatienceNs);
    }
    if (told) must_come([&] { return lives_.ends != ends; }, "end");
    if (!roles_.killed_plays && moved) judge(life, stream);
    if (moved) ++streams_;
  }

  // By a kill, or by itself.
  void see_its_end(pid_t child, int number) {
    const Life& life = lives_.of(number);
    auto gone = [&] { return ::waitpid(child, &status_, WNOHANG) == child; };
    if (life.last != 0) {
      must_come(gone, "program that ends");
      if (status_ != 0) broken("program", number, 0, status_);
      return;
    }
    // Some are killed before they have opened their device, but for a server: the other one
    // waits for it.
    if (roles_.killed_is_server) {
      must_come([&] { return lives_.opened == number; }, "server");
    } else if (!one_in(10)) {
      must_come([&] { return life.opened != 0; }, "client");
    }
    if (life.opened != 0 && !one_in(10)) must_come([&] { return life.frames != 0; }, "first frame");
    ::usleep(static_cast<useconds_t>(some(0, kLongestLifeUs)));
    ::kill(child, SIGKILL);
    ::waitpid(child, &status_, 0);
    if (!WIFSIGNALED(status_)) broken("program", number, life.frames, status_);
    ++kills_;
    if (life.format.rate_hz != life.living.rate_hz) ++rates_;
  }

  // What a recorder had heard: of the stream that was played when it began, or of the next
  // if that one's end was still to be told.
  void judge(const Life& life, std::uint64_t first) {
    const auto bytes = static_cast<std::size_t>(life.frames * life.format.frame_bytes());
    const Sound heard(lives_.heard, lives_.heard + bytes);
    const std::uint64_t last = lives_.stream;
    for (std::uint64_t stream = first; stream <= last; ++stream) {
      if (!Conversion{life.living, life.format, roles_.quality, stream}.is_beginning(heard))
        continue;
      lives_.compared += life.frames;
      return;
    }
    broken("conversion", static_cast<int>(last), 0, life.frames);
  }

  template <typename Condition>
  bool await(Condition condition, std::int64_t limit_ns) {
    const std::int64_t until_ns = bench::now_ns() + limit_ns;
    while (!condition()) {
      int status = 0;
      if (::waitpid(living_, &status, WNOHANG) == living_) broken("survivor", 0, 0, status);
      if (bench::now_ns() > until_ns) return condition();
      wait_a_bit();
    }
    return true;
  }

  // What does not come is told, and all stays as it is, to be looked at.
  template <typename Condition>
  void must_come(Condition condition, const char* what) {
    if (await(condition, kLimitNs)) return;
    const Life& life = lives_.of(lives_.number);
    std::fprintf(stderr, "broken wait: no %s of life %d, which moved %lld frames\n", what,
                 lives_.number.load(), static_cast<long long>(life.frames));
    for (;;) ::pause();
  }

  PcmFormat some_format() {
    return {kFormats[some(0, std::size(kFormats) - 1)], some(1, 3),
            kRates[some(0, std::size(kRates) - 1)]};
  }
  int some(int least, int most) { return std::uniform_int_distribution(least, most)(random_); }
  bool one_in(int count) { return some(1, count) == 1; }

  std::minstd_rand random_;
  const int times_;
  const Roles roles_;
  Lives& lives_;
  PcmFormat living_format_{};
  pid_t living_ = -1;
  int status_ = 0;
  int kills_ = 0, rates_ = 0, streams_ = 0;
};

}  // namespace

int kill_converting(const bench::Arguments& arguments) { return Killer(arguments).run(); }

}  // namespace soak
