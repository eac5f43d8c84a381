// One program of a crowd: it plays, records, or both by one descriptor.
#include <poll.h>

#include <deque>
#include <thread>

#include "crowd.h"
#include "hearing.h"
#include "lives.h"
#include "transfer.h"

namespace soak {
namespace {

// A channel of its own for each lane, or two for all.
class Voice {
 public:
  Voice(const Setting& setting, const bench::Stream& stream)
      : lanes_(setting.channels > 2), frames_(stream, false) {}

  void put(std::byte* at, int lane, std::int64_t number, int id) const {
    if (!lanes_) return frames_.put(at, number, id);
    const auto value = static_cast<std::int32_t>(id << 24 | (number & 0xffffff));
    std::memcpy(at + static_cast<std::size_t>(lane) * sizeof value, &value, sizeof value);
  }
  Frames::Place place(const std::byte* at, int lane) const {
    if (!lanes_) return frames_.place(at);
    std::int32_t value;
    std::memcpy(&value, at + static_cast<std::size_t>(lane) * sizeof value, sizeof value);
    return {value >> 24, value & 0xffffff};
  }

 private:
  bool lanes_;
  Frames frames_;
};

// What a player and a recorder of one program share.
struct Open {
  const Setting& setting;
  const Part& part;
  Crowd& crowd;
  Member& self;
  bench::Stream stream;
  int fd;
};

class Player {
 public:
  Player(const Open& open, const char* way, unsigned seed)
      : open_(open),
        lane_(open.crowd.lane[open.self.plays_on]),
        voice_(open.setting, open.stream),
        chance_(seed),
        most_frames_(chance_.some(1, kMostBlock)),
        block_(static_cast<std::size_t>(most_frames_) * open.stream.frame_bytes),
        transfer_(way) {}

  void step() {
    if (!begun_) begin();
    const int some = chance_.some(1, most_frames_);
    for (int i = 0; i < some; ++i) {
      voice_.put(block_.data() + static_cast<std::size_t>(i) * open_.stream.frame_bytes,
                 open_.self.plays_on, accepted_ + 1 + i, id_);
    }
    const auto bytes = static_cast<std::size_t>(some) * open_.stream.frame_bytes;
    const ssize_t wrote = transfer_.write(open_.fd, block_.data(), bytes);
    if (wrote == -EAGAIN) return;
    if (wrote == -ECONNRESET || wrote == -ENXIO) return cut_off(wrote == -ENXIO);
    if (wrote <= 0 || static_cast<std::size_t>(wrote) % open_.stream.frame_bytes != 0) {
      errno = static_cast<int>(-wrote);
      bench::fail("broken write");
    }
    accepted_ += wrote / static_cast<ssize_t>(open_.stream.frame_bytes);
    lane_.stream[id_].accepted = accepted_;
    if (chance_.one_in(8)) ::usleep(static_cast<useconds_t>(chance_.some(0, pause_us())));
  }

  void forget() { transfer_.forget(); }

 private:
  int pause_us() const { return open_.setting.longest_pause_us; }

  // A stream of which nothing was accepted is none.
  void begin() {
    begun_ = true;
    if (id_ == 0 || accepted_ != 0) id_ = lane_.streams++ % kStreams + 1;
    accepted_ = 0;
    lane_.stream[id_].accepted = 0;
    lane_.stream[id_].begun_with = open_.part.records ? 0 : lane_.recorder.load();
    open_.self.stream = id_;
  }

  void cut_off(bool nobody) {
    begun_ = false;
    if (nobody) return wait_a_bit();
    ++open_.self.resets;
  }

  const Open& open_;
  Lane& lane_;
  const Voice voice_;
  Chance chance_;
  const int most_frames_;
  std::vector<std::byte> block_;
  Transfer transfer_;
  bool begun_ = false;
  int id_ = 0;
  std::int64_t accepted_ = 0;
};

class Recorder {
 public:
  Recorder(const Open& open, const char* way, unsigned seed)
      : open_(open),
        voice_(open.setting, open.stream),
        chance_(seed),
        block_(static_cast<std::size_t>(chance_.some(1, kMostBlock)) * open.stream.frame_bytes),
        transfer_(way) {
    for (int lane = open.part.first_lane; lane < open.part.first_lane + open.part.lanes; ++lane)
      hearings_.emplace_back(open.setting, open.crowd, open.self, open.crowd.lane[lane],
                             open.self.heard[lane], open.part.tells_ends);
  }

  void step() {
    const ssize_t got = transfer_.read(open_.fd, block_.data(), block_.size());
    if (got == -EAGAIN) return;
    if (got == -ENXIO) return wait_a_bit();
    if (got == -ECONNRESET) {
      // Who polls while there is no server is told so each time.
      if (open_.self.ends != 0) wait_a_bit();
      for (Hearing& hearing : hearings_) hearing.end();
      ++open_.self.ends;
      return;
    }
    if (got <= 0 || static_cast<std::size_t>(got) % open_.stream.frame_bytes != 0) {
      errno = static_cast<int>(-got);
      bench::fail("broken read");
    }
    for (ssize_t at = 0; at < got; at += static_cast<ssize_t>(open_.stream.frame_bytes)) {
      int lane = open_.part.first_lane;
      for (Hearing& hearing : hearings_) hearing.frame(voice_.place(block_.data() + at, lane++));
    }
    for (Hearing& hearing : hearings_) hearing.publish();
    if (chance_.one_in(16))
      ::usleep(static_cast<useconds_t>(chance_.some(0, open_.setting.longest_pause_us)));
  }

  void forget() { transfer_.forget(); }

 private:
  const Open& open_;
  const Voice voice_;
  Chance chance_;
  std::vector<std::byte> block_;
  Transfer transfer_;
  std::deque<Hearing> hearings_;
};

// By one thread, that waits for both.
void take_turns(const Open& open, Player& player, Recorder& recorder) {
  while (open.self.leaves == 0) {
    pollfd entry{open.fd, POLLIN | POLLOUT, 0};
    if (::poll(&entry, 1, -1) < 0) bench::fail("broken poll");
    if ((entry.revents & POLLIN) != 0) recorder.step();
    if ((entry.revents & POLLOUT) != 0) player.step();
  }
}

template <typename Role>
void go_on(const Open& open, Role& role) {
  while (open.self.leaves == 0) role.step();
}

const char* some_way(Chance& chance, bool nonblock) {
  constexpr const char* kWays[] = {"poll", "select", "epoll", "edge"};
  return nonblock ? kWays[chance.some(0, std::size(kWays) - 1)] : "block";
}

Open open_part(const Setting& setting, const Part& part, Crowd& crowd, Member& self, Chance& chance,
               bool nonblock) {
  constexpr int kFormats[] = {AFMT_S32_LE, AFMT_S16_LE, AFMT_S24_LE, AFMT_FLOAT};
  constexpr int kFragments[] = {0x0002000a, 0x0004000a, 0x7fff000b};
  const int both = part.plays && part.records ? O_RDWR : part.plays ? O_WRONLY : O_RDONLY;
  Open open{setting, part, crowd, self, {}, -1};
  open.stream.format = setting.any_format ? kFormats[chance.some(0, 3)] : AFMT_S32_LE;
  open.stream.channels = setting.channels;
  open.stream.rate_hz = setting.rate_hz;
  open.stream.frame_bytes =
      bench::sample_bytes(open.stream.format) * static_cast<std::size_t>(setting.channels);
  const char* const path = part.server ? setting.server_path : setting.client_path;
  const int fragment = chance.one_in(3) ? kFragments[chance.some(0, 2)] : 0;
  open.fd = open_with_stream(path, both | (nonblock ? O_NONBLOCK : 0), open.stream, fragment);
  return open;
}

}  // namespace

void live_in(const Setting& setting, const Part& part, Crowd& crowd, Member& self, unsigned seed) {
  Chance chance(seed);
  const bool both = part.plays && part.records;
  const bool in_turns = both && chance.one_in(3);
  const bool nonblock = in_turns || chance.one_in(2);
  const Open open = open_part(setting, part, crowd, self, chance, nonblock);
  for (int lane = part.first_lane; lane < part.first_lane + part.lanes; ++lane)
    crowd.lane[lane].recorder = self.number;
  self.opened = 1;
  while (self.idles && self.leaves == 0) wait_a_bit();
  Player player(open, in_turns ? "try" : some_way(chance, nonblock), chance.seed());
  Recorder recorder(open, in_turns ? "try" : some_way(chance, nonblock), chance.seed());
  if (in_turns) {
    take_turns(open, player, recorder);
  } else if (both) {
    std::thread other([&] { go_on(open, player); });
    go_on(open, recorder);
    other.join();
  } else {
    part.plays ? go_on(open, player) : go_on(open, recorder);
  }
  player.forget();
  recorder.forget();
  if (::close(open.fd) != 0) bench::fail("broken close");
  ::_exit(0);
}

}  // namespace soak
