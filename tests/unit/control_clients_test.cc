// What is told of each client of a mix.
#include "control/view.h"
#include "mix_rig.h"
#include "shm/node.h"

using namespace ossloop;
using namespace ossloop::test;

TEST_CASE("each client is told of, with its format and what it has on the way") {
  Mix mix(kMono, of_eight(free_clock()));
  config::Runtime runtime;
  runtime.folder = mix.folder();
  const shm::Node node(control::directory_of(runtime), 0, abi::kServer);
  REQUIRE(node.make() == 0);
  const base::Fd server(node.open(true));
  REQUIRE(shm::Node::claim(server.get()) == 0);
  CHECK(control::look(runtime, 0).clients.empty());

  mix.open(2);
  mix.open(5, {audio::afmt::kU8, 1, 8000});
  mix.client(5).half().own().pid.store(4711);
  mix.play(2, level(1, 480));
  mix.play(5, Bytes(160));
  control::InstanceView view = control::look(runtime, 0);
  REQUIRE(view.clients.size() == 2);
  CHECK(view.clients[0].slot == 2);
  CHECK(view.clients[1].slot == 5);
  CHECK(view.clients[1].side.pid == 4711);
  CHECK(view.clients[1].side.format.rate_hz == 8000);
  CHECK(view.clients[0].stream.state == control::StreamState::kFilling);
  CHECK(view.clients[0].stream.fill_frames == 480);
  CHECK(view.clients[1].stream.fill_frames == 160);
  CHECK(view.clients[1].stream.fill_ms == 20);
  // The first one stands where the only one does.
  CHECK(view.side[abi::kClient].pid == view.clients[0].side.pid);
  CHECK(view.stream.fill_frames == 480);

  mix.hear(480);
  view = control::look(runtime, 0);
  CHECK(view.clients[0].stream.state == control::StreamState::kRunning);
  mix.client(2).close();
  view = control::look(runtime, 0);
  REQUIRE(view.clients.size() == 1);
  CHECK(view.clients[0].slot == 5);
  CHECK(view.side[abi::kClient].pid == 4711);
}

TEST_CASE("what is counted of several clients is told of each, and in sum") {
  Mix mix(kMono, of_eight(free_clock()));
  config::Runtime runtime;
  runtime.folder = mix.folder();
  for (const std::uint32_t slot : {1, 2}) {
    mix.open(slot);
    mix.counters(slot).underruns.store(slot);
    mix.play(slot, level(30000, 10));
  }
  mix.hear(10);
  const control::InstanceView view = control::look(runtime, 0);
  REQUIRE(view.clients.size() == 2);
  CHECK(view.clients[1].stream.underruns == 2);
  CHECK(view.stream.underruns == 3);
  CHECK(view.stream.clipped_samples == 10);
}
