// Up to eight players whom one recorder hears with a free clock, and the models of their
// streams.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "model.h"

namespace ossloop::property {

class MixPlay {
 public:
  enum class Kills { kBetweenCalls, kOfPlayers, kOfReader };
  MixPlay(Rig& rig, Chance& chance, Kills kills);
  void run();

 private:
  // One stream, and where it says that it has joined.
  struct Stream {
    Stream(const Setup& setup, std::uint64_t number) : model(setup), number(number) {
      model.began();
    }
    Model model;
    std::uint64_t number;
    std::optional<std::uint64_t> joined;
  };
  struct Player {
    std::unique_ptr<Opened> opened;
    bool is_there = false;
    PcmFormat format{};
    bool changes_rate = false;
    Bytes early;  // of a frame that is not yet whole, and of no stream
    std::vector<Stream> streams;
  };

  abi::Lane& lane(std::uint32_t slot);
  bool last_is_known(std::uint32_t slot);
  PcmFormat choose_format();
  Bytes quiet_sound(const PcmFormat& format, std::size_t bytes);
  // False if it was killed in it.
  template <typename Call>
  bool survives(Call call);
  void open(std::uint32_t slot);
  void write(std::uint32_t slot, std::size_t bytes);
  void change_format(Player& player);
  void halt(std::uint32_t slot);
  void close(Player& player);
  void gone(Player& player);
  void act_as_player(std::uint32_t slot);
  void act_as_recorder();
  void read(std::size_t bytes, const std::optional<Rig::Kill>& kill = {});
  void see_who_joined();
  void finish();
  std::uint64_t told();
  void compare();
  void check_ends();

  Rig& rig_;
  Chance& chance_;
  const Kills kills_;
  const Setup setup_;
  std::array<Player, abi::kClients> players_;
  std::uint32_t count_;
  Bytes recorded_;
  std::vector<std::size_t> ends_;
  bool process_died_ = false;  // the players'
  bool reader_was_killed_ = false;
};

}  // namespace ossloop::property
