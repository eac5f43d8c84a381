// Both sides of an instance without descriptors or threads; time is moved by hand.
#pragma once

#include <errno.h>
#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "base/log.h"
#include "config/config.h"
#include "device/capture.h"
#include "device/device_thread.h"
#include "device/playback.h"
#include "free_clock.h"
#include "shm/wakeup.h"
#include "stream/format_word.h"
#include "stream/new_segment.h"

namespace ossloop::test {

using namespace ossloop::device;
using audio::PcmFormat;

using Bytes = std::vector<std::byte>;

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kSecond = 1000 * kMs;
constexpr PcmFormat kS16{audio::afmt::kS16Le, 2, 48000};

// One open as Endpoint makes it, without a descriptor: to play or to record.
struct Opened {
  // An open that came from another process.
  Opened(const std::shared_ptr<shm::Segment>& segment, abi::SideIndex side, Access way,
         std::uint32_t slot = 0)
      : way(way),
        playing(segment, side, kWrite, slot),
        recording(segment, side, kRead, slot),
        playback(playing),
        capture(recording) {
    half().adopt();
  }
  Opened(const std::shared_ptr<shm::Segment>& segment, abi::SideIndex side, Access way,
         const PcmFormat& format, std::uint32_t slot = 0)
      : Opened(segment, side, way, slot) {
    half().own().open.fetch_and(~std::uint64_t{1});
    playback.end();
    half().claim(way);
    half().set_format(format);
    half().set_buffering(default_buffering(format, half().buffer_ms()));
    playback.arm(true, 0);
    capture.attach();
    half().publish();
  }
  OpenHalf& half() { return way == kWrite ? playing : recording; }
  // As the last close does.
  void close() {
    playback.end();
    vanish();
  }
  // As a witness does who finds the claim gone.
  void vanish() { half().own().open.fetch_and(~std::uint64_t{1}); }

  const Access way;
  OpenHalf playing;
  OpenHalf recording;
  Playback playback;
  Capture capture;
};

// Both sides of an instance in a folder of their own; time is moved by hand.
class Instance {
 public:
  Instance(const PcmFormat& server_format, const PcmFormat& client_format, bool server_reads = true,
           config::InstancePolicy policy = {})
      : server_reads_(server_reads) {
    base::start_log("off");
    char name[] = "/dev/shm/ossloop-unit-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    folder_ = name;
    const auto init = [&](abi::Segment& contract) { fill_segment(contract, policy); };
    int error = 0;
    segment = shm::Segment::open(folder_, 0, init, error);
    REQUIRE(segment != nullptr);
    server = std::make_unique<Opened>(segment, abi::kServer, server_reads ? kRead : kWrite,
                                      server_format);
    open_client(client_format);
  }
  ~Instance() {
    server.reset();
    client.reset();
    DeviceThread::instance().stop_if_idle();
    std::filesystem::remove_all(folder_);
    base::start_log("error");
  }

  void open_client(const PcmFormat& format) {
    client =
        std::make_unique<Opened>(segment, abi::kClient, server_reads_ ? kWrite : kRead, format);
  }
  // What joins the two.
  abi::Lane& lane() {
    return segment->contract()
        .direction[server_reads_ ? abi::kClientToServer : abi::kServerToClient]
        .lane[0];
  }
  const std::string& folder() const { return folder_; }
  Opened& player() { return server_reads_ ? *client : *server; }
  Opened& recorder() { return server_reads_ ? *server : *client; }

  TransferResult write(const Bytes& data, std::size_t from, std::size_t bytes) {
    const TransferResult step = player().playback.write(data.data() + from, bytes, false, now);
    REQUIRE(step.moved <= bytes);
    return step;
  }
  // Appends at most `bytes` to what was recorded.
  TransferResult read(std::size_t bytes) {
    Bytes block(bytes);
    const TransferResult step = recorder().capture.read(block.data(), bytes, false, now);
    REQUIRE(step.moved <= bytes);
    recorded.insert(recorded.end(), block.begin(),
                    block.begin() + static_cast<std::ptrdiff_t>(step.moved));
    return step;
  }

  // Plays all of `data` and records until the end is told; sizes of the calls as given.
  void transfer(const Bytes& data, const std::function<std::size_t()>& write_bytes,
                const std::function<std::size_t()>& read_bytes) {
    std::size_t played = 0;
    bool closed = false;
    int error = 0;
    for (int round = 0; error == 0; ++round) {
      REQUIRE(round < 2'000'000);
      // The recorder's first: a server that plays waits for it.
      error = read(read_bytes()).error;
      while (played < data.size()) {
        const TransferResult step =
            write(data, played, std::min(write_bytes(), data.size() - played));
        REQUIRE(step.error == 0);
        played += step.moved;
        if (step.moved == 0) break;
      }
      if (played == data.size() && !closed) {
        player().close();
        closed = true;
      }
      now += kMs;
    }
    REQUIRE(closed);
    CHECK(error == -ECONNRESET);
  }
  void transfer(const Bytes& data, std::size_t write_bytes = 4096, std::size_t read_bytes = 4096) {
    transfer(
        data, [=] { return write_bytes; }, [=] { return read_bytes; });
  }

  std::shared_ptr<shm::Segment> segment;
  std::unique_ptr<Opened> server;
  std::unique_ptr<Opened> client;
  Bytes recorded;
  std::int64_t now = 1'000 * kSecond;

 private:
  bool server_reads_;
  std::string folder_;
};

inline Bytes noise(std::size_t bytes) {
  std::mt19937 random(static_cast<unsigned>(bytes));
  Bytes data(bytes);
  for (std::byte& value : data) value = static_cast<std::byte>(random());
  return data;
}

inline std::size_t rounded(std::size_t frames, int to, int from) {
  return (2 * frames * static_cast<std::size_t>(to) + static_cast<std::size_t>(from)) /
         (2 * static_cast<std::size_t>(from));
}

}  // namespace ossloop::test
