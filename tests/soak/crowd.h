// What the programs of "kill_headsets", "kill_players" and "kill_listeners" know of each
// other, in memory that they share.
#pragma once

#include <atomic>
#include <random>

#include "frames.h"

namespace soak {

constexpr int kLanes = 16;
constexpr int kPrograms = 9;
constexpr int kStreams = 120;
constexpr int kMostBlock = 4000;

// What one player after another plays, each one or several streams, numbered from 1 to
// kStreams and again from 1.
struct Lane {
  std::atomic<int> streams;   // that have begun, of all players
  std::atomic<int> recorder;  // the life of the one that has it open; 0: nobody
  struct Stream {
    // The recorder at its first frame, which hears it from there on; 0 also of a player that
    // has its device open for both ways: it plays to nobody until somebody records.
    std::atomic<int> begun_with;
    std::atomic<std::int64_t> accepted;
  } stream[kStreams + 1];
};

// How far a recorder is with a lane.
struct Progress {
  std::atomic<int> stream;
  std::atomic<std::int64_t> number;  // of the last frame
  std::atomic<int> ended;            // the stream whose end was told last
  std::atomic<std::int64_t> frames;  // of all streams
};

// One program, from its start on.
struct Member {
  // Set before it is started; no two lives have one number.
  int number;
  int plays_on;  // a lane
  bool idles;    // opens its device, and that is all
  std::atomic<int> leaves;
  // Its own.
  std::atomic<int> opened;
  std::atomic<int> stream;  // that it plays; 0: none yet
  std::atomic<int> resets;  // how often it was told that its recorder has gone
  std::atomic<int> ends;    // how often that its player has
  Progress heard[kLanes];
};

struct Crowd {
  Lane lane[kLanes];
  Member member[kPrograms];
  // The recorder that is waited for: it loses nothing after this frame of this stream.
  std::atomic<int> waited_for;
  std::atomic<int> after_stream;
  std::atomic<std::int64_t> after_number;
};

// What a program is in every one of its lives.
struct Part {
  bool server;
  bool plays;
  bool records;
  int first_lane;  // that it records
  int lanes;
  bool tells_ends;  // hears of the end of each
};

// What all programs of a round have in common.
struct Setting {
  explicit Setting(const bench::Arguments& arguments)
      : server_path(arguments.text("--path", "-")), client_path(arguments.text("--other", "-")) {}

  const char* server_path;
  const char* client_path;
  int channels = 2;  // as many as there are lanes; or each frame is of one lane, see frames.h
  int rate_hz = 48000;
  bool any_format = true;
  bool from_first = false;  // whoever hears a stream hears its first frame
  bool stalls = false;      // no silence within a stream
  bool may_miss = false;    // but by who is waited for
  int longest_pause_us = 1000;
};

class Chance {
 public:
  explicit Chance(unsigned seed) : random_(seed) {}
  int some(int least, int most) { return std::uniform_int_distribution(least, most)(random_); }
  bool one_in(int count) { return some(1, count) == 1; }
  unsigned seed() { return static_cast<unsigned>(random_()); }

 private:
  std::minstd_rand random_;
};

// Is one stream later than another, of less than half of all numbers?
inline bool is_later(int stream, int than) {
  const int distance = (stream - than + kStreams) % kStreams;
  return distance > 0 && distance <= kStreams / 2;
}

// A program of that part, until it is killed or is to leave.
[[noreturn]] void live_in(const Setting& setting, const Part& part, Crowd& crowd, Member& self,
                          unsigned seed);

}  // namespace soak
