// Both programs at an instance with a free clock, and the model that is told of all they do.
#pragma once

#include <optional>
#include <vector>

#include "model.h"

namespace ossloop::property {

// Whether the player may be killed in the midst of a call.
enum class Kills { kBetweenCalls, kInCalls };

class FreeClockPlay {
 public:
  FreeClockPlay(Rig& rig, Chance& chance, Kills kills);
  void run();

 private:
  // The calls of the player, in each of which it may be killed.
  void write(std::size_t bytes);
  void halt_player();
  // What is written now waits for the trigger, or that comes.
  void trigger(bool armed);
  // What is written from now on is of another format, a rest of a frame is not.
  void change_format();
  void close_player();
  void open_player();
  void set_fragments(bool of_player);

  // The next call of the player kills it, or it lives through that.
  void kill_in_next_call();
  // False if it was killed.
  template <typename Call>
  bool survives(Call call) {
    return rig_.player_survives(std::exchange(kill_, std::nullopt), call);
  }
  void killed_writing(const Bytes& data, bool streaming, std::uint64_t written);
  void gone();
  void witness_end();

  void read(std::size_t bytes);
  // In a read of so many frames; once.
  void kill_reader(std::size_t frames);
  // False if it was killed.
  bool read(std::size_t bytes, const std::optional<Rig::Kill>& kill);
  bool server_is_missed(const device::TransferResult& step, std::uint64_t told_before, bool waited);
  // The last stream whose end has been told.
  std::uint64_t told();
  void halt_recorder();
  void change_clock();

  void act_as_player();
  void act_as_recorder();
  void finish();
  void compare(const Bytes& expected) const;
  void bridge(const Bytes& expected);
  // Has the recorder still to drop what a halt of the player asked it to?
  bool halt_unseen();
  abi::Lane& lane() { return rig_.lane(); }

  Rig& rig_;
  Chance& chance_;
  const Kills kills_;
  const Setup setup_;
  Model model_;
  PcmFormat playing_;
  Bytes early_;  // of a frame that is not yet whole, and of no stream
  Bytes recorded_;
  std::vector<std::size_t> ends_;
  bool armed_ = true;
  bool player_is_there_ = true;
  std::optional<Rig::Kill> kill_;
  // What a reader that was killed had read and nobody has heard of: from there on, at most
  // so many bytes.
  struct Gap {
    std::size_t at;
    std::size_t most;
    std::size_t ends;  // that were told before
  };
  std::optional<Gap> gap_;
};

}  // namespace ossloop::property
