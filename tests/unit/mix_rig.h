// A server that records and up to eight clients that play, without descriptors or threads;
// time is moved by hand.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "instance.h"

namespace ossloop::test {

constexpr PcmFormat kMono{audio::afmt::kS16Le, 1, 48000};

inline config::InstancePolicy of_eight(config::InstancePolicy policy = {}) {
  config::set<"clients">(policy, 8);
  return policy;
}

// So many samples of 16 bits of one value, or counted from it on.
inline Bytes level(std::int16_t value, std::size_t frames, int step = 0) {
  std::vector<std::int16_t> samples(frames);
  for (std::size_t i = 0; i < frames; ++i) {
    samples[i] = static_cast<std::int16_t>(value + static_cast<int>(i) * step);
  }
  Bytes bytes(frames * 2);
  std::memcpy(bytes.data(), samples.data(), bytes.size());
  return bytes;
}

class Mix {
 public:
  explicit Mix(const PcmFormat& server_format = kMono,
               const config::InstancePolicy& policy = of_eight())
      : instance_(server_format, kMono, true, policy) {
    instance_.client->close();
  }

  Opened& open(std::uint32_t slot, const PcmFormat& format = kMono) {
    clients_[slot] = std::make_unique<Opened>(segment(), abi::kClient, kWrite, format, slot);
    return *clients_[slot];
  }
  Opened& client(std::uint32_t slot) { return *clients_[slot]; }
  // All of it must find room.
  void play(std::uint32_t slot, const Bytes& data) {
    const auto step = client(slot).playback.write(data.data(), data.size(), false, now());
    REQUIRE(step.error == 0);
    REQUIRE(step.moved == data.size());
  }
  // What a read of so many bytes gives.
  TransferResult read(std::size_t bytes, Bytes& block) {
    block.resize(bytes);
    const auto step = server().capture.read(block.data(), bytes, false, now());
    block.resize(step.moved);
    return step;
  }
  Bytes read(std::size_t bytes) {
    Bytes block;
    REQUIRE(read(bytes, block).error == 0);
    return block;
  }
  std::vector<std::int16_t> hear(std::size_t frames) {
    const Bytes block = read(frames * 2);
    std::vector<std::int16_t> samples(block.size() / 2);
    std::memcpy(samples.data(), block.data(), block.size());
    return samples;
  }
  void pass(std::int64_t ns) { instance_.now += ns; }
  std::int64_t& now() { return instance_.now; }
  Opened& server() { return *instance_.server; }
  const std::shared_ptr<shm::Segment>& segment() const { return instance_.segment; }
  const std::string& folder() const { return instance_.folder(); }
  abi::Segment& contract() { return segment()->contract(); }
  abi::Consumer& counters(std::uint32_t slot) {
    return contract().direction[abi::kClientToServer].lane[slot].consumer;
  }

 private:
  Instance instance_;
  std::array<std::unique_ptr<Opened>, abi::kClients> clients_;
};

}  // namespace ossloop::test
