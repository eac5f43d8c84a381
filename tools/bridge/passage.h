// One direction of a bridge: from the clients of an instance to a card, or back.
//
//   idle ── a client waits ──> opening ── the card's stream is there, or there is none ──> running
//   running ── the client goes on in another format ──> draining ── the card is done ──> opening
//   running ── the client's stream has ended ──> idle
//
// In every state the sound server may go and come. While it is away the clients' sound goes
// nowhere, and what they hear is silence, at the pace of the loop's own clock.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bridge/client_watch.h"
#include "bridge/clock_follower.h"
#include "bridge/loop_side.h"
#include "bridge/sound_server.h"

namespace ossloop::bridge {

class Passage {
 public:
  // `tell` gets a line that is worth telling, and whether only the curious want it.
  using Tell = std::function<void(const std::string& line, bool detail)>;

  // `plays`: to a card. `event` is raised when an idle one has something to do before next_ns().
  Passage(int number, bool plays, int latency_ms, const WakeEvent& event, Tell tell);

  bool open(const config::Runtime& runtime, std::string& why);

  bool is_feedback() const { return loop_.is_own_client(); }

  // Does what is due. `server`: the one that is ready; nullptr: none.
  void step(std::int64_t now_ns, SoundServer* server);
  // When there is something to do again.
  std::int64_t next_ns() const { return next_ns_; }
  // Gives the card what was due until now. When that is heard.
  std::int64_t finish(std::int64_t now_ns);
  // The server is going: what it had is gone.
  void leave_card();

 private:
  enum class State { kIdle, kOpening, kRunning, kDraining };

  void look_for_client(std::int64_t now_ns, SoundServer* server);
  void open_card(std::int64_t now_ns, SoundServer* server);
  void wait_for_card(std::int64_t now_ns);
  void follow_format(std::int64_t now_ns, SoundServer* server);
  std::int64_t lead_ns() const;
  void begin(std::int64_t now_ns);
  void end();
  void push_out();
  void mind_card(std::int64_t now_ns, SoundServer* server);
  bool card_is_open() const;
  bool play(std::int64_t now_ns);
  bool record(std::int64_t now_ns);
  bool give(std::size_t bytes);
  bool give_silence(double frames);
  void follow(std::int64_t now_ns);
  void watch_lateness(std::int64_t now_ns);
  double latency_frames() const { return format_.rate_hz * latency_ms_ / 1e3; }
  std::string title() const;

  const bool plays_;
  const int latency_ms_;
  const std::int64_t period_ns_;
  const WakeEvent& event_;
  const Tell tell_;
  LoopSide loop_;
  std::optional<ClientWatch> watch_;
  State state_ = State::kIdle;
  audio::PcmFormat client_format_{};
  audio::PcmFormat format_{};  // the nearest that the card has
  std::unique_ptr<CardStream> card_;
  audio::PcmFormat card_format_{};
  std::int64_t next_ns_ = 0;
  std::int64_t drained_ns_ = 0;
  std::int64_t opened_ns_ = 0;  // when the card's stream was asked for
  std::int64_t moved_ns_ = 0;   // when something last came
  std::int64_t ask_ns_ = 0;
  std::int64_t late_ns_ = 0;       // how late we came, at most, of late
  std::int64_t came_late_ns_ = 0;  // and when
  ClockFollower follower_;
  bool told_lock_ = false;
  std::uint64_t breaks_ = 0;
  std::uint64_t stream_ = 0;
  std::vector<std::byte> block_;
};

}  // namespace ossloop::bridge
