#include "ossloopctl/sound_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "ossloopctl/interruption.h"

namespace ossloop::ctl {
namespace {

// More no header takes.
constexpr std::size_t kMostHeadBytes = 1 << 20;
// So far ahead a header may look.
constexpr sf_count_t kMostAheadBytes = 1 << 16;
// What programs write for a length that they do not know lies above: 0xffffffff, and sox's
// 0x7ffff000.
constexpr std::uint32_t kLongestBytes = 0x7fff'0000;
constexpr std::size_t kChunkBytes = 8;  // of a chunk's name and size

bool begins(const std::vector<char>& data, std::string_view text, std::size_t at = 0) {
  return data.size() >= at + text.size() && std::memcmp(&data[at], text.data(), text.size()) == 0;
}

std::uint32_t little_endian(const char* data) {
  std::uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(data[i]);
  return value;
}

// Is each sample by itself?
bool is_bare(int format) {
  switch (format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_PCM_U8:
    case SF_FORMAT_PCM_16:
    case SF_FORMAT_PCM_24:
    case SF_FORMAT_PCM_32:
    case SF_FORMAT_FLOAT:
    case SF_FORMAT_DOUBLE:
    case SF_FORMAT_ULAW:
    case SF_FORMAT_ALAW:
      return true;
    default:
      return false;
  }
}

bool begins_flac_block(const char* data, sf_count_t bytes) {
  return bytes > 2 && data[0] == '\xff' && (data[1] & '\xfe') == '\xf8';
}

}  // namespace

void make_endless(std::vector<char>& header) {
  const auto fill = [&](std::size_t at, std::size_t bytes) {
    if (at + bytes <= header.size()) std::fill_n(&header[at], bytes, '\xff');
  };
  if (begins(header, ".snd")) fill(8, 4);
  if (begins(header, "RIFF")) {
    fill(4, 4);
    for (std::size_t at = 12; at + kChunkBytes <= header.size();) {
      const std::size_t bytes = little_endian(&header[at + 4]);
      if (begins(header, "data", at)) fill(at + 4, 4);
      // The number of frames.
      if (begins(header, "fact", at)) fill(at + kChunkBytes, 4);
      at += kChunkBytes + bytes + bytes % 2;
    }
  }
  // Sizes of 8 bytes, each after the 16 of its name; readers take them for signed.
  if (begins(header, "riff")) {
    for (const std::size_t at : {std::size_t{16}, header.size() - 8}) {
      fill(at, 6);
      header[at + 6] = '\xff';
      header[at + 7] = '\x3f';
    }
  }
}

SoundBytes::SoundBytes(int fd, bool owned) : fd_(fd), owned_(owned) {
  struct stat about {};
  const int flags = ::fcntl(fd, F_GETFL);
  streams_ = ::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) ||
             ((flags & O_ACCMODE) != O_RDONLY && (flags & O_APPEND) != 0) ||
             ::lseek(fd, 0, SEEK_CUR) != 0;
}

SoundBytes::~SoundBytes() {
  if (owned_) ::close(fd_);
}

SF_VIRTUAL_IO& SoundBytes::calls() {
  static SF_VIRTUAL_IO table = {
      .get_filelen = [](void* self) -> sf_count_t {
        auto* bytes = static_cast<SoundBytes*>(self);
        return bytes->writes_ ? bytes->size_ : bytes->end_;
      },
      .seek = [](sf_count_t offset, int whence, void* self) -> sf_count_t {
        return static_cast<SoundBytes*>(self)->seek(offset, whence);
      },
      .read = [](void* data, sf_count_t bytes, void* self) -> sf_count_t {
        return static_cast<SoundBytes*>(self)->read(static_cast<char*>(data), bytes);
      },
      .write = [](const void* data, sf_count_t bytes, void* self) -> sf_count_t {
        return static_cast<SoundBytes*>(self)->write(static_cast<const char*>(data), bytes);
      },
      .tell = [](void* self) -> sf_count_t { return static_cast<SoundBytes*>(self)->position_; },
  };
  return table;
}

sf_count_t SoundBytes::seek(sf_count_t offset, int whence) {
  const sf_count_t end = writes_ ? size_ : end_;
  position_ = offset + (whence == SEEK_CUR ? position_ : whence == SEEK_END ? end : 0);
  return position_;
}

SNDFILE* SoundBytes::open_to_read(SF_INFO& info) {
  if (info.format == 0) look_at_header();
  SNDFILE* file = ::sf_open_virtual(&calls(), SFM_READ, &info, this);
  if (file != nullptr && sound_at_ > 0 && is_bare(info.format)) {
    ::sf_close(file);
    file = open_what_follows(info);
  }
  keeps_ = false;
  return file;
}

// libsndfile believes the length in the header of a WAV file; bare samples have none.
SNDFILE* SoundBytes::open_what_follows(SF_INFO& info) {
  head_.erase(head_.begin(), head_.begin() + static_cast<std::ptrdiff_t>(sound_at_));
  taken_ = static_cast<sf_count_t>(head_.size());
  position_ = 0;
  SF_INFO bare = info;
  bare.format = SF_FORMAT_RAW | (info.format & SF_FORMAT_SUBMASK) | SF_ENDIAN_LITTLE;
  return ::sf_open_virtual(&calls(), SFM_READ, &bare, this);
}

SNDFILE* SoundBytes::open_to_write(SF_INFO& info) {
  writes_ = true;
  return ::sf_open_virtual(&calls(), SFM_WRITE, &info, this);
}

// The number of bytes, less at the end; `all` or as many as are there.
std::size_t SoundBytes::read_pipe(char* data, std::size_t bytes, bool all) {
  std::size_t got = 0;
  while (got < bytes && !ended_ && (all || got == 0)) {
    const ssize_t result = ::read(fd_, data + got, bytes - got);
    if (result < 0 && errno == EINTR) continue;
    if (result < 0 && errno == EAGAIN) {
      pollfd entry{fd_, POLLIN, 0};
      ::poll(&entry, 1, -1);
      continue;
    }
    if (result < 0 && error_ == 0) error_ = errno;
    if (result <= 0) ended_ = true;
    got += static_cast<std::size_t>(std::max<ssize_t>(result, 0));
  }
  taken_ += static_cast<sf_count_t>(got);
  return got;
}

// The first `bytes` are in head_ then, if there are so many.
bool SoundBytes::keep(std::size_t bytes) {
  const std::size_t before = head_.size();
  if (bytes > kMostHeadBytes) return false;
  if (before < bytes) {
    head_.resize(bytes);
    head_.resize(before + read_pipe(&head_[before], bytes - before, true));
  }
  return head_.size() >= bytes;
}

void SoundBytes::look_at_header() {
  if (!keep(12)) return;
  takes_little_ = begins(head_, "fLaC");
  if (begins(head_, "RIFF") && begins(head_, "WAVE", 8)) look_at_chunks();
}

// Up to the sound of a WAV file, which goes to the end of the pipe if its length is unknown.
void SoundBytes::look_at_chunks() {
  for (std::size_t at = 12; keep(at + kChunkBytes);) {
    const std::uint32_t bytes = little_endian(&head_[at + 4]);
    const std::size_t next = at + kChunkBytes + bytes + bytes % 2;
    if (begins(head_, "data", at)) {
      if (bytes != 0 && bytes < kLongestBytes) {
        end_ = static_cast<sf_count_t>(at + kChunkBytes + bytes);
      } else {
        sound_at_ = at + kChunkBytes;
        std::memcpy(&head_[at + 4], "\0\0\xff\x7f", 4);
      }
      return;
    }
    if (!keep(next)) return;
    at = next;
  }
}

sf_count_t SoundBytes::read(char* data, sf_count_t bytes) {
  bytes = std::min(bytes, end_ - position_);
  if (bytes <= 0) return 0;
  sf_count_t got = 0;
  const auto kept = static_cast<sf_count_t>(head_.size());
  if (keeps_ && position_ + bytes > kept && position_ + bytes <= kept + kMostAheadBytes) {
    keep(static_cast<std::size_t>(position_ + bytes));
  }
  if (position_ < static_cast<sf_count_t>(head_.size())) {
    got = std::min(bytes, static_cast<sf_count_t>(head_.size()) - position_);
    std::copy_n(&head_[static_cast<std::size_t>(position_)], got, data);
  }
  if (!keeps_ && got < bytes && position_ + got == taken_ && !(takes_little_ && got > 0)) {
    got += static_cast<sf_count_t>(
        read_pipe(data + got, static_cast<std::size_t>(bytes - got), !takes_little_));
  }
  position_ += got;
  return got;
}

void SoundBytes::keep_whole(std::size_t bytes) {
  first_byte_ = size_;
  whole_bytes_ = bytes;
}

// A pipe's reader may take its time, and the user may not want to wait for it.
std::size_t SoundBytes::write_some(const char* data, std::size_t bytes) {
  std::size_t done = 0;
  while (done < bytes) {
    std::size_t wanted = bytes - done;
    pollfd entry{fd_, POLLOUT, 0};
    if (streams_) {
      if (::ppoll(&entry, 1, nullptr, &while_waiting()) < 0) {
        if (errno != EINTR || asked_to_stop()) break;
        continue;
      }
      wanted = std::min<std::size_t>(wanted, PIPE_BUF);
    }
    const ssize_t result =
        streams_ ? ::write(fd_, data + done, wanted)
                 : ::pwrite(fd_, data + done, wanted, position_ + static_cast<sf_count_t>(done));
    if (result < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (result < 0) break;
    done += static_cast<std::size_t>(result);
  }
  if (done < bytes && error_ == 0) error_ = errno;
  return done;
}

// Nothing stays behind the last whole piece.
void SoundBytes::cut() {
  if (whole_bytes_ > 0) size_ -= (size_ - first_byte_) % static_cast<sf_count_t>(whole_bytes_);
  if (::ftruncate(fd_, size_) != 0 && error_ == 0) error_ = errno;
  position_ = size_;
}

sf_count_t SoundBytes::write(const char* data, sf_count_t bytes) {
  const bool at_end = position_ == size_;
  if (!at_end && streams_) return position_ += bytes, bytes;
  // A file that is full is still to get its header right, and nothing else.
  if (at_end && error_ != 0) return 0;
  std::vector<char> header;
  if (streams_ && size_ == 0) {
    header.assign(data, data + bytes);
    make_endless(header);
    data = header.data();
  }
  const auto done = static_cast<sf_count_t>(write_some(data, static_cast<std::size_t>(bytes)));
  if (done == bytes && begins_flac_block(data, bytes)) ++flac_blocks_;
  if (!at_end) return position_ += done, done;
  if (done == bytes || streams_ || whole_bytes_ > 0) size_ += done;
  position_ = size_;
  if (done < bytes && !streams_) cut();
  return done;
}

}  // namespace ossloop::ctl
