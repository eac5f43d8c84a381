#include "shm/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include <algorithm>
#include <utility>

#include "base/error_text.h"
#include "base/fd.h"
#include "base/host.h"
#include "base/log.h"
#include "shm/byte_lock.h"
#include "shm/claims.h"

namespace ossloop::shm {
namespace {

using base::Fd;
using base::log;
using base::LogLevel;
using base::sys;

// Who leaves an instance wants both claims to give its memory back. Two who leave at once
// must not both be put off by the other.
constexpr int kLeavingMs = 20;
constexpr std::uint64_t kInPage = 4095;
// Of the file, which is locked by who listens.
constexpr off_t kHoldByte = 0;
// More than any format and buffer_ms need, and than the rings of an instance grow to.
constexpr std::uint64_t kLongestRing = std::uint64_t{1} << 33;
constexpr std::uint64_t kLongestFile = std::uint64_t{1} << 40;

// Makes the file under a passing name and links it, so that nobody ever sees a
// half-made segment. 0 also when another process was quicker.
int create(const RuntimeDirectory& directory, int number, const SegmentInit& init) {
  const std::string name = segment_name(number);
  const std::string passing = passing_name(name);
  directory.remove(passing);
  Fd fd(directory.make_file(passing));
  if (!fd) return fd.get();
  int result = reserve(fd.get(), 0, abi::kRingOffset);
  if (result == 0) {
    int error = 0;
    Mapping mapping(sys().map(fd.get(), 0, abi::kRingOffset, true, error), abi::kRingOffset);
    result = error;
    if (mapping.data() != nullptr) {
      auto& segment = *reinterpret_cast<abi::Segment*>(mapping.data());
      init(segment);
      segment.header.layout_version.store(abi::kLayoutVersion, std::memory_order_relaxed);
      segment.header.instance.store(static_cast<std::uint32_t>(number), std::memory_order_relaxed);
      segment.header.magic.store(abi::kMagic, std::memory_order_release);
      result = directory.link(passing, name);
      if (result == -EEXIST) result = 0;
    }
  }
  directory.remove(passing);
  return result;
}

}  // namespace

int reserve(int fd, std::uint64_t offset, std::uint64_t bytes) {
  const int result =
      sys().fallocate(fd, static_cast<std::int64_t>(offset), static_cast<std::int64_t>(bytes));
  // A file system without fallocate can only be given the length.
  if (result == -EOPNOTSUPP || result == -ENOSYS) {
    struct stat status {};
    const auto length = static_cast<std::int64_t>(offset + bytes);
    if (sys().fstat(fd, &status) == 0 && status.st_size >= length) return 0;
    return sys().ftruncate(fd, length);
  }
  return result;
}

Mapping::Mapping(Mapping&& other) noexcept
    : address_(std::exchange(other.address_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(address_, other.address_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

Mapping::~Mapping() {
  if (address_ != nullptr) sys().unmap(address_, bytes_);
}

Segment::Segment(const RuntimeDirectory& directory, int number, Mapping mapping, dev_t device,
                 ino_t inode)
    : directory_(directory),
      number_(number),
      mapping_(std::move(mapping)),
      device_(device),
      inode_(inode) {}

std::shared_ptr<Segment> Segment::map_file(const RuntimeDirectory& directory, int number,
                                           int& error) {
  Fd fd(directory.open(segment_name(number), O_RDWR | O_NONBLOCK));
  struct stat status {};
  error = fd ? sys().fstat(fd.get(), &status) : fd.get();
  if (error < 0) return nullptr;
  if (!S_ISREG(status.st_mode) || status.st_size < static_cast<off_t>(abi::kRingOffset)) {
    error = -EPROTO;
    return nullptr;
  }
  Mapping mapping(sys().map(fd.get(), 0, abi::kRingOffset, true, error), abi::kRingOffset);
  if (mapping.data() == nullptr) return nullptr;
  const auto& header = reinterpret_cast<abi::Segment*>(mapping.data())->header;
  if (header.magic.load(std::memory_order_acquire) != abi::kMagic ||
      header.layout_version.load() != abi::kLayoutVersion ||
      header.instance.load() != static_cast<std::uint32_t>(number)) {
    error = -EPROTO;
    return nullptr;
  }
  return std::shared_ptr<Segment>(
      new Segment(directory, number, std::move(mapping), status.st_dev, status.st_ino));
}

std::shared_ptr<Segment> Segment::open_existing(const RuntimeDirectory& directory, int number,
                                                int& error) {
  return map_file(directory, number, error);
}

std::shared_ptr<Segment> Segment::open(const RuntimeDirectory& directory, int number,
                                       const SegmentInit& init, int& error) {
  const std::string path = directory.path_of(segment_name(number));
  constexpr int kAttempts = 20;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    auto segment = map_file(directory, number, error);
    if (segment != nullptr) return segment;
    if (error == -EPROTO) {
      BothClaims claims;
      const bool claimed = claims.take(directory, number, BothClaims::Missing::kMake, 0) == 0;
      // Somebody may have replaced it before we had the claims.
      segment = map_file(directory, number, error);
      if (segment != nullptr) return segment;
      if (error == -EPROTO && !claimed && attempt + 1 < kAttempts) {
        // Perhaps by one who replaces it.
        timespec pause{0, 5'000'000};
        ::nanosleep(&pause, nullptr);
        continue;
      }
      if (error == -EPROTO && !claimed) {
        log(LogLevel::kError,
            "%s: not a segment of layout version %u; end the programs that use instance %d, "
            "then it is replaced",
            path.c_str(), abi::kLayoutVersion, number);
        return nullptr;
      }
      if (error == -EPROTO) directory.remove(segment_name(number));
      error = create(directory, number, init);
    } else if (error == -ENOENT) {
      error = create(directory, number, init);
    }
    if (error != 0) break;
  }
  log(LogLevel::kError, "%s: %s", path.c_str(), base::error_text(-error));
  return nullptr;
}

bool Segment::current() const {
  struct stat status {};
  return directory_.stat(segment_name(number_), status) == 0 && status.st_dev == device_ &&
         status.st_ino == inode_;
}

base::Fd Segment::open_file() const { return Fd(directory_.open(segment_name(number_), O_RDWR)); }

void Segment::keep_descriptor() {
  if (!kept_) kept_ = open_file();
}

template <typename Work>
int Segment::with_file(Work work) const {
  // A number of the device thread's own table: a process that was copied without
  // fork() has another file there.
  if (kept_ && base::thread_note().device_thread) return work(kept_.get());
  const Fd passing = open_file();
  return passing ? work(passing.get()) : passing.get();
}

int Segment::add_ring(std::size_t bytes, std::uint64_t& offset) const {
  auto& end = contract().header.file_end;
  std::uint64_t seen = end.load(std::memory_order_relaxed);
  do {
    // Whole pages, whatever stands there: so far, no file grows.
    offset = std::max<std::uint64_t>(seen, abi::kRingOffset) & ~kInPage;
    if (offset > kLongestFile) return -ENOSPC;
  } while (!end.compare_exchange_weak(seen, offset + bytes));
  const int error = with_file([&](int fd) { return reserve(fd, offset, bytes); });
  seen = offset + bytes;
  if (error != 0) end.compare_exchange_strong(seen, offset);
  return error;
}

Mapping Segment::map_ring(std::uint64_t offset, std::uint64_t bytes, int& error) const {
  void* address = nullptr;
  const bool sane = ((offset | bytes) & kInPage) == 0 && offset >= abi::kRingOffset &&
                    offset <= kLongestFile && bytes != 0 && bytes <= kLongestRing;
  error = -EIO;
  if (!sane) return {};
  error = with_file([&](int fd) {
    struct stat status {};
    int result = sys().fstat(fd, &status);
    if (result == 0 && status.st_size < static_cast<off_t>(offset + bytes)) result = -EIO;
    if (result == 0) {
      address = sys().map_ring(fd, static_cast<std::int64_t>(offset),
                               static_cast<std::size_t>(bytes), result);
    }
    return result;
  });
  return address != nullptr ? Mapping(address, 2 * static_cast<std::size_t>(bytes)) : Mapping();
}

int Segment::read_ring(std::uint64_t offset, std::byte* to, std::size_t bytes) const {
  return with_file([&](int fd) {
    const ssize_t result = sys().pread(fd, to, bytes, static_cast<std::int64_t>(offset));
    if (result < 0) return static_cast<int>(result);
    return result == static_cast<ssize_t>(bytes) ? 0 : -EIO;
  });
}

void Segment::drop_ring(std::uint64_t offset, std::uint64_t bytes) const {
  std::uint64_t end = offset + bytes;
  contract().header.file_end.compare_exchange_strong(end, offset);
  with_file([&](int fd) {
    if (is_locked(fd, kHoldByte)) return 0;
    return sys().punch_hole(fd, static_cast<std::int64_t>(offset),
                            static_cast<std::int64_t>(bytes));
  });
}

bool Segment::has_rings() const {
  struct stat status {};
  if (directory_.stat(segment_name(number_), status) != 0) return false;
  if (status.st_blocks * 512 > static_cast<off_t>(abi::kRingOffset)) return true;
  for (const std::string& name : passing_names(number_)) {
    if (directory_.stat(name, status) == 0) return true;
  }
  return false;
}

base::Fd Segment::hold_rings() const {
  Fd fd = open_file();
  if (fd && lock_byte(fd.get(), kHoldByte, F_RDLCK) != 0) fd.reset();
  return fd;
}

// With both claims in hand nobody has a ring mapped who could still use it: whoever
// opens a side waits for us.
void Segment::give_back() const {
  if (!has_rings()) return;
  BothClaims claims;
  if (claims.take(directory_, number_, BothClaims::Missing::kNone, kLeavingMs) != 0) return;
  if (!current() || BothClaims::used(directory_, number_, contract())) return;
  if (with_file([](int fd) { return is_locked(fd, kHoldByte) ? -EBUSY : 0; }) != 0) return;
  for (abi::Direction& direction : contract().direction) {
    for (abi::Lane& lane : direction.lane) {
      lane.producer.marks.store(0, std::memory_order_relaxed);
      lane.consumer.marks_taken.store(0, std::memory_order_relaxed);
      // What was not yet heard is gone with its ring: no reader goes on there.
      lane.consumer.ends_taken.store(lane.producer.ends.load(std::memory_order_relaxed));
      lane.consumer.acknowledged_stream.store(lane.producer.stream.load(std::memory_order_relaxed));
      lane.consumer.read.store(lane.producer.written.load(std::memory_order_relaxed));
    }
    // Whoever leaves now finds its claim taken, by us, and leaves this to us.
    direction.server.open.fetch_and(~std::uint64_t{1});
    direction.server.waits_for.store(0, std::memory_order_relaxed);
    for (abi::Half& half : direction.client) half.open.fetch_and(~std::uint64_t{1});
  }
  contract().header.file_end.store(0, std::memory_order_relaxed);
  with_file([](int fd) {
    struct stat status {};
    if (sys().fstat(fd, &status) != 0 || status.st_size <= abi::kRingOffset) return 0;
    return sys().punch_hole(fd, abi::kRingOffset, status.st_size - abi::kRingOffset);
  });
  for (const std::string& name : passing_names(number_)) directory_.remove(name);
}

}  // namespace ossloop::shm
