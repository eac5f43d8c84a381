// The ioctl surface under libFuzzer: any request with any argument, in any order,
// on both sides of an instance and on its mixer, with sound moving in between.
//
// An input is a list of steps. Nothing in here may block for long: the clock is
// free, descriptors do not block, and what would wait for the other side is left
// out while that does nothing.
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "config/config.h"
#include "device/endpoint.h"
#include "oss/request_table.h"
#include "stream/format_word.h"
#include "stream/new_segment.h"

namespace {

using namespace ossloop;

constexpr std::size_t kPage = 4096;

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t bytes) : data_(data), left_(bytes) {}
  bool empty() const { return left_ == 0; }
  std::uint8_t byte() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }
  std::uint32_t word() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 8 | byte();
    return value;
  }
  void fill(std::byte* to, std::size_t bytes) {
    const std::size_t given = std::min({bytes, left_, std::size_t{64}});
    std::copy_n(reinterpret_cast<const std::byte*>(data_), given, to);
    data_ += given;
    left_ -= given;
  }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};

// Two pages with a hole behind them, one of them for reading alone.
class Memory {
 public:
  Memory()
      : base_(static_cast<std::byte*>(::mmap(nullptr, 4 * kPage, PROT_READ | PROT_WRITE,
                                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    ::mprotect(base_ + 2 * kPage, kPage, PROT_READ);
    ::munmap(base_ + 3 * kPage, kPage);
  }
  ~Memory() { ::munmap(base_, 3 * kPage); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // Where an argument may lie: well, unaligned, up to the last writable byte, half
  // in memory that cannot be written, at the very end, nowhere.
  std::byte* place(std::uint8_t how, std::size_t bytes) {
    switch (how % 8) {
      case 1:
        return base_ + 1 + how / 8;
      case 2:
        return base_ + 2 * kPage - bytes;
      case 3:
        return base_ + 2 * kPage - bytes / 2;
      case 4:
        return base_ + 2 * kPage;
      case 5:
        return base_ + 3 * kPage - bytes / 2;
      case 6:
        return nullptr;
      case 7:
        return base_ + 3 * kPage + how;
      default:
        return base_;
    }
  }
  bool writable(const std::byte* place, std::size_t bytes) const {
    return place != nullptr && place + bytes <= base_ + 2 * kPage;
  }
  std::byte* sound() { return base_; }

 private:
  std::byte* const base_;
};

shm::SegmentInit init(int) {
  config::InstancePolicy policy;
  config::set<"clock">(policy, config::kFreeClock);
  config::set<"buffer_ms">(policy, 40);
  return [policy](abi::Segment& segment) { device::fill_segment(segment, policy); };
}

// One open of one side.
class Side {
 public:
  Side(const std::string& folder, abi::SideIndex side, std::uint32_t access, int instance = 0) {
    device::OpenRequest request;
    request.folder = folder;
    request.instance = instance;
    request.side = side;
    request.access = access;
    request.nonblock = true;
    request.init = init(0);
    int error = 0;
    endpoint_ = device::Endpoint::open(request, fd_, error);
  }
  ~Side() { close(); }
  void close() {
    if (endpoint_ == nullptr) return;
    endpoint_->halt(fd_, device::kReadWrite);
    endpoint_->leave(fd_, [this] { base::sys().close(fd_); });
    endpoint_.reset();
  }
  device::Endpoint* get() const { return endpoint_.get(); }
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
  std::unique_ptr<device::Endpoint> endpoint_;
};

class World {
 public:
  World(const std::string& folder, bool server_reads)
      : instances_(folder, 1, init),
        server_(folder, abi::kServer, server_reads ? device::kRead : device::kWrite),
        client_(folder, abi::kClient, device::kReadWrite) {
    if (server_.get() == nullptr || client_.get() == nullptr) ::abort();
    // Earlier inputs left their choices.
    abi::Segment& segment = server_.get()->segment()->contract();
    init(0)(segment);
    for (auto& level : segment.mixer.attenuation) level.store(0);
  }

  void step(Input& input) {
    const std::uint8_t what = input.byte();
    Side& side = (what & 1) != 0 ? server_ : client_;
    switch (what >> 1 & 7) {
      case 0:
        return write(side, input);
      case 1:
        return read(side, input);
      case 2:
        side.get()->prepare_poll(side.fd(), (what & 0x80) != 0 ? POLLIN : POLLOUT);
        return;
      case 3:
        return request(nullptr, input);
      default:
        return request(&side, input);
    }
  }

 private:
  bool other_runs(const Side& side, bool writing) {
    abi::Segment& segment = side.get()->segment()->contract();
    const auto index =
        device::direction_of(side.get()->side(), writing ? device::kWrite : device::kRead);
    const auto& [producer, consumer] = segment.direction[index].lane[0];
    return writing ? consumer.running.load() != 0 : producer.written.load() != consumer.read.load();
  }

  void write(Side& side, Input& input) {
    const std::size_t bytes = input.byte() * 17U;
    if (side.get()->side() == abi::kServer && !other_runs(side, true)) return;
    side.get()->write(side.fd(), memory_.sound(), bytes);
  }
  void read(Side& side, Input& input) {
    const std::size_t bytes = input.byte() * 17U;
    if (side.get()->side() == abi::kServer && !other_runs(side, false)) return;
    side.get()->read(side.fd(), memory_.sound(), bytes);
  }

  void request(Side* side, Input& input) {
    const auto rows = oss::requests();
    const std::uint8_t choice = input.byte();
    // Known requests, mostly as they are; other bits and sizes; anything.
    std::uint32_t code = choice < 250 ? rows[choice % rows.size()].code : input.word();
    const std::uint8_t how = input.byte();
    if (how >= 0xf0) code ^= input.word() & 0xffff0000;
    const oss::Request* row = oss::find_request(code);
    const bool waits = row != nullptr && row->code == oss::SNDCTL_DSP_SYNC;
    if (waits && side != nullptr && side->get()->delay_frames(side->fd()) != 0) return;

    const std::size_t bytes = row != nullptr ? oss::argument_bytes(row->code) : 4;
    std::byte* const place = memory_.place(how, bytes);
    std::vector<std::byte> argument(bytes);
    input.fill(argument.data(), bytes);
    if (memory_.writable(place, bytes) && bytes > 0) std::memcpy(place, argument.data(), bytes);
    serve(side, code, place);
  }

  void serve(Side* side, std::uint32_t code, void* argument) {
    if (side == nullptr) {
      oss::System system(instances_, -1);
      oss::Mixer mixer(instances_, 0, server_.get()->segment());
      check(oss::serve({nullptr, system, mixer}, -1, code, argument));
      return;
    }
    device::Endpoint& endpoint = *side->get();
    oss::Dsp dsp(endpoint, side->fd());
    oss::System system(instances_, oss::audio_device(0, endpoint.side()));
    oss::Mixer mixer(instances_, 0, endpoint.segment());
    check(oss::serve({&dsp, system, mixer}, side->fd(), code, argument));
  }

  // An ioctl gives 0 or an errno that OSS has for it.
  static void check(int result) {
    for (const int error :
         {0, -EINVAL, -EFAULT, -ENOTSUP, -ENXIO, -EIDRM, -EIO, -EBUSY, -EINTR, -ENOMEM, -ENOSPC}) {
      if (result == error) return;
    }
    ::abort();
  }

  Memory memory_;
  oss::InstanceSet instances_;
  Side server_;
  Side client_;
};

const std::string& folder() {
  static const std::string path = [] {
    const char* given = ::getenv("OSSLOOP_DIR");
    if (given != nullptr) return std::string(given);
    char name[] = "/dev/shm/ossloop-fuzz-XXXXXX";
    return std::string(::mkdtemp(name));
  }();
  return path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  base::start_log("off");
  // Keeps the device thread, which the last close would end.
  static const Side keeper(folder(), abi::kServer, device::kRead, 1);
  Input input(data, bytes);
  World world(folder(), (input.byte() & 1) != 0);
  for (int steps = 0; !input.empty() && steps < 300; ++steps) world.step(input);
  return 0;
}
