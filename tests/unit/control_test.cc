#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>

#include "base/fd.h"
#include "base/log.h"
#include "control/commands.h"
#include "control/view.h"
#include "shm/node.h"
#include "shm/segment.h"
#include "stream/format_word.h"
#include "stream/halves.h"

using namespace ossloop;
using Catch::Matchers::Contains;
using control::Changes;
using control::SegmentState;
using control::SideState;
using control::StreamState;

namespace {

// A runtime folder of one's own.
class Place {
 public:
  Place() {
    base::start_log("off");
    char name[] = "/dev/shm/ossloop-unit-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    runtime.folder = folder_ = name;
  }
  ~Place() {
    std::filesystem::remove_all(folder_);
    base::start_log("error");
  }

  int create(int number, const std::string& word = "") {
    return control::create(runtime, number, changes(word), why);
  }
  int set(int number, const std::string& word) {
    return control::set(runtime, number, changes(word), why);
  }
  int destroy(int number) { return control::destroy(runtime, number, why); }
  control::InstanceView look(int number = 0) { return control::look(runtime, number); }

  bool empty() const { return std::filesystem::is_empty(runtime.folder); }

  // A program that holds a side, as far as the kernel and the segment tell.
  base::Fd hold(int number, abi::SideIndex side) {
    base::Fd fd(shm::Node(runtime.folder, number, side).open(true));
    REQUIRE(fd);
    REQUIRE(shm::Node::claim(fd.get()) == 0);
    return fd;
  }
  std::shared_ptr<shm::Segment> segment(int number) {
    int error = 0;
    auto result = shm::Segment::open_existing(runtime.folder, number, error);
    REQUIRE(error == 0);
    return result;
  }

  config::Runtime runtime;
  std::string why;

 private:
  Changes changes(const std::string& word) {
    Changes result;
    if (!word.empty()) REQUIRE(result.add(word, why));
    return result;
  }

  std::string folder_;
};

void open_side(abi::Segment& segment, abi::SideIndex index, std::uint32_t access) {
  abi::Half& half = device::main_half(segment, index, access);
  half.open.store(3);
  half.pid.store(4711);
  half.access.store(access);
  std::strcpy(half.command, "player");
}

}  // namespace

TEST_CASE("an instance is made, looked at and removed", "[control]") {
  Place place;
  CHECK(place.create(3, "eof=eof") == 3);
  const auto view = place.look(3);
  CHECK(view.exists());
  CHECK_FALSE(view.configured);
  CHECK(view.segment == SegmentState::kPresent);
  CHECK(config::get<"eof", abi::Eof>(view.policy) == abi::Eof::kEof);
  CHECK(view.loop == device::kServerDefault);
  CHECK(view.stream.state == StreamState::kIdle);
  CHECK_FALSE(view.in_use());
  CHECK(place.destroy(3) == 0);
  CHECK_FALSE(place.look(3).exists());
  CHECK(place.empty());
  CHECK(place.destroy(3) == -ENOENT);
}

TEST_CASE("the first free number is neither configured nor made", "[control]") {
  Place place;
  place.runtime.config.instances = 2;
  CHECK(place.create(3) == 3);
  CHECK(place.create(control::kFirstFree) == 2);
  CHECK(place.create(control::kFirstFree) == 4);
  CHECK(place.create(4) == -EEXIST);
  for (int number = 5; number < abi::kMaxInstances; ++number) {
    CHECK(place.create(control::kFirstFree) == number);
  }
  CHECK(place.create(control::kFirstFree) == -EEXIST);
}

TEST_CASE("a new instance has the configured policies under the changes", "[control]") {
  Place place;
  config::set<"overrun">(place.runtime.config.policy[7], abi::Overrun::kDrop);
  config::set<"ppm">(place.runtime.config.policy[7], 12);
  CHECK(place.create(7, "ppm=-5") == 7);
  CHECK(config::get<"overrun", abi::Overrun>(place.look(7).policy) == abi::Overrun::kDrop);
  CHECK(config::get<"ppm">(place.look(7).policy) == -5);
}

TEST_CASE("set changes what it names and nothing else", "[control]") {
  Place place;
  CHECK(place.set(0, "clock=free") == 0);  // configured: made by this
  CHECK(place.set(0, "tick_ms=20") == 0);
  CHECK(config::get<"clock">(place.look().policy) == config::kFreeClock);
  CHECK(config::get<"tick_ms">(place.look().policy) == 20);
  CHECK(place.set(1, "tick_ms=20") == -ENOENT);
  CHECK_THAT(place.why, Contains("no instance 1"));
}

TEST_CASE("levels and mute are changed in their range, unless they are locked", "[control]") {
  Place place;
  place.runtime.config.instances = 1;
  const auto move = [&](int steps) {
    return control::move_level(place.runtime, 0, abi::kMixPcm, steps, place.why);
  };
  CHECK(move(-2) == -ENOENT);
  CHECK_THAT(place.why, Contains("before its first use"));
  REQUIRE(place.create(0) == 0);
  CHECK(move(-2) == 0);
  CHECK(place.look().mixer.channel[abi::kMixPcm].left == 98);
  CHECK(place.look().mixer.channel[abi::kMixVolume].left == 100);
  CHECK(move(5) == 0);
  CHECK(place.look().mixer.channel[abi::kMixPcm].right == 100);
  CHECK(move(-1000) == 0);
  CHECK(place.look().mixer.channel[abi::kMixPcm].right == 0);
  CHECK(control::set_mute(place.runtime, 0, true, place.why) == 0);
  CHECK(place.look().mixer.muted);
  REQUIRE(place.set(0, "volume=lock") == 0);
  CHECK(move(3) == -EPERM);
  CHECK(control::set_mute(place.runtime, 0, false, place.why) == -EPERM);
  CHECK_THAT(place.why, Contains("volume=lock"));
  CHECK(place.look().mixer.muted);
  CHECK(control::set_mute(place.runtime, 7, true, place.why) == -ENOENT);
  CHECK_THAT(place.why, Contains("there is no instance 7"));
}

TEST_CASE("changes are checked when they are added", "[control]") {
  Changes changes;
  std::string why;
  for (const char* word : {"", "eof", "eof=", "=eof", "eof=never", "mode=0660", "ppm=200001"}) {
    INFO(word);
    why.clear();
    CHECK_FALSE(changes.add(word, why));
    CHECK_FALSE(why.empty());
  }
  CHECK(changes.empty());
  CHECK(changes.add("ppm=1", why));
  CHECK(changes.add("ppm=2", why));
  CHECK(changes.names("ppm"));
  CHECK_FALSE(changes.names("eof"));
  config::InstancePolicy policy;
  changes.apply(policy);
  CHECK(config::get<"ppm">(policy) == 2);
}

TEST_CASE("an instance in use is neither removed nor given another buffer", "[control]") {
  for (const abi::SideIndex side : {abi::kServer, abi::kClient}) {
    Place place;
    REQUIRE(place.create(0) == 0);
    base::Fd program = place.hold(0, side);
    open_side(place.segment(0)->contract(), side, 1);
    CHECK(place.create(0) == -EEXIST);
    CHECK(place.destroy(0) == -EBUSY);
    CHECK(place.why == std::string("instance 0 is in use by player (PID 4711, ") +
                           (side == abi::kServer ? "server" : "client") + " side)");
    CHECK(place.set(0, "buffer_ms=1000") == -EBUSY);
    CHECK(config::get<"buffer_ms">(place.look().policy) == 340);
    CHECK(place.set(0, "buffer_ms=340") == 0);
    CHECK(place.set(0, "eof=eof") == 0);
    program.reset();
    const auto old = place.segment(0);
    CHECK(place.set(0, "buffer_ms=1000") == 0);
    CHECK_FALSE(old->current());
    CHECK(config::get<"buffer_ms">(place.look().policy) == 1000);
    CHECK(config::get<"eof", abi::Eof>(place.look().policy) == abi::Eof::kEof);
    CHECK(place.destroy(0) == 0);
  }
}

TEST_CASE("a side is what the segment and the kernel say together", "[control]") {
  Place place;
  REQUIRE(place.create(0) == 0);
  const auto segment = place.segment(0);
  const auto state = [&] { return place.look().side[abi::kServer].state; };
  CHECK(state() == SideState::kFree);
  base::Fd program = place.hold(0, abi::kServer);
  CHECK(state() == SideState::kOpening);
  open_side(segment->contract(), abi::kServer, 1);
  CHECK(state() == SideState::kOpen);
  CHECK(place.look().side[abi::kServer].pid == 4711);
  CHECK(place.look().side[abi::kServer].command == "player");
  program.reset();
  CHECK(state() == SideState::kDead);
}

TEST_CASE("a stream is idle, filling, running, ending", "[control]") {
  Place place;
  REQUIRE(place.create(0) == 0);
  const auto mapped = place.segment(0);
  abi::Segment& segment = mapped->contract();
  const base::Fd server = place.hold(0, abi::kServer);
  const base::Fd client = place.hold(0, abi::kClient);
  open_side(segment, abi::kServer, 1);
  open_side(segment, abi::kClient, 2);
  auto& [producer, consumer] = segment.direction[abi::kClientToServer].lane[0];
  CHECK(place.look().stream.state == StreamState::kIdle);
  consumer.running.store(1);
  CHECK(place.look().stream.state == StreamState::kWaiting);
  consumer.running.store(0);
  producer.stream.store(1);
  producer.mark[0].format.store(device::pack(device::kServerDefault));
  producer.mark[0].ring_bytes.store(1 << 20);
  producer.marks.store(1);
  producer.written.store(4800);
  CHECK(place.look().stream.state == StreamState::kFilling);
  consumer.running.store(1);
  consumer.read.store(1200);
  CHECK(place.look().stream.state == StreamState::kRunning);
  CHECK(place.look().stream.fill_frames == 3600);
  CHECK(place.look().stream.fill_ms == 75);
  CHECK(place.look().stream.delay_frames == 3600);
  CHECK_FALSE(place.look().stream.clock_running);
  producer.end[0].stream.store(1);
  producer.end[0].frame.store(4800);
  producer.ends.store(1);
  CHECK(place.look().stream.state == StreamState::kEnding);
  consumer.acknowledged_stream.store(1);
  consumer.running.store(0);
  CHECK(place.look().stream.state == StreamState::kIdle);
  CHECK(place.look().stream.fill_frames == 0);
}

TEST_CASE("a changed configuration reaches what nobody has set for the instance", "[control]") {
  Place place;
  REQUIRE(place.create(0, "eof=wait") == 0);
  REQUIRE(place.set(0, "ppm=5") == 0);
  config::InstancePolicy configured;
  config::set<"eof">(configured, abi::Eof::kEof);
  config::set<"ppm">(configured, 7);
  config::set<"overrun">(configured, abi::Overrun::kDrop);
  config::set<"buffer_ms">(configured, 1000);
  config::refresh_policy(configured, place.segment(0)->contract().policy);
  const config::InstancePolicy policy = place.look().policy;
  CHECK(config::get<"eof", abi::Eof>(policy) == abi::Eof::kWait);
  CHECK(config::get<"ppm">(policy) == 5);
  CHECK(config::get<"overrun", abi::Overrun>(policy) == abi::Overrun::kDrop);
  CHECK(config::get<"buffer_ms">(policy) == 340);
}

TEST_CASE("the direction follows the server", "[control]") {
  Place place;
  REQUIRE(place.create(0) == 0);
  const auto segment = place.segment(0);
  open_side(segment->contract(), abi::kServer, 2);
  segment->contract().direction[abi::kServerToClient].lane[0].consumer.underruns.store(5);
  CHECK_FALSE(place.look().stream.server_reads);
  CHECK(place.look().stream.underruns == 5);
}

TEST_CASE("garbage in a segment comes out in range and printable", "[control]") {
  Place place;
  REQUIRE(place.create(0) == 0);
  const base::Fd server = place.hold(0, abi::kServer);
  const base::Fd client = place.hold(0, abi::kClient);
  const auto segment = place.segment(0);
  auto* bytes = reinterpret_cast<unsigned char*>(&segment->contract());
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    const auto fill = static_cast<unsigned char>(random());
    for (std::size_t i = sizeof(abi::Header); i < sizeof(abi::Segment); ++i) {
      bytes[i] = round % 2 == 0 ? fill : static_cast<unsigned char>(random());
    }
    const auto view = place.look();
    CHECK(audio::valid(view.loop));
    CHECK(view.stream.fill_frames < 100'000'000);
    CHECK(config::get<"buffer_ms">(view.policy) >= 20);
    CHECK(config::get<"buffer_ms">(view.policy) <= 5000);
    for (const auto& side : view.side) {
      CHECK(side.access <= 3);
      CHECK(side.command.size() <= sizeof(abi::Half::command));
      for (const char c : side.command) CHECK((c >= ' ' && c <= '~'));
    }
    CHECK(place.set(0, "eof=wait") == 0);
    CHECK(config::get<"eof", abi::Eof>(place.look().policy) == abi::Eof::kWait);
  }
}

TEST_CASE("a segment that cannot be read is shown, kept from use, and removable", "[control]") {
  Place place;
  REQUIRE(place.create(1) == 1);
  place.segment(1)->contract().header.layout_version.store(99);
  CHECK(place.look(1).segment == SegmentState::kUnreadable);
  CHECK_THAT(place.look(1).problem, Contains("layout version"));
  CHECK(place.create(1) == -EEXIST);
  CHECK(place.set(1, "eof=eof") == -EPROTO);
  CHECK_THAT(place.why, Contains("destroy 1"));
  CHECK(place.destroy(1) == 0);
  CHECK(place.empty());
}

TEST_CASE("a folder that cannot be trusted is refused", "[control]") {
  Place place;
  REQUIRE(::chmod(place.runtime.folder.c_str(), 0777) == 0);
  CHECK(place.create(1) == -EACCES);
  CHECK_THAT(place.why, Contains(place.runtime.folder));
  CHECK(place.set(0, "eof=eof") == -EACCES);
  CHECK(place.destroy(0) == -EACCES);
  REQUIRE(::chmod(place.runtime.folder.c_str(), 0700) == 0);
  place.runtime.folder += "/missing";
  std::string why;
  CHECK(control::check_folder(place.runtime, false, why) == 0);
  CHECK(control::look_at_all(place.runtime).size() == 1);
}
