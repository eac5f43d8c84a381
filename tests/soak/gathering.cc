#include "gathering.h"

#include <algorithm>
#include <utility>

#include "heard.h"
#include "lives.h"
#include "transfer.h"

namespace soak {

Gathering::Gathering(const bench::Arguments& arguments, const Setting& setting)
    : chance_(static_cast<unsigned>(arguments.number("--seed", 1))),
      times_(static_cast<int>(arguments.number("--times", 30))),
      setting_(setting),
      crowd_(*shared_memory<Crowd>()) {}

int Gathering::run() {
  // What a first open loads, it loads for all of them.
  ::close(open_with_stream(setting_.server_path, O_RDONLY, {AFMT_S16_LE, 2, 48000, 4, 0}, 0));
  std::vector<int> all;
  for (int part = 0; part < count(); ++part) all.push_back(part);
  for (const int part : all) start(part);
  while (kills_ < times_) {
    // Some are killed before they have opened their device.
    const bool settles = !chance_.one_in(6);
    if (settles) {
      for (const int part : all) must_come([&] { return member(part).opened != 0; }, "open", part);
      look();
      for (const int part : all) must_come([&] { return flows(); }, "sound", part);
      flowed();
    }
    ::usleep(static_cast<useconds_t>(chance_.some(0, 5000)));
    std::vector<int> gone = some_parts();
    const bool leave = settles && gone.size() == 1 && chance_.one_in(5);
    for (const int part : gone) member(part).leaves = leave ? 1 : 0;
    end(gone);
    judge(gone);
    for (const int part : gone) start(part);
  }
  for (const int part : all) ::kill(pids_[part], SIGKILL);
  for (const int part : all) ::waitpid(pids_[part], nullptr, 0);
  std::printf("kills %d streams %d frames %lld\n", kills_, streams_,
              static_cast<long long>(frames_));
  return 0;
}

// One, now and then several.
std::vector<int> Gathering::some_parts() {
  std::vector<int> some{chance_.some(0, count() - 1)};
  while (chance_.one_in(4)) {
    const int another = chance_.some(0, count() - 1);
    if (std::find(some.begin(), some.end(), another) == some.end()) some.push_back(another);
  }
  return some;
}

void Gathering::start(int part) {
  Member& self = member(part);
  self.number = ++last_life_;
  self.plays_on = 0;
  self.idles = false;
  self.leaves = self.opened = self.stream = self.resets = self.ends = 0;
  for (Progress& heard : self.heard) {
    heard.stream = heard.ended = 0;
    heard.number = heard.frames = 0;
  }
  prepare(part);
  const unsigned seed = chance_.seed();
  pids_[part] = ::fork();
  if (pids_[part] < 0) bench::fail("fork");
  if (pids_[part] == 0) live_in(setting_, this->part(part), crowd_, self, seed);
  started(part);
}

// By a kill, or by itself.
void Gathering::end(const std::vector<int>& parts) {
  killing(parts);
  for (const int part : parts) {
    for (Lane& lane : crowd_.lane) {
      int itself = member(part).number;
      lane.recorder.compare_exchange_strong(itself, 0);
    }
    if (member(part).leaves == 0) ::kill(pids_[part], SIGKILL);
  }
  std::vector<pid_t> pids;
  for (const int part : parts) pids.push_back(std::exchange(pids_[part], 0));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const int part = parts[i];
    const pid_t pid = pids[i];
    int status = 0;
    // Who is killed does nothing more by itself: the kernel may take long on a busy machine, and
    // what comes after is to find its device free.
    const bool leaves = member(part).leaves != 0;
    const auto gone = [&] { return ::waitpid(pid, &status, leaves ? WNOHANG : 0) == pid; };
    must_come(gone, "last close", part);
    if (leaves ? status != 0 : !WIFSIGNALED(status))
      broken("program", part, member(part).number, status);
    if (!leaves) ++kills_;
    for (const Progress& heard : member(part).heard) frames_ += heard.frames;
  }
}

void Gathering::must_be_heard(int player, int recorder) {
  const int stream = member(player).stream;
  if (stream == 0 || !lives(recorder)) return;
  const Lane::Stream& sent = crowd_.lane[member(player).plays_on].stream[stream];
  const Progress& by = heard(recorder, member(player).plays_on);
  const bool whole = sent.begun_with == member(recorder).number && sent.accepted != 0;
  if (!whole && !await([&] { return by.stream == stream; }, kPatienceNs)) return;
  must_come([&] { return by.stream == stream && by.number >= sent.accepted; }, "last frame",
            player);
  if (part(recorder).tells_ends) must_come([&] { return by.ended == stream; }, "end", player);
  ++streams_;
}

void Gathering::must_live() {
  for (int part = 0; part < count(); ++part) {
    int status = 0;
    if (pids_[part] > 0 && ::waitpid(pids_[part], &status, WNOHANG) == pids_[part])
      broken("survivor", part, member(part).number, status);
  }
}

void Gathering::stuck(const char* what, int of) {
  const Member& self = member(of);
  std::fprintf(stderr, "broken wait: no %s of part %d, life %d, in stream %d\n", what, of,
               self.number, self.stream.load());
  for (int number = 0; number < count(); ++number) {
    const Member& one = member(number);
    std::fprintf(stderr, "  part %d (%s%s%s): process %d, life %d, opened %d, stream %d", number,
                 part(number).server ? "server" : "client", part(number).plays ? ", plays" : "",
                 part(number).records ? ", records" : "", pids_[number], one.number,
                 one.opened.load(), one.stream.load());
    std::fprintf(
        stderr, ", accepted %lld, resets %d, ends %d",
        static_cast<long long>(crowd_.lane[one.plays_on].stream[one.stream].accepted.load()),
        one.resets.load(), one.ends.load());
    for (const Progress& heard : one.heard) {
      if (heard.stream != 0)
        std::fprintf(stderr, "; heard %d to %lld", heard.stream.load(),
                     static_cast<long long>(heard.number.load()));
    }
    std::fprintf(stderr, "\n");
  }
  for (;;) ::pause();
}

}  // namespace soak
