// What an actor does with an open, one step after the other.
#pragma once

#include <memory>

#include "device/endpoint.h"
#include "oss/instances.h"
#include "shared_fuzz.h"

namespace ossloop::fuzz {

// Set by an actor's handler for SIGTERM.
extern volatile int asked_to_end;

void pause_ms(std::uint64_t ms);

// How a program uses its open.
enum class Style { kBlocking, kNonBlocking, kPolling, kMapped };

class Moves {
 public:
  Moves(const World& world, Post& post, Chance& chance);

  // Opens a side; false after some tries, or when asked to end.
  bool open(abi::SideIndex side);
  // Takes over a descriptor that was open over an exec.
  bool adopt(abi::SideIndex side, int fd);
  void choose_settings();
  void step();
  void close();
  // In a forked child: what it does it tells at its own post.
  void move_to(Post& post) { post_ = &post; }
  int fd() const { return fd_; }
  device::Endpoint& endpoint() { return *endpoint_; }

  // A request from the table, mostly with an argument that makes sense.
  void request();

 private:
  [[gnu::format(printf, 2, 3)]] void doing(const char* format, ...);
  void transfer();
  void poll();
  void use_map();
  void set(std::uint32_t code, std::int32_t value);
  std::int32_t sensible_value(std::uint32_t code);
  void unmap();
  std::size_t some_bytes();
  bool reads() const { return endpoint_->live_direction() == device::kRead; }

  const World& world_;
  Post* post_;
  Chance& chance_;
  oss::InstanceSet instances_;
  std::unique_ptr<device::Endpoint> endpoint_;
  int fd_ = -1;
  Style style_ = Style::kBlocking;
  std::byte* map_ = nullptr;
  std::size_t map_bytes_ = 0;
  device::Access map_direction_ = device::kRead;
};

}  // namespace ossloop::fuzz
