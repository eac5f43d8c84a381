#include "shared_fuzz_moves.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "base/sys.h"
#include "oss/request_table.h"

namespace ossloop::fuzz {
namespace {

constexpr std::size_t kMostBytes = 65536;
constexpr std::int32_t kRates[] = {5000, 8000, 11025, 44100, 44100, 48000, 48000, 96000, 192000};
constexpr std::int32_t kChannels[] = {1, 1, 2, 2, 2, 6, 64};

}  // namespace

volatile int asked_to_end = 0;

void pause_ms(std::uint64_t ms) {
  const timespec pause{0, static_cast<long>(ms) * 1'000'000};
  ::nanosleep(&pause, nullptr);
}

Moves::Moves(const World& world, Post& post, Chance& chance)
    : world_(world),
      post_(&post),
      chance_(chance),
      instances_(world.folder, 1, [&world](int) { return world.init(); }) {}

void Moves::doing(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(post_->doing, sizeof post_->doing, format, arguments);
  va_end(arguments);
}

bool Moves::open(abi::SideIndex side) {
  device::OpenRequest request;
  request.folder = world_.folder;
  request.side = side;
  const bool plays = (side == abi::kServer) != world_.server_reads;
  request.access = plays ? device::kWrite : device::kRead;
  if (side == abi::kClient && chance_.one_in(3)) request.access = device::kReadWrite;
  if (chance_.one_in(20)) request.access = device::kReadWrite ^ request.access;
  request.nonblock = chance_.one_in(3);
  request.mu_law = side == abi::kClient && chance_.one_in(10);
  request.init = world_.init();
  request.configured = world_.policy;
  if (request.access == 0) request.access = device::kRead;
  for (int attempt = 0; attempt < 100 && asked_to_end == 0; ++attempt) {
    doing("open for %u", request.access);
    int error = 0;
    endpoint_ = device::Endpoint::open(request, fd_, error);
    if (endpoint_ != nullptr) return true;
    pause_ms(chance_.up_to(50));
  }
  return false;
}

bool Moves::adopt(abi::SideIndex side, int fd) {
  doing("adopt");
  endpoint_ = device::Endpoint::adopt(world_.folder, 0, side, fd);
  fd_ = fd;
  return endpoint_ != nullptr;
}

void Moves::set(std::uint32_t code, std::int32_t value) {
  oss::Dsp dsp(*endpoint_, fd_);
  oss::System system(instances_, -1);
  oss::Mixer mixer(instances_, 0, endpoint_->segment());
  oss::serve({&dsp, system, mixer}, fd_, code, &value);
}

void Moves::choose_settings() {
  style_ = static_cast<Style>(chance_.below(4));
  doing("settings");
  if (chance_.one_in(2)) set(oss::SNDCTL_DSP_SETFMT, sensible_value(oss::SNDCTL_DSP_SETFMT));
  if (chance_.one_in(2)) set(oss::SNDCTL_DSP_CHANNELS, chance_.pick(kChannels));
  if (chance_.one_in(2)) set(oss::SNDCTL_DSP_SPEED, chance_.pick(kRates));
  if (chance_.one_in(2)) {
    set(oss::SNDCTL_DSP_SETFRAGMENT, sensible_value(oss::SNDCTL_DSP_SETFRAGMENT));
  }
  if (chance_.one_in(4)) endpoint_->want_edges(fd_);
}

std::int32_t Moves::sensible_value(std::uint32_t code) {
  switch (code) {
    case oss::SNDCTL_DSP_SETFMT:
      return audio::kSampleFormats[chance_.below(std::size(audio::kSampleFormats))].afmt;
    case oss::SNDCTL_DSP_CHANNELS:
      return chance_.pick(kChannels);
    case oss::SNDCTL_DSP_SPEED:
      return chance_.pick(kRates);
    case oss::SNDCTL_DSP_SETFRAGMENT:
      return static_cast<std::int32_t>(chance_.between(2, 16) << 16 | chance_.between(6, 13));
    case oss::SNDCTL_DSP_SETTRIGGER:
      return static_cast<std::int32_t>(chance_.below(4));
    default:
      // Numbers of devices, controls, groups and directions; levels; anything.
      if (chance_.one_in(2)) return static_cast<std::int32_t>(chance_.below(5)) - 1;
      return static_cast<std::int32_t>(chance_.one_in(2) ? chance_.below(102) : chance_.bits());
  }
}

void Moves::request() {
  const auto rows = oss::requests();
  const oss::Request& row = rows[chance_.below(rows.size())];
  doing("%s", row.name);
  alignas(16) static std::byte argument[4096];
  for (std::size_t at = 0; at < oss::argument_bytes(row.code); at += 4) {
    const std::int32_t value = sensible_value(row.code);
    std::memcpy(argument + at, &value, 4);
  }
  oss::System system(instances_, endpoint_ == nullptr ? -1 : 0);
  if (endpoint_ == nullptr) {
    int error = 0;
    const auto segment = instances_.make_segment(0, error);
    if (segment == nullptr) return;  // nor could it be opened
    oss::Mixer mixer(instances_, 0, segment);
    oss::serve({nullptr, system, mixer}, -1, row.code, argument);
    return;
  }
  oss::Dsp dsp(*endpoint_, fd_);
  oss::Mixer mixer(instances_, 0, endpoint_->segment());
  oss::serve({&dsp, system, mixer}, fd_, row.code, argument);
}

std::size_t Moves::some_bytes() {
  return static_cast<std::size_t>(chance_.one_in(8) ? chance_.up_to(kMostBytes)
                                                    : chance_.up_to(8192));
}

// The bytes end where the memory does.
void Moves::transfer() {
  static std::byte* const memory = guarded_memory(kMostBytes);
  const std::size_t bytes = some_bytes();
  std::byte* const data = memory + kMostBytes - bytes;
  const bool reading = reads();
  doing("%s %zu bytes, %s", reading ? "read" : "write", bytes,
        endpoint_->nonblock() ? "non-blocking" : "blocking");
  ssize_t result;
  if (reading) {
    result = endpoint_->read(fd_, data, bytes);
  } else {
    std::fill_n(data, bytes, static_cast<std::byte>(chance_.bits()));
    result = endpoint_->write(fd_, data, bytes);
  }
  if (result > static_cast<ssize_t>(bytes)) ::abort();
  if (result < 0 || (result == 0 && reading)) pause_ms(chance_.below(4));
}

void Moves::poll() {
  const short events = reads() ? POLLIN : POLLOUT;
  doing("prepare to poll");
  const short possible = endpoint_->prepare_poll(fd_, events);
  pollfd poll{fd_, static_cast<short>(possible & events), 0};
  doing("poll for %d", events);
  ::poll(&poll, 1, static_cast<int>(chance_.up_to(50)));
  doing("look after a poll");
  endpoint_->poll_now(fd_);
}

void Moves::use_map() {
  if (map_ == nullptr) {
    // As programs do it: by what GETOSPACE says.
    const auto direction = reads() ? device::kRead : device::kWrite;
    doing("ask for the space");
    device::Space space{};
    if (endpoint_->space(fd_, direction, space) != 0) return;
    device::MapRequest request;
    request.bytes = static_cast<std::size_t>(space.fragments_total * space.fragment_bytes);
    if (chance_.one_in(8)) request.bytes = some_bytes();
    request.protection = direction == device::kRead ? PROT_READ : PROT_READ | PROT_WRITE;
    request.flags = MAP_SHARED;
    doing("map %zu bytes for %u", request.bytes, direction);
    int error = 0;
    map_ = static_cast<std::byte*>(endpoint_->map(fd_, request, map_direction_, error));
    map_bytes_ = request.bytes;
    if (map_ == nullptr) return transfer();
    endpoint_->set_trigger(fd_, 0);
    endpoint_->set_trigger(fd_, device::kReadWrite);
  }
  doing("touch the map");
  const std::size_t at = chance_.below(map_bytes_);
  const std::size_t bytes = std::min(map_bytes_ - at, some_bytes());
  if (map_direction_ == device::kWrite) {
    std::fill_n(map_ + at, bytes, static_cast<std::byte>(chance_.bits()));
  } else {
    for (std::size_t i = 0; i < bytes; i += 64) {
      static_cast<void>(static_cast<volatile std::byte*>(map_)[at + i]);
    }
  }
  doing("ask for the position in the map");
  if (chance_.one_in(2)) endpoint_->pointer(fd_, map_direction_);
  if (chance_.one_in(4)) endpoint_->mapped_end(fd_, map_direction_);
  if (chance_.one_in(20)) return unmap();
  pause_ms(chance_.up_to(5));
}

void Moves::unmap() {
  doing("unmap");
  base::sys().unmap(map_, map_bytes_);
  map_ = nullptr;
  endpoint_->unmap(map_direction_);
}

void Moves::step() {
  if (chance_.one_in(4)) {
    request();
  } else if (chance_.one_in(60)) {
    choose_settings();
  } else if (chance_.one_in(60)) {
    doing("halt");
    endpoint_->halt(fd_, device::kReadWrite);
  } else if (chance_.one_in(60)) {
    doing("sync");
    endpoint_->sync(fd_);
  } else if (style_ == Style::kMapped) {
    use_map();
  } else {
    endpoint_->set_nonblock(style_ != Style::kBlocking);
    if (style_ == Style::kPolling) poll();
    transfer();
  }
}

void Moves::close() {
  if (endpoint_ == nullptr) return;
  if (map_ != nullptr) unmap();
  doing("close");
  endpoint_->leave(fd_, [this] { base::sys().close(fd_); });
  doing("destroy");
  endpoint_.reset();
}

}  // namespace ossloop::fuzz
