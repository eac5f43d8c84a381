#include "shm/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <utility>

#include "base/error_text.h"
#include "base/fd.h"
#include "base/log.h"
#include "shm/node.h"

namespace ossloop::shm {
namespace {

using base::Fd;
using base::log;
using base::LogLevel;
using base::sys;

// Both sides' claims: whoever holds them may replace the instance's file.
class BothClaims {
 public:
  BothClaims(const std::string& folder, int number, mode_t mode) {
    for (const abi::SideIndex side : {abi::kServer, abi::kClient}) {
      const Node node(folder, number, side);
      node.make(mode);
      fd_[side].reset(node.open(true));
      held_ = held_ && fd_[side] && Node::claim(fd_[side].get()) == 0;
    }
  }
  explicit operator bool() const { return held_; }

 private:
  Fd fd_[2];
  bool held_ = true;
};

// Makes the file under a passing name and links it, so that nobody ever sees a
// half-made segment. 0 also when another process was quicker.
int create(const std::string& folder, int number, const Birth& birth) {
  const std::string path = Segment::file_name(folder, number);
  const std::string passing = path + "." + std::to_string(::gettid());
  sys().unlinkat(AT_FDCWD, passing.c_str());
  Fd fd(sys().open(passing.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, birth.mode & 0660));
  if (!fd) return fd.get();
  if ((birth.mode & 0060) != 0) sys().fchmod(fd.get(), birth.mode & 0660);
  int result = reserve(fd.get(), abi::kRingOffset + birth.ring_bytes);
  if (result == 0) {
    int error = 0;
    Mapping mapping(sys().map(fd.get(), 0, abi::kRingOffset, true, error), abi::kRingOffset);
    result = error;
    if (mapping.data() != nullptr) {
      auto& segment = *reinterpret_cast<abi::Segment*>(mapping.data());
      birth.fill(segment);
      segment.header.layout_version.store(abi::kLayoutVersion, std::memory_order_relaxed);
      segment.header.instance.store(static_cast<std::uint32_t>(number), std::memory_order_relaxed);
      segment.header.magic.store(abi::kMagic, std::memory_order_release);
      result = sys().linkat(AT_FDCWD, passing.c_str(), path.c_str());
      if (result == -EEXIST) result = 0;
    }
  }
  sys().unlinkat(AT_FDCWD, passing.c_str());
  return result;
}

}  // namespace

int reserve(int fd, std::size_t bytes) {
  const int result = sys().fallocate(fd, 0, static_cast<std::int64_t>(bytes));
  // A file system without fallocate can only be given the length.
  if (result == -EOPNOTSUPP || result == -ENOSYS) {
    struct stat status {};
    if (sys().fstat(fd, &status) == 0 && status.st_size >= static_cast<off_t>(bytes)) return 0;
    return sys().ftruncate(fd, static_cast<std::int64_t>(bytes));
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

Segment::Segment(std::string folder, int number, Mapping mapping, dev_t device, ino_t inode)
    : folder_(std::move(folder)),
      number_(number),
      path_(file_name(folder_, number)),
      mapping_(std::move(mapping)),
      device_(device),
      inode_(inode) {}

std::string Segment::file_name(const std::string& folder, int number) {
  return folder + "/loop" + std::to_string(number);
}

std::shared_ptr<Segment> Segment::map_file(const std::string& folder, int number, int& error) {
  Fd fd(sys().open(file_name(folder, number).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0));
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
      new Segment(folder, number, std::move(mapping), status.st_dev, status.st_ino));
}

std::shared_ptr<Segment> Segment::open_existing(const std::string& folder, int number, int& error) {
  return map_file(folder, number, error);
}

std::shared_ptr<Segment> Segment::open(const std::string& folder, int number, const Birth& birth,
                                       int& error) {
  const std::string path = file_name(folder, number);
  constexpr int kAttempts = 20;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    auto segment = map_file(folder, number, error);
    if (segment != nullptr) return segment;
    if (error == -EPROTO) {
      const BothClaims claims(folder, number, birth.mode);
      // Somebody may have replaced it before we had the claims.
      segment = map_file(folder, number, error);
      if (segment != nullptr) return segment;
      if (error == -EPROTO && !claims && attempt + 1 < kAttempts) {
        // Perhaps by one who replaces it.
        timespec pause{0, 5'000'000};
        ::nanosleep(&pause, nullptr);
        continue;
      }
      if (error == -EPROTO && !claims) {
        log(LogLevel::kError,
            "%s: not a segment of layout version %u; end the programs that use instance %d, "
            "then it is replaced",
            path.c_str(), abi::kLayoutVersion, number);
        return nullptr;
      }
      if (error == -EPROTO) sys().unlinkat(AT_FDCWD, path.c_str());
      error = create(folder, number, birth);
    } else if (error == -ENOENT) {
      error = create(folder, number, birth);
    }
    if (error != 0) break;
  }
  log(LogLevel::kError, "%s: %s", path.c_str(), base::error_text(-error));
  return nullptr;
}

bool Segment::current() const {
  struct stat status {};
  return sys().fstatat(AT_FDCWD, path_.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         status.st_dev == device_ && status.st_ino == inode_;
}

std::string Segment::tail_name(const std::string& folder, int instance, std::size_t number) {
  return folder + "/tail" + std::to_string(instance) + "." + std::to_string(number);
}

std::string Segment::tail_name(std::size_t number) const {
  return tail_name(folder_, number_, number);
}

Mapping Segment::map_tail(std::size_t number, std::size_t bytes, int& error) const {
  struct stat ours {};
  error = sys().fstatat(AT_FDCWD, path_.c_str(), &ours, AT_SYMLINK_NOFOLLOW);
  if (error != 0) return {};
  const mode_t mode = ours.st_mode & 0660;
  const Fd fd(sys().open(tail_name(number).c_str(),
                         O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode));
  struct stat status {};
  error = fd ? sys().fstat(fd.get(), &status) : fd.get();
  if (error == 0 && !S_ISREG(status.st_mode)) error = -EPROTO;
  if (error != 0) return {};
  if ((mode & 0060) != 0) sys().fchmod(fd.get(), mode);
  error = reserve(fd.get(), bytes);
  if (error != 0) return {};
  return Mapping(sys().map(fd.get(), 0, bytes, true, error), bytes);
}

base::Fd Segment::open_file() const {
  return Fd(sys().open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0));
}

void Segment::keep_descriptor() {
  if (!kept_) kept_ = open_file();
}

int Segment::reserve_ring(std::size_t ring_bytes) const {
  const Fd passing = kept_ ? Fd() : open_file();
  const Fd& fd = kept_ ? kept_ : passing;
  if (!fd) return fd.get();
  return reserve(fd.get(), abi::kRingOffset + ring_bytes);
}

Mapping Segment::map_ring(std::size_t ring_bytes, int& error) const {
  const Fd passing = kept_ ? Fd() : open_file();
  const Fd& fd = kept_ ? kept_ : passing;
  struct stat status {};
  error = fd ? sys().fstat(fd.get(), &status) : fd.get();
  if (error == 0 && status.st_size < static_cast<off_t>(abi::kRingOffset + ring_bytes))
    error = -EIO;
  if (error != 0) return {};
  return Mapping(sys().map(fd.get(), abi::kRingOffset, ring_bytes, true, error), ring_bytes);
}

}  // namespace ossloop::shm
