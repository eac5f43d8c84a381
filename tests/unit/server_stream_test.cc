#include "control/server_stream.h"

#include <catch2/catch.hpp>
#include <thread>

#include "control/view.h"
#include "instance.h"

using namespace ossloop;
using namespace ossloop::test;

namespace {

constexpr PcmFormat kMono{audio::afmt::kU8, 1, 22050};

std::unique_ptr<control::ServerStream> watch(const Instance& loop, Access way) {
  config::Runtime runtime;
  runtime.folder = loop.folder();
  std::string why;
  auto stream = control::ServerStream::open(runtime, 0, way, why);
  REQUIRE(stream != nullptr);
  return stream;
}

control::InstanceView look(const Instance& loop) {
  config::Runtime runtime;
  runtime.folder = loop.folder();
  return control::look(runtime, 0);
}

// So many frames are due in a second.
std::size_t second_of(Instance& loop, const Bytes& data) {
  const std::int64_t until = loop.now + kSecond;
  const std::size_t before = loop.recorded.size();
  while (loop.now < until) {
    loop.now += kMs;
    loop.write(data, 0, data.size());
    loop.read(1 << 16);
  }
  return (loop.recorded.size() - before) / 4;
}

}  // namespace

TEST_CASE("a server trims the clock of its direction, and takes that back by its close") {
  Instance loop(kS16, kS16);
  const auto stream = watch(loop, kRead);
  const Bytes data(4 * 4096, std::byte{1});
  CHECK(!stream->client_waits());
  CHECK(!stream->client_format());
  loop.write(data, 0, data.size());
  CHECK(stream->client_waits());
  CHECK(stream->client_format() == kS16);
  loop.read(1 << 16);
  stream->trim(500);
  second_of(loop, data);  // it is heard at the next look
  CHECK(second_of(loop, data) == 48024);
  CHECK(look(loop).stream.trim_ppm == 500);
  stream->trim(100'000);
  CHECK(look(loop).stream.trim_ppm == 1000);
  second_of(loop, data);
  CHECK(second_of(loop, data) == 48048);
  // Without a jump, before the present speed as after it.
  const auto ahead = stream->ahead(loop.now, 48000);
  REQUIRE(ahead.has_value());
  CHECK(ahead->frames == Approx(0).margin(1));
  CHECK(stream->ahead(loop.now + kSecond, 48000)->frames == Approx(48048).margin(2));
  CHECK(stream->ahead(loop.now - kSecond, 48000)->frames == Approx(-48048).margin(2));
  loop.server->half().close();
  loop.server->half().claim(kRead);
  loop.server->half().publish();
  CHECK(look(loop).stream.trim_ppm == 0);
}

TEST_CASE("a server that stops where the format changes takes it, and hears each frame as it is") {
  Instance loop(kS16, kS16);
  const auto stream = watch(loop, kRead);
  stream->stop_at_marks(true);
  const Bytes stereo(4 * 1000, std::byte{1});
  const Bytes mono(500, std::byte{2});
  loop.write(stereo, 0, stereo.size());
  loop.client->half().set_format(kMono);
  loop.write(mono, 0, mono.size());
  loop.read(1 << 16);
  for (int n = 0; n < 10; ++n) {
    loop.now += 10 * kMs;
    loop.read(1 << 16);
  }
  CHECK(loop.recorded == stereo);
  CHECK(loop.server->capture.stopped());
  CHECK(stream->lone_client_format() == kMono);
  loop.recorded.clear();
  loop.server->half().set_format(kMono);
  for (int n = 0; n < 2; ++n) {
    loop.now += 10 * kMs;
    loop.read(1 << 16);
  }
  CHECK(!loop.server->capture.stopped());
  REQUIRE(loop.recorded.size() >= mono.size());
  CHECK(Bytes(loop.recorded.begin(), loop.recorded.begin() + 500) == mono);
}

TEST_CASE("a server that does not stop where the format changes converts") {
  Instance loop(kS16, kS16);
  const Bytes stereo(4 * 1000, std::byte{1});
  const Bytes mono(500, std::byte{2});
  loop.write(stereo, 0, stereo.size());
  loop.client->half().set_format(kMono);
  loop.write(mono, 0, mono.size());
  loop.read(1 << 16);
  for (int n = 0; n < 10; ++n) {
    loop.now += 10 * kMs;
    loop.read(1 << 16);
  }
  CHECK(loop.recorded.size() > stereo.size());
  CHECK(!loop.server->capture.stopped());
}

TEST_CASE("who waits for a client is woken by its first frame, and by who says that it is over") {
  for (const bool by_client : {true, false}) {
    Instance loop(kS16, kS16);
    const auto stream = watch(loop, kRead);
    const Bytes data(4 * 100, std::byte{1});
    std::atomic<bool> over{false};
    std::thread waiting([&] { stream->wait_for_client(over); });
    const auto& sleepers = loop.server->half().own().waiting;
    while ((sleepers.load() & 0xffffffff) == 0) std::this_thread::yield();
    if (by_client) loop.write(data, 0, data.size());
    if (!by_client) over = true;
    if (!by_client) stream->end_wait();
    waiting.join();
    CHECK(stream->client_waits() == by_client);
  }
}
