#include "ossloopctl/sound_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/error_text.h"
#include "oss/soundcard.h"

namespace ossloop::ctl {
namespace {

// What each frame takes in a file; 0 where that varies.
std::size_t stored_frame_bytes(const SoundSpec& spec) {
  if (spec.kind->container == SF_FORMAT_FLAC) return 0;
  const auto channels = static_cast<std::size_t>(spec.channels);
  switch (spec.encoding->subtype) {
    case SF_FORMAT_PCM_16:
      return 2 * channels;
    case SF_FORMAT_PCM_24:
      return 3 * channels;
    case SF_FORMAT_PCM_32:
    case SF_FORMAT_FLOAT:
      return 4 * channels;
    case SF_FORMAT_VORBIS:
    case SF_FORMAT_OPUS:
      return 0;
    default:
      return channels;
  }
}

// The header of a FLAC file is kept by its encoder, which gives up when the disk is full: here
// it gets the number of frames, after `blocks` whole ones.
std::size_t mend_flac(int fd, std::size_t blocks) {
  unsigned char info[26];
  if (::pread(fd, info, sizeof info, 0) != sizeof info) return 0;
  const std::size_t frames = blocks * (info[8] * 256u + info[9]);
  info[21] = static_cast<unsigned char>((info[21] & 0xf0) | (frames >> 32 & 0xf));
  for (int i = 0; i < 4; ++i) info[22 + i] = static_cast<unsigned char>(frames >> (24 - 8 * i));
  return ::pwrite(fd, info, sizeof info, 0) == sizeof info ? frames : 0;
}

}  // namespace

SoundFile::~SoundFile() {
  if (file_ != nullptr) ::sf_close(file_);
}

bool SoundFile::fails_because(int error, std::string& why) const {
  why = name_ + ": " +
        (error == EPIPE ? "its reader has ended" : std::string(base::error_text(error)));
  return false;
}

bool SoundFile::fails(std::string& why) const {
  if (bytes_ != nullptr && bytes_->error() != 0) return fails_because(bytes_->error(), why);
  std::string_view text = ::sf_strerror(file_);
  for (const std::string_view prefix : {"System error : ", "Error : "}) {
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  }
  if (text.ends_with('.')) text.remove_suffix(1);
  why = name_ + ": " + std::string(text);
  return false;
}

bool SoundFile::reader_gone(std::string& why) const { return fails_because(EPIPE, why); }

bool SoundFile::interrupted() const { return bytes_ != nullptr && bytes_->error() == EINTR; }

bool SoundFile::open(const std::string& path, const SoundSpec& spec, std::string& why) {
  path_ = path;
  name_ = path == "-" ? "standard input" : path;
  if (path == "-" && ::isatty(STDIN_FILENO)) {
    why = name_ + " is a terminal; accepted are a pipe and a file";
    return false;
  }
  const int fd = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fails_because(errno, why);
  bytes_ = std::make_unique<SoundBytes>(fd, path != "-");
  const bool raw = spec.kind != nullptr && spec.kind->container == SF_FORMAT_RAW;
  SF_INFO info = raw ? spec.info() : SF_INFO{};
  file_ =
      bytes_->streams() ? bytes_->open_to_read(info) : ::sf_open_fd(fd, SFM_READ, &info, SF_FALSE);
  if (file_ == nullptr) {
    fails(why);
    if (bytes_->error() != 0) return false;
    why += "; accepted are " + (bytes_->streams() ? streaming_kind_names() : kind_names()) +
           "; for bare samples there is --type raw";
    return false;
  }
  int container = info.format & SF_FORMAT_TYPEMASK;
  if (container == SF_FORMAT_WAVEX) container = SF_FORMAT_WAV;
  if (spec.kind != nullptr && container != spec.kind->container) {
    why = name_ + ": it is no " + spec.kind->name;
    return false;
  }
  if (!bytes_->streams() || bytes_->length_known()) {
    total_frames_ = static_cast<std::size_t>(std::max<sf_count_t>(info.frames, 0));
  }
  format_ = {carrier(info.format & SF_FORMAT_SUBMASK), info.channels, info.samplerate};
  if (audio::valid(format_)) return true;
  why = name_ + ": " + std::to_string(info.channels) + " channels at " +
        std::to_string(info.samplerate) + " Hz; accepted are 1 to " +
        std::to_string(audio::kMaxChannels) + " at " + std::to_string(audio::kMinRateHz) + " to " +
        std::to_string(audio::kMaxRateHz);
  return false;
}

bool SoundFile::create(const std::string& path, const SoundSpec& spec, std::string& why) {
  int error = 0;
  return make(path, spec, O_TRUNC, error, why);
}

bool SoundFile::create_new(const std::string& path, const SoundSpec& spec, bool& exists,
                           std::string& why) {
  int error = 0;
  const bool made = make(path, spec, O_EXCL, error, why);
  exists = error == EEXIST;
  return made;
}

bool SoundFile::make(const std::string& path, const SoundSpec& spec, int flags, int& error,
                     std::string& why) {
  path_ = path;
  name_ = path == "-" ? "standard output" : path;
  const int fd = path == "-" ? STDOUT_FILENO
                             : ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | flags, 0666);
  if (fd < 0) {
    error = errno;
    return fails_because(error, why);
  }
  bytes_ = std::make_unique<SoundBytes>(fd, path != "-");
  if (bytes_->streams() && !spec.kind->streams) {
    why = name_ + ": a ." + spec.kind->name + " file cannot be written to a pipe; accepted are " +
          streaming_kind_names();
    return false;
  }
  return begin(spec, why);
}

bool SoundFile::begin(const SoundSpec& spec, std::string& why) {
  SF_INFO info = spec.info();
  file_ = bytes_->open_to_write(info);
  if (file_ == nullptr || bytes_->error() != 0) return fails(why);
  kind_ = spec.kind;
  format_ = spec.format();
  frames_ = 0;
  frame_bytes_ = stored_frame_bytes(spec);
  bytes_->keep_whole(frame_bytes_);
  return true;
}

// After a write that failed.
void SoundFile::count_what_is_whole() {
  if (bytes_->streams()) return;
  if (frame_bytes_ > 0) {
    frames_ = static_cast<std::size_t>(bytes_->size() - bytes_->first_byte()) / frame_bytes_;
  } else if (kind_->container == SF_FORMAT_FLAC) {
    frames_ = mend_flac(bytes_->fd(), bytes_->flac_blocks());
  }
}

bool SoundFile::close(std::string& why) {
  if (bytes_->error() != 0) {
    // That has been told.
    ::sf_close(file_);
    file_ = nullptr;
    count_what_is_whole();
    return true;
  }
  const int error = ::sf_close(file_);
  file_ = nullptr;
  if (bytes_->error() != 0) {
    count_what_is_whole();
    return fails_because(bytes_->error(), why);
  }
  if (error != 0) why = name_ + ": " + ::sf_error_number(error);
  return error == 0;
}

bool SoundFile::read(void* data, std::size_t frames, std::size_t& got, std::string& why) {
  const auto count = static_cast<sf_count_t>(frames);
  sf_count_t result = 0;
  switch (format_.afmt) {
    case oss::AFMT_S16_NE:
      result = ::sf_readf_short(file_, static_cast<short*>(data), count);
      break;
    case oss::AFMT_S32_NE:
      result = ::sf_readf_int(file_, static_cast<int*>(data), count);
      break;
    default:
      result = ::sf_readf_float(file_, static_cast<float*>(data), count);
  }
  got = static_cast<std::size_t>(std::max<sf_count_t>(result, 0));
  if (bytes_->error() != 0) return fails_because(bytes_->error(), why);
  // At the end of a pipe a decoder may miss what nobody has promised.
  return bytes_->ended() || ::sf_error(file_) == SF_ERR_NO_ERROR || fails(why);
}

bool SoundFile::write(const void* data, std::size_t frames, std::string& why) {
  const auto count = static_cast<sf_count_t>(frames);
  sf_count_t result = 0;
  switch (format_.afmt) {
    case oss::AFMT_S16_NE:
      result = ::sf_writef_short(file_, static_cast<const short*>(data), count);
      break;
    case oss::AFMT_S32_NE:
      result = ::sf_writef_int(file_, static_cast<const int*>(data), count);
      break;
    default:
      result = ::sf_writef_float(file_, static_cast<const float*>(data), count);
  }
  frames_ += static_cast<std::size_t>(std::max<sf_count_t>(result, 0));
  return (result == count && bytes_->error() == 0) || fails(why);
}

}  // namespace ossloop::ctl
